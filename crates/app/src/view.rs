//! What use cases take and give: plain data for every wire.
//!
//! [`ContractSource`] has exactly the contract's keys; everything richer is ours.

mod bulk;
mod picture;
mod run;
mod session;
mod settings;
mod source;
mod target;

use chrono::{DateTime, SecondsFormat, Utc};
use serde::Serializer;

pub use bulk::{
    BulkAction, BulkFailure, BulkReport, BulkSources, ImportLine, ImportReport, ImportSources, ImportState,
};
pub use picture::{Completeness, CompletenessStep, DayCount, IdRange, MessageRow, ReasonCount, SourceDetail};
pub use run::{LogLine, RunDetail, RunFilter, RunProgress, RunRow};
pub use session::{
    CodeDelivery, ContractSession, EditProxy, EditSession, EditTelegram, Finalize, ImportString, KeyState,
    KeyStatus, OtpSent, OtpVerified, ProxyRow, QrCode, RotationReport, SendOtp, SessionRow, SessionSource,
    StartQr, TelegramSettings, TempPassword, TempSession, TempStep, UploadSession, VerifyOtp,
};
pub use settings::{DataReport, EditSettings, EraseData, Event, Message, Overview, PathInput, Settings, Tag};
pub use source::{ContractSource, CreateSource, EditSource, SourceRow};
pub use target::{SaveTarget, TargetReport, TargetRow, TargetStep};

/// The contract's time form: `2025-10-30T10:00:00Z`.
pub fn contract_time<S: Serializer>(at: &DateTime<Utc>, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(&at.to_rfc3339_opts(SecondsFormat::Secs, true))
}

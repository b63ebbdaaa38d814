//! Sessions: log in, import, check, name, delete.

use gleaner_domain::{Code, SessionId};
use uuid::Uuid;

use crate::view::{
    ContractSession, EditSession, EditTelegram, Finalize, ImportString, KeyStatus, Message, OtpSent,
    OtpVerified, SendOtp, SessionRow, StartQr, TelegramSettings, TempPassword, TempSession, UploadSession,
    VerifyOtp,
};
use crate::{ApiError, ApiResult, App};

macro_rules! to_come {
    ($($name:ident($($arg:ty),*) -> $out:ty;)*) => {
        #[allow(missing_docs, clippy::unused_async)]
        impl App {
            $(pub async fn $name(&self, $(_: $arg),*) -> ApiResult<$out> {
                Err(ApiError::new(Code::NotAvailable, "to come"))
            })*
        }
    };
}
to_come! {
    send_otp(SendOtp) -> OtpSent;
    verify_otp(VerifyOtp) -> OtpVerified;
    finalize_session(Finalize) -> ContractSession;
    upload_session(UploadSession) -> ContractSession;
    list_sessions() -> Vec<ContractSession>;
    delete_session(SessionId, bool) -> Message;
    list_session_rows() -> Vec<SessionRow>;
    edit_session(SessionId, EditSession) -> SessionRow;
    check_session(SessionId) -> SessionRow;
    import_session_string(ImportString) -> SessionRow;
    start_qr(StartQr) -> TempSession;
    get_temp_session(Uuid) -> TempSession;
    cancel_temp_session(Uuid) -> Message;
    resend_code(Uuid) -> TempSession;
    give_temp_password(Uuid, TempPassword) -> TempSession;
    telegram_settings() -> TelegramSettings;
    edit_telegram_settings(EditTelegram) -> TelegramSettings;
    key_status() -> KeyStatus;
    retry_key() -> KeyStatus;
}

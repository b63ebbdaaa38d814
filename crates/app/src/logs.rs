//! Logs: a file a day, fourteen kept, nothing secret in them.

use gleaner_domain::Code;
use tracing_appender::non_blocking::WorkerGuard;
use tracing_appender::rolling::{Builder, Rotation};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use crate::{ApiError, ApiResult, Config};

/// Days of logs that are kept.
const DAYS: usize = 14;

/// Starts logging into the log folder. The guard must live as long as the process: it writes the rest.
///
/// `filter` is a tracing filter such as `info` or `gleaner_scrape=debug`.
pub fn start(config: &Config, filter: &str) -> ApiResult<WorkerGuard> {
    let failed = |e: &dyn std::fmt::Display| {
        ApiError::new(
            Code::Internal,
            format!("Logs cannot be written to {}: {e}", config.log_dir.display()),
        )
    };
    std::fs::create_dir_all(&config.log_dir).map_err(|e| failed(&e))?;
    let file = Builder::new()
        .rotation(Rotation::DAILY)
        .filename_prefix("gleaner")
        .filename_suffix("log")
        .max_log_files(DAYS)
        .build(&config.log_dir)
        .map_err(|e| failed(&e))?;
    let (writer, guard) = tracing_appender::non_blocking(file);
    let filter = EnvFilter::try_new(filter).map_err(|e| failed(&e))?;
    let lines = tracing_subscriber::fmt::layer()
        .with_writer(writer)
        .with_ansi(false)
        .with_target(true);
    tracing_subscriber::registry()
        .with(filter)
        .with(lines)
        .try_init()
        .map_err(|e| failed(&e))?;
    Ok(guard)
}

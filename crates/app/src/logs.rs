//! Logs: a file a day, fourteen kept, nothing secret in them.

use std::io::ErrorKind;
use std::path::Path;

use gleaner_domain::Code;
use tracing_appender::non_blocking::WorkerGuard;
use tracing_appender::rolling::{Builder, Rotation};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use crate::{ApiError, ApiResult, Config};

/// Days of logs that are kept.
const DAYS: usize = 14;
/// Every file is called `gleaner.<day>.log`.
const PREFIX: &str = "gleaner";
const SUFFIX: &str = "log";

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
        .filename_prefix(PREFIX)
        .filename_suffix(SUFFIX)
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

/// Removes all logs, and their folder if nothing else is in it. Says what could not be removed.
pub(crate) fn remove(log_dir: &Path) -> Result<(), String> {
    let entries = match std::fs::read_dir(log_dir) {
        Ok(entries) => entries,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(format!("{} ({error})", log_dir.display())),
    };
    let left: Vec<_> = entries
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| is_log(path))
        .filter_map(|path| match std::fs::remove_file(&path) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                Some(format!("{} ({error})", path.display()))
            }
            _ => None,
        })
        .collect();
    let _ = std::fs::remove_dir(log_dir);
    if left.is_empty() {
        Ok(())
    } else {
        Err(left.join(", "))
    }
}

fn is_log(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    name.strip_prefix(PREFIX)
        .and_then(|rest| rest.strip_prefix('.')?.strip_suffix(SUFFIX)?.strip_suffix('.'))
        .is_some_and(|day| !day.is_empty())
}

//! Files with secrets in them: for their owner alone, and never over another file.

use std::io::{ErrorKind, Write as _};
use std::path::Path;

use crate::{ApiError, ApiResult};

/// Writes a new file that only its owner can read. Blocks for as long as the disk takes; the files are small.
pub fn write_new(path: &Path, content: &[u8]) -> ApiResult<()> {
    let mut options = std::fs::File::options();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path).map_err(|error| match error.kind() {
        ErrorKind::AlreadyExists => {
            ApiError::field("path", "there is a file already; it was not written over")
        }
        _ => failed(path, &error),
    })?;
    let written = file.write_all(content).and_then(|()| file.sync_all());
    if let Err(error) = written {
        drop(file);
        // It was not there before; what is there now is half a secret.
        let _ = std::fs::remove_file(path);
        return Err(failed(path, &error));
    }
    Ok(())
}

fn failed(path: &Path, error: &std::io::Error) -> ApiError {
    ApiError::field("path", format!("{}: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_file_is_its_owners_alone_and_replaces_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("recovery.json");
        write_new(&path, b"secret").unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"secret");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        }
        assert!(write_new(&path, b"other").is_err());
        assert_eq!(std::fs::read(&path).unwrap(), b"secret");
    }
}

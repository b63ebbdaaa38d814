//! Failures in sentences: what could not be done, where, why, and what helps.

use std::error::Error as StdError;
use std::fmt::Display;
use std::io;

use gleaner_scrape::{SinkError, SinkErrorKind};
use opendal::ErrorKind;

use crate::s3_codes;

use SinkErrorKind::{Denied, Full, Raced, Unreachable};

/// Why something failed, and what helps against it.
pub(crate) struct Why {
    pub(crate) kind: SinkErrorKind,
    /// Goes on from "Cannot …: ".
    pub(crate) because: String,
    /// A sentence.
    pub(crate) advice: &'static str,
}

/// "Cannot {doing}: {why}".
pub(crate) fn failed(doing: impl Display, cause: opendal::Error) -> SinkError {
    let why = of_operator(&cause);
    SinkError {
        kind: why.kind,
        detail: format!("Cannot {doing}: {}", why.because),
        source: Some(Box::new(cause)),
    }
}

/// As [`failed`], for the file system itself.
pub(crate) fn failed_io(doing: impl Display, cause: io::Error) -> SinkError {
    let why = of_io(&cause);
    SinkError {
        kind: why.kind,
        detail: format!("Cannot {doing}: {}", why.because),
        source: Some(Box::new(cause)),
    }
}

/// An error without a cause below it.
pub(crate) fn plain(kind: SinkErrorKind, detail: impl Into<String>) -> SinkError {
    SinkError {
        kind,
        detail: detail.into(),
        source: None,
    }
}

/// What helps against an error made here, where more can be said than its own sentence says.
pub(crate) fn advice(error: &SinkError) -> Option<&'static str> {
    let cause = error.source.as_deref()?;
    if let Some(cause) = cause.downcast_ref::<opendal::Error>() {
        return Some(of_operator(cause).advice);
    }
    cause.downcast_ref::<io::Error>().map(|cause| of_io(cause).advice)
}

/// Reads a failure of the operating system.
fn of_io(error: &io::Error) -> Why {
    use io::ErrorKind as K;
    let (kind, because, advice) = match error.kind() {
        K::StorageFull => (
            Full,
            "no space is left there",
            "Free some space, or choose another disk.",
        ),
        K::QuotaExceeded => (
            Full,
            "the quota there is used up",
            "Free some space, or ask for a larger quota.",
        ),
        K::FileTooLarge => (
            Full,
            "the file system there takes no file that large",
            "Choose another disk.",
        ),
        K::PermissionDenied => (
            Denied,
            "this user has no right to do that",
            "Give this user the right to write in the folder.",
        ),
        K::ReadOnlyFilesystem => (
            Denied,
            "it is mounted read-only",
            "Mount it writable, or choose another folder.",
        ),
        K::NotADirectory | K::AlreadyExists => (
            Denied,
            "a part of the path is a file, not a folder",
            "Choose a folder.",
        ),
        K::InvalidFilename => (
            Denied,
            "the file system refuses the name",
            "Choose a shorter path.",
        ),
        K::NotFound => (
            Unreachable,
            "the folder is not there",
            "Create the folder, or mount the share.",
        ),
        K::TimedOut => (
            Unreachable,
            "it does not answer",
            "Check that the share is mounted and its server is up.",
        ),
        K::StaleNetworkFileHandle
        | K::NotConnected
        | K::HostUnreachable
        | K::NetworkUnreachable
        | K::NetworkDown => (
            Unreachable,
            "the share has lost its server",
            "Mount the share again.",
        ),
        _ => {
            let because = format!("the system says \"{error}\"");
            return Why {
                kind: Unreachable,
                because,
                advice: "Check the disk or the share, then try again.",
            };
        }
    };
    Why {
        kind,
        because: because.to_owned(),
        advice,
    }
}

/// Reads a failure of OpenDAL.
fn of_operator(error: &opendal::Error) -> Why {
    if let Some(cause) = chain(error).find_map(|cause| cause.downcast_ref::<io::Error>()) {
        // Below HTTP there are IO errors too, but about connections, not about disks.
        if !chain(error).any(<dyn StdError>::is::<reqwest::Error>) {
            return of_io(cause);
        }
    }
    let message = error.message();
    if let Some(why) = s3_codes::find(message) {
        return why;
    }
    let last = || {
        chain(error)
            .last()
            .map_or_else(|| message.to_owned(), ToString::to_string)
    };
    let (kind, because, advice) = match error.kind() {
        ErrorKind::PermissionDenied => (
            Denied,
            "the server refuses the credentials (403)".to_owned(),
            "Check the access key, the secret key and the rights on the bucket.",
        ),
        ErrorKind::ConditionNotMatch | ErrorKind::Conflict => (
            Raced,
            "another writer changed it meanwhile".to_owned(),
            "Make sure that only one Gleaner scrapes this source.",
        ),
        ErrorKind::RateLimited => (
            Unreachable,
            "the server asks to slow down".to_owned(),
            "Try again later.",
        ),
        ErrorKind::NotFound => (
            Unreachable,
            "it is not there".to_owned(),
            "Check bucket and address.",
        ),
        ErrorKind::ConfigInvalid => (Denied, message.to_owned(), "Check bucket, region and address."),
        _ if message.contains("timeout") => (
            Unreachable,
            "no answer came in time".to_owned(),
            "Check the address, the network and that the server is up.",
        ),
        _ if chain(error).any(<dyn StdError>::is::<reqwest::Error>) => (
            Unreachable,
            format!("no connection ({})", last()),
            "Check the address, the network and that the server is up.",
        ),
        _ => (
            Unreachable,
            format!("the server answered \"{}\"", last()),
            "Try again later.",
        ),
    };
    Why {
        kind,
        because,
        advice,
    }
}

/// The error and its causes, outermost first.
fn chain(error: &opendal::Error) -> impl Iterator<Item = &(dyn StdError + 'static)> {
    std::iter::successors(error.source(), |&cause| cause.source())
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case(io::ErrorKind::StorageFull, Full)]
    #[case(io::ErrorKind::QuotaExceeded, Full)]
    #[case(io::ErrorKind::PermissionDenied, Denied)]
    #[case(io::ErrorKind::ReadOnlyFilesystem, Denied)]
    #[case(io::ErrorKind::NotADirectory, Denied)]
    #[case(io::ErrorKind::NotFound, Unreachable)]
    #[case(io::ErrorKind::StaleNetworkFileHandle, Unreachable)]
    #[case(io::ErrorKind::Other, Unreachable)]
    fn the_systems_errors_are_told_apart_through_opendal(
        #[case] cause: io::ErrorKind,
        #[case] kind: SinkErrorKind,
    ) {
        let cause = opendal::Error::new(ErrorKind::Unexpected, "x").set_source(io::Error::from(cause));
        let error = failed("write a.zst in /out", cause);
        assert_eq!(error.kind, kind);
        assert!(
            error.detail.starts_with("Cannot write a.zst in /out: "),
            "{error}"
        );
        assert!(advice(&error).is_some_and(|advice| advice.ends_with('.')));
    }

    #[rstest]
    #[case(ErrorKind::PermissionDenied, "SignatureDoesNotMatch", Denied)]
    #[case(ErrorKind::PermissionDenied, "RequestTimeTooSkewed", Denied)]
    #[case(ErrorKind::ConfigInvalid, "NoSuchBucket", Denied)]
    #[case(ErrorKind::Unexpected, "PermanentRedirect", Denied)]
    #[case(ErrorKind::Unexpected, "XMinioStorageFull", Full)]
    fn the_codes_of_s3_are_told_apart(
        #[case] outer: ErrorKind,
        #[case] code: &str,
        #[case] kind: SinkErrorKind,
    ) {
        let message =
            format!("S3Error {{ code: \"{code}\", message: \"m\", resource: \"\", request_id: \"\" }}");
        let error = failed("read the bucket", opendal::Error::new(outer, message));
        assert_eq!(error.kind, kind);
        assert!(error.detail.contains(code), "{error}");
    }

    #[test]
    fn a_failed_condition_means_another_writer() {
        let error = failed("write", opendal::Error::new(ErrorKind::ConditionNotMatch, "412"));
        assert_eq!(error.kind, Raced);
    }
}

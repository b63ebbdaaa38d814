//! S3's error codes in words.

use gleaner_scrape::SinkErrorKind::{self, Denied, Full, Unreachable};

use crate::error::Why;

/// Finds the code in OpenDAL's message, which is the Debug form of the fields of S3's answer.
pub(crate) fn find(message: &str) -> Option<Why> {
    let (_, kind, because, advice) = CODES
        .iter()
        .find(|(code, ..)| message.contains(&format!("code: \"{code}\"")))?;
    Some(Why {
        kind: *kind,
        because: (*because).to_owned(),
        advice,
    })
}

/// Code, kind, the words after "Cannot …: ", and what helps.
const CODES: &[(&str, SinkErrorKind, &str, &str)] = &[
    (
        "SignatureDoesNotMatch",
        Denied,
        "the secret key does not fit the access key (SignatureDoesNotMatch)",
        "Check the secret access key for missing characters.",
    ),
    (
        "InvalidAccessKeyId",
        Denied,
        "the server does not know this access key (InvalidAccessKeyId)",
        "Check the access key id, and that it belongs to this server.",
    ),
    (
        "RequestTimeTooSkewed",
        Denied,
        "this machine's clock differs too much from the server's (RequestTimeTooSkewed)",
        "Set this machine's clock.",
    ),
    (
        "ExpiredToken",
        Denied,
        "the session token has expired (ExpiredToken)",
        "Fetch fresh credentials.",
    ),
    (
        "InvalidToken",
        Denied,
        "the session token is not valid (InvalidToken)",
        "Fetch fresh credentials.",
    ),
    (
        "AccessDenied",
        Denied,
        "the credentials have no right to do that (AccessDenied)",
        "Grant ListBucket, GetObject, PutObject, DeleteObject and AbortMultipartUpload on the bucket.",
    ),
    (
        "NoSuchBucket",
        Denied,
        "there is no such bucket (NoSuchBucket)",
        "Create the bucket, or check its name.",
    ),
    (
        "InvalidBucketName",
        Denied,
        "this is no name for a bucket (InvalidBucketName)",
        "Check the bucket's name.",
    ),
    (
        "PermanentRedirect",
        Denied,
        "the bucket lies in another region (PermanentRedirect)",
        "Enter the bucket's own region.",
    ),
    (
        "TemporaryRedirect",
        Unreachable,
        "the server sends elsewhere for a while (TemporaryRedirect)",
        "Enter the bucket's own region, or try again in an hour.",
    ),
    (
        "AuthorizationHeaderMalformed",
        Denied,
        "the bucket lies in another region (AuthorizationHeaderMalformed)",
        "Enter the bucket's own region.",
    ),
    (
        "IllegalLocationConstraintException",
        Denied,
        "the bucket lies in another region (IllegalLocationConstraintException)",
        "Enter the bucket's own region.",
    ),
    (
        "NotImplemented",
        Denied,
        "the server does not know that request (NotImplemented)",
        "Use a server that supports conditional writes (If-Match and If-None-Match).",
    ),
    (
        "QuotaExceeded",
        Full,
        "the bucket's quota is used up (QuotaExceeded)",
        "Raise the quota.",
    ),
    (
        "XMinioStorageFull",
        Full,
        "the server has no space left (XMinioStorageFull)",
        "Add space to the server.",
    ),
    (
        "SlowDown",
        Unreachable,
        "the server asks to slow down (SlowDown)",
        "Try again later.",
    ),
];

//! A bucket as an operator: credentials, address, transport.

use std::fmt;
use std::time::Duration;

use gleaner_scrape::{SinkError, SinkErrorKind};
use opendal::{HttpTransporter, OperationContext, Operator, services};
use opendal_http_transport_reqwest::ReqwestTransport;
use reqwest::Url;
use reqwest::redirect::Policy;

use crate::error::{failed, plain};
use crate::place::Place;

/// Longest wait for a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// What opens a bucket. Never printed.
#[derive(Clone)]
pub struct S3Credentials {
    /// The public half.
    pub access_key_id: String,
    /// The secret half.
    pub secret_access_key: String,
    /// For temporary credentials.
    pub session_token: Option<String>,
}

impl fmt::Debug for S3Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("S3Credentials(not shown)")
    }
}

/// What of a target's settings a bucket needs.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bucket<'a> {
    pub(crate) name: &'a str,
    pub(crate) endpoint: Option<&'a str>,
    pub(crate) region: Option<&'a str>,
    pub(crate) prefix: &'a str,
    pub(crate) allow_http: bool,
}

/// Makes a place of a bucket; nothing is sent yet.
pub(crate) fn place(settings: Bucket<'_>, credentials: Option<&S3Credentials>) -> Result<Place, SinkError> {
    let name = match settings.prefix.trim_matches('/') {
        "" => format!("s3://{}", settings.name),
        prefix => format!("s3://{}/{prefix}", settings.name),
    };
    let Some(credentials) = credentials else {
        return Err(plain(
            SinkErrorKind::Denied,
            format!(
                "No credentials for {name}: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY where Gleaner runs"
            ),
        ));
    };
    let endpoint = settings
        .endpoint
        .map(|text| endpoint(text, settings.allow_http))
        .transpose()?;
    let mut builder = services::S3::default()
        .bucket(settings.name)
        .root(settings.prefix)
        .region(settings.region.unwrap_or("us-east-1"))
        .access_key_id(&credentials.access_key_id)
        .secret_access_key(&credentials.secret_access_key)
        // Only what was handed in: no profile, no environment, no address of a cloud machine.
        .disable_config_load()
        .disable_ec2_metadata();
    if let Some(token) = &credentials.session_token {
        builder = builder.session_token(token);
    }
    if let Some(endpoint) = &endpoint {
        builder = builder.endpoint(endpoint.as_str().trim_end_matches('/'));
    }
    let transport = ReqwestTransport::new(client(endpoint.as_ref(), &name)?);
    let context = OperationContext::new().with_http_transport(HttpTransporter::new(transport));
    let operator = Operator::new(builder).map_err(|cause| failed(format_args!("use {name}"), cause))?;
    Ok(Place::objects(operator.with_context(context), name))
}

/// The client; `rustls`' provider is installed by whoever starts the process.
fn client(endpoint: Option<&Url>, name: &str) -> Result<reqwest::Client, SinkError> {
    let mut builder = reqwest::Client::builder()
        .connect_timeout(CONNECT_TIMEOUT)
        .pool_idle_timeout(Duration::from_secs(30))
        // A signature holds for one host: a redirect is an answer (another region), not a way.
        .redirect(Policy::none());
    if endpoint.is_some_and(is_loopback) {
        builder = builder.no_proxy();
    }
    builder.build().map_err(|cause| SinkError {
        kind: SinkErrorKind::Unreachable,
        detail: format!("Cannot prepare the connection to {name}: {cause}"),
        source: Some(Box::new(cause)),
    })
}

/// Parses an address; clear text leaves the machine only when that is allowed.
fn endpoint(text: &str, allow_http: bool) -> Result<Url, SinkError> {
    let refuse = |why: &str| {
        Err(plain(
            SinkErrorKind::Denied,
            format!("The address {text} cannot be used: {why}"),
        ))
    };
    let full = if text.contains("://") {
        text.to_owned()
    } else {
        format!("https://{text}")
    };
    let Ok(url) = Url::parse(&full) else {
        return refuse("it is no address");
    };
    if !url.username().is_empty() || url.password().is_some() {
        // Not repeated in the sentence: it holds a secret.
        let detail = "The address of the S3 server must not hold a name or a password";
        return Err(plain(SinkErrorKind::Denied, detail));
    }
    match url.scheme() {
        "https" => Ok(url),
        "http" if allow_http || is_loopback(&url) => Ok(url),
        "http" => {
            refuse("http:// sends everything in clear; use https:// or allow it in the target's settings")
        }
        _ => refuse("it must start with https://"),
    }
}

fn is_loopback(url: &Url) -> bool {
    let host = url
        .host_str()
        .unwrap_or_default()
        .trim_start_matches('[')
        .trim_end_matches(']');
    host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[test]
    fn credentials_print_nothing() {
        let secret = S3Credentials {
            access_key_id: "AKIAEXAMPLE".into(),
            secret_access_key: "very-secret".into(),
            session_token: Some("token".into()),
        };
        let printed = format!("{secret:?} {secret:#?}");
        assert!(!printed.contains("AKIA") && !printed.contains("very") && !printed.contains("token"));
    }

    #[rstest]
    #[case("https://s3.example.org", false, true)]
    #[case("s3.example.org:9000", false, true)]
    #[case("http://127.0.0.1:9000", false, true)]
    #[case("http://[::1]:9000", false, true)]
    #[case("http://localhost:9000", false, true)]
    #[case("http://s3.example.org", false, false)]
    #[case("http://s3.example.org", true, true)]
    #[case("http://127.0.0.1.example.org", false, false)]
    #[case("ftp://s3.example.org", true, false)]
    #[case("https://name:word@s3.example.org", false, false)]
    fn clear_text_stays_on_this_machine_unless_allowed(
        #[case] text: &str,
        #[case] allow_http: bool,
        #[case] accepted: bool,
    ) {
        let parsed = endpoint(text, allow_http);
        assert_eq!(parsed.is_ok(), accepted, "{parsed:?}");
        if let Err(error) = parsed {
            assert_eq!(error.kind, SinkErrorKind::Denied);
            assert!(!error.detail.contains("word@"), "{error}");
        }
    }
}

//! Secrets of the server: the token on disk, one-time codes and browser visits in memory.
//!
//! All of them are 256 random bits and are compared in constant time.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use subtle::ConstantTimeEq;

/// How long the code in a printed address works.
pub const CODE_LIFE: Duration = Duration::from_mins(1);
/// How long a browser stays signed in, at most until the server stops.
const VISIT_LIFE: Duration = Duration::from_hours(7 * 24);
/// More open codes or visits than a person has browsers; the oldest makes room.
const MOST: usize = 64;

/// A secret that does not print itself.
#[derive(Clone)]
pub struct Token(String);

impl Token {
    /// A fresh one.
    pub fn generate() -> Self {
        Self(URL_SAFE_NO_PAD.encode(rand::random::<[u8; 32]>()))
    }

    /// Where the token of a data folder lies.
    pub fn path(data_dir: &Path) -> PathBuf {
        data_dir.join("http.token")
    }

    /// The token of a data folder, created on first use, readable by its owner alone.
    ///
    /// A file that others could read, or that holds no token, is replaced: whoever has the old
    /// one is out.
    pub fn load_or_create(data_dir: &Path) -> io::Result<Self> {
        let path = Self::path(data_dir);
        match fs::read(&path) {
            Ok(bytes) => {
                // What is no text is no token either.
                let text = String::from_utf8(bytes).unwrap_or_default();
                if is_token(text.trim()) && is_private(&path)? {
                    return Ok(Self(text.trim().to_owned()));
                }
                fs::remove_file(&path)?;
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
        let token = Self::generate();
        private_file(&path)?.write_all(token.0.as_bytes())?;
        Ok(token)
    }

    /// The secret itself: for the owner's terminal and for cookies.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// Compares in constant time.
    pub fn matches(&self, presented: &str) -> bool {
        self.0.as_bytes().ct_eq(presented.as_bytes()).into()
    }
}

impl std::fmt::Debug for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Token(…)")
    }
}

/// One-time codes: each opens the door once, within a minute.
#[derive(Debug, Default)]
pub(crate) struct Codes(Vec<(Token, Instant)>);

impl Codes {
    pub(crate) fn issue(&mut self, now: Instant) -> Token {
        push(&mut self.0, now)
    }

    /// True once per code, and only while it is fresh.
    pub(crate) fn redeem(&mut self, presented: &str, now: Instant) -> bool {
        self.0
            .retain(|(_, issued)| now.duration_since(*issued) < CODE_LIFE);
        let before = self.0.len();
        self.0.retain(|(code, _)| !code.matches(presented));
        self.0.len() < before
    }
}

/// Browsers that redeemed a code.
#[derive(Debug, Default)]
pub(crate) struct Visits(Vec<(Token, Instant)>);

impl Visits {
    pub(crate) fn begin(&mut self, now: Instant) -> Token {
        push(&mut self.0, now)
    }

    pub(crate) fn knows(&mut self, presented: &str, now: Instant) -> bool {
        self.0
            .retain(|(_, begun)| now.duration_since(*begun) < VISIT_LIFE);
        self.0.iter().any(|(visit, _)| visit.matches(presented))
    }
}

fn push(list: &mut Vec<(Token, Instant)>, now: Instant) -> Token {
    if list.len() == MOST {
        list.remove(0);
    }
    let token = Token::generate();
    list.push((token.clone(), now));
    token
}

fn is_token(text: &str) -> bool {
    URL_SAFE_NO_PAD.decode(text).is_ok_and(|bytes| bytes.len() == 32)
}

#[cfg(unix)]
fn is_private(path: &Path) -> io::Result<bool> {
    use std::os::unix::fs::PermissionsExt;
    Ok(fs::metadata(path)?.permissions().mode().trailing_zeros() >= 6)
}

#[cfg(not(unix))]
fn is_private(_: &Path) -> io::Result<bool> {
    // Folders under a Windows profile are closed to other users by inheritance.
    Ok(true)
}

fn private_file(path: &Path) -> io::Result<fs::File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[test]
    fn a_data_folder_keeps_its_token() {
        let dir = tempfile::tempdir().expect("a folder");
        let first = Token::load_or_create(dir.path()).expect("created");
        let again = Token::load_or_create(dir.path()).expect("read");
        assert!(again.matches(first.reveal()));
        assert_eq!(first.reveal().len(), 43, "256 bits");
    }

    #[cfg(unix)]
    #[test]
    fn only_the_owner_reads_the_file_and_a_leaked_one_is_replaced() {
        use std::os::unix::fs::PermissionsExt;
        let dir = tempfile::tempdir().expect("a folder");
        let first = Token::load_or_create(dir.path()).expect("created");
        let path = Token::path(dir.path());
        let mode = || fs::metadata(&path).expect("a file").permissions().mode() & 0o777;
        assert_eq!(mode(), 0o600);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).expect("chmod");
        let second = Token::load_or_create(dir.path()).expect("replaced");
        assert!(!second.matches(first.reveal()));
        assert_eq!(mode(), 0o600);
    }

    #[rstest]
    #[case::half_a_token(b"abc")]
    #[case::no_text(b"\xff\xfe\x00")]
    #[case::nothing(b"")]
    fn what_is_no_token_on_disk_is_replaced(#[case] found: &[u8]) {
        let dir = tempfile::tempdir().expect("a folder");
        Token::load_or_create(dir.path()).expect("created");
        fs::write(Token::path(dir.path()), found).expect("written");
        let token = Token::load_or_create(dir.path()).expect("replaced");
        let kept = fs::read(Token::path(dir.path())).expect("a file");
        assert_eq!(kept, token.reveal().as_bytes());
    }

    #[test]
    fn a_code_works_once() {
        let mut codes = Codes::default();
        let now = Instant::now();
        let code = codes.issue(now);
        assert!(codes.redeem(code.reveal(), now));
        assert!(!codes.redeem(code.reveal(), now));
    }

    #[test]
    fn a_code_works_for_a_minute() {
        let mut codes = Codes::default();
        let now = Instant::now();
        let code = codes.issue(now);
        assert!(!codes.redeem(code.reveal(), now + CODE_LIFE));
        let code = codes.issue(now);
        assert!(codes.redeem(
            code.reveal(),
            now + CODE_LIFE.checked_sub(Duration::from_secs(1)).expect("a second")
        ));
    }

    #[test]
    fn a_wrong_code_spends_nothing() {
        let mut codes = Codes::default();
        let now = Instant::now();
        let code = codes.issue(now);
        assert!(!codes.redeem("", now));
        assert!(!codes.redeem(Token::generate().reveal(), now));
        assert!(codes.redeem(code.reveal(), now));
    }

    #[test]
    fn many_visits_do_not_grow_without_end() {
        let mut visits = Visits::default();
        let now = Instant::now();
        let first = visits.begin(now);
        let last = (0..MOST).map(|_| visits.begin(now)).last().expect("some");
        assert!(!visits.knows(first.reveal(), now));
        assert!(visits.knows(last.reveal(), now));
        assert!(!visits.knows(last.reveal(), now + VISIT_LIFE));
    }

    #[test]
    fn a_token_does_not_print_itself() {
        let token = Token::generate();
        assert_eq!(format!("{token:?}"), "Token(…)");
    }
}

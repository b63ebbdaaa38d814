//! Logging in by QR code: another app of the account scans it and agrees
//! (<https://core.telegram.org/api/qr-login>).

use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use gleaner_domain::Clock;
use grammers_tl_types::{self as tl, enums::auth::LoginToken};
use secrecy::{ExposeSecret as _, SecretString};
use tokio::time::{Instant, sleep_until};

use crate::account::Account;
use crate::attempt::{Attempt, Stage, Step};
use crate::connect::Connector;
use crate::failure::Failure;
use crate::keys::SessionKeys;
use crate::login_error::LoginError;

/// One login by QR code, in memory only. Dropping it cuts the connection; [`QrLogin::finish`],
/// [`QrLogin::log_out`] and [`QrLogin::cancel`] end it in order.
pub struct QrLogin {
    attempt: Attempt,
    clock: Arc<dyn Clock>,
    /// When the token on show needs a successor; `None` before the first.
    refresh_at: Option<Instant>,
}

/// What to do now.
#[derive(Debug)]
pub enum QrStep {
    /// Show this as a QR code, in place of the last one.
    Show {
        /// `tg://login?token=...`: whoever scans it logs this program in.
        url: SecretString,
        /// Seconds until the next one is due.
        expires_in_s: u32,
    },
    /// Scanned, and the account has two-step verification.
    PasswordNeeded {
        /// What its owner wrote down as a reminder.
        hint: Option<String>,
    },
    /// Logged in.
    Done(Account),
}

/// What Telegram gives a token, and what is assumed when its clock and ours disagree.
const LIFE: u32 = 30;

/// A token may be followed by at most this many data centres and expired tokens at once.
const TURNS: usize = 4;

impl QrLogin {
    /// Prepares a login. The first [`QrLogin::next`] connects.
    pub async fn start(connector: Connector, clock: Arc<dyn Clock>) -> Result<Self, LoginError> {
        Ok(Self {
            attempt: Attempt::begin(connector).await?,
            clock,
            refresh_at: None,
        })
    }

    /// The first QR code at once; later, whatever happens next: the code was scanned, or it is about
    /// to expire and here is another. Returns within the life of a token; after an error it may be
    /// called again.
    pub async fn next(&mut self) -> Result<QrStep, LoginError> {
        if let Some(step) = self.attempt.stage.step() {
            return Ok(step.into());
        }
        if let Some(refresh_at) = self.refresh_at {
            tokio::select! {
                () = sleep_until(refresh_at) => {}
                () = self.attempt.link.stirred() => {}
            }
        }
        for _ in 0..TURNS {
            let request = tl::functions::auth::ExportLoginToken {
                api_id: self.attempt.connector.api.id,
                api_hash: self.attempt.connector.api.hash.expose_secret().to_owned(),
                except_ids: Vec::new(),
            };
            let mut answer = self.attempt.knock(&request).await?;
            if let Some(LoginToken::MigrateTo(there)) = answer {
                self.attempt.move_to(there.dc_id).await?;
                let request = tl::functions::auth::ImportLoginToken { token: there.token };
                answer = match self.attempt.knock(&request).await {
                    // Too late, or the answer to an earlier one was lost: show another.
                    Err(Failure::Refused(refusal)) if refusal.name.starts_with("AUTH_TOKEN_") => continue,
                    outcome => outcome?,
                };
            }
            match answer {
                Some(LoginToken::Token(token)) => return Ok(self.show(&token)),
                Some(LoginToken::Success(success)) => self.attempt.enter(success.authorization)?,
                Some(LoginToken::MigrateTo(_)) => continue,
                None => {}
            }
            if let Some(step) = self.attempt.stage.step() {
                return Ok(step.into());
            }
        }
        Err(LoginError::NotUnderstood)
    }

    /// Answers with the password of two-step verification (`auth.checkPassword`).
    pub async fn check_password(&mut self, password: &SecretString) -> Result<Account, LoginError> {
        self.attempt.check_password(password).await
    }

    /// Who is logged in; `None` before the last step.
    pub fn account(&self) -> Option<&Account> {
        match &self.attempt.stage {
            Stage::Done(account) => Some(account),
            Stage::Open | Stage::Password { .. } => None,
        }
    }

    /// What to seal; `None` before the last step.
    pub fn keys(&self) -> Option<SessionKeys> {
        self.attempt.keys()
    }

    /// Closes the connection and hands out what to seal. The login stays at Telegram.
    pub async fn finish(self) -> Option<SessionKeys> {
        self.attempt.link.disconnect().await;
        self.attempt.keys()
    }

    /// Logs out at Telegram and closes the connection.
    pub async fn log_out(self) -> Result<(), LoginError> {
        self.attempt.log_out().await
    }

    /// Gives up: logs out what was logged in already, as far as that can be had in a short time, and
    /// closes the connection. The token on show expires by itself.
    pub async fn cancel(self) {
        self.attempt.abandon().await;
    }

    fn show(&mut self, token: &tl::types::auth::LoginToken) -> QrStep {
        let expires_in_s = remaining(i64::from(token.expires) - self.clock.now().timestamp());
        self.refresh_at = Some(Instant::now() + refresh_after(expires_in_s));
        let url = format!("tg://login?token={}", URL_SAFE_NO_PAD.encode(&token.token));
        QrStep::Show {
            url: url.into(),
            expires_in_s,
        }
    }
}

impl From<Step> for QrStep {
    fn from(step: Step) -> Self {
        match step {
            Step::Done(account) => Self::Done(account),
            Step::PasswordNeeded { hint } => Self::PasswordNeeded { hint },
        }
    }
}

/// The token's expiry is told by Telegram's clock; ours may be hours away from it.
fn remaining(seconds: i64) -> u32 {
    match u32::try_from(seconds) {
        Ok(seconds @ 1..=60) => seconds,
        _ => LIFE,
    }
}

/// A little before the end, so that what is on show always works.
fn refresh_after(expires_in_s: u32) -> Duration {
    let life = Duration::from_secs(u64::from(expires_in_s));
    life.saturating_sub(Duration::from_secs(3)).max(life / 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_is_wrong_does_not_make_a_storm() {
        assert_eq!(remaining(27), 27);
        assert_eq!(remaining(-3600), LIFE);
        assert_eq!(remaining(0), LIFE);
        assert_eq!(remaining(3600), LIFE);
    }

    #[test]
    fn a_token_is_replaced_before_it_expires() {
        assert_eq!(refresh_after(30), Duration::from_secs(27));
        assert_eq!(refresh_after(1), Duration::from_millis(500));
    }
}

//! What logging in by code and by QR code have in common: one link, which may move to another data
//! centre, and how far the login got.

use std::time::Duration;

use grammers_tl_types::{self as tl, RemoteCall, enums};
use secrecy::SecretString;
use tokio::time::Instant;

use crate::account::{Account, who_am_i};
use crate::connect::Connector;
use crate::failure::{Dead, Failure, Unreachable};
use crate::keys::SessionKeys;
use crate::link::Link;
use crate::login_error::{LoginError, NotSupported};
use crate::password::Challenge;

/// A login under way.
pub(crate) struct Attempt {
    pub(crate) connector: Connector,
    pub(crate) link: Link,
    pub(crate) stage: Stage,
    /// Something that may have logged in went out, and no answer came.
    in_doubt: bool,
}

/// How far it got.
#[derive(Debug, Clone)]
pub(crate) enum Stage {
    /// Nobody is logged in.
    Open,
    /// The code was right; the password is missing.
    Password { hint: Option<String> },
    /// Logged in.
    Done(Account),
}

/// No account moves more often during one login.
const MOVES: usize = 3;

impl Attempt {
    /// Where logins start. Nothing is sent yet.
    pub(crate) async fn begin(connector: Connector) -> Result<Self, LoginError> {
        let link = connector.link_to(connector.centres.first()).await?;
        Ok(Self {
            connector,
            link,
            stage: Stage::Open,
            in_doubt: false,
        })
    }

    /// Sends what may be repeated, and follows the account to its data centre.
    pub(crate) async fn ask<R: RemoteCall>(&mut self, request: &R) -> Result<R::Return, Failure> {
        for _ in 0..=MOVES {
            match self.link.invoke(request, self.connector.patience.total()).await {
                Err(Failure::Migrate { dc_id }) => self.move_to(dc_id).await?,
                outcome => return outcome,
            }
        }
        Err(Failure::NotUnderstood)
    }

    /// Sends what may log in. When the answer is lost, looks first whether it did.
    ///
    /// `None`: the stage moved on and the answer does not matter any more.
    pub(crate) async fn knock<R: RemoteCall>(&mut self, request: &R) -> Result<Option<R::Return>, Failure> {
        let patience = self.connector.patience;
        let end = Instant::now() + patience.total();
        let mut moves = 0;
        loop {
            let left = end.saturating_duration_since(Instant::now());
            let failure = match self.link.invoke_once(request, left).await {
                Ok(answer) => return Ok(Some(answer)),
                Err(failure) => failure,
            };
            match failure {
                Failure::Migrate { dc_id } if moves < MOVES => {
                    moves += 1;
                    self.move_to(dc_id).await?;
                }
                failure if failure.is("SESSION_PASSWORD_NEEDED") => {
                    self.password_needed().await;
                    return Ok(None);
                }
                Failure::Unreachable(Unreachable::Connection | Unreachable::Timeout) => {
                    self.in_doubt = true;
                    let left = end.saturating_duration_since(Instant::now());
                    match self.look(left).await {
                        Ok(()) => return Ok(None),
                        // It did not log in, so it can be sent again.
                        Err(Failure::Dead(Dead::Unauthorised)) if Instant::now() < end => {}
                        Err(_) => return Err(failure),
                    }
                }
                failure => return Err(failure),
            }
        }
    }

    /// [`Attempt::knock`] with a request that is answered by an authorization.
    pub(crate) async fn authorise<R>(&mut self, request: &R) -> Result<(), LoginError>
    where
        R: RemoteCall<Return = enums::auth::Authorization>,
    {
        match self.knock(request).await? {
            Some(answer) => self.enter(answer),
            None => Ok(()),
        }
    }

    /// Takes an authorization.
    pub(crate) fn enter(&mut self, answer: enums::auth::Authorization) -> Result<(), LoginError> {
        match answer {
            enums::auth::Authorization::Authorization(answer) => {
                self.stage = Stage::Done(Account::of_user(answer.user)?);
                Ok(())
            }
            enums::auth::Authorization::SignUpRequired(_) => Err(LoginError::NoAccount),
        }
    }

    /// The second step, where the account has one. Asks for a fresh challenge each time: Telegram
    /// takes one answer to each.
    pub(crate) async fn check_password(&mut self, password: &SecretString) -> Result<Account, LoginError> {
        let mut stale = 0;
        loop {
            match &self.stage {
                Stage::Open => return Err(LoginError::OutOfTurn),
                Stage::Done(account) => return Ok(account.clone()),
                Stage::Password { .. } => {}
            }
            let enums::account::Password::Password(asked) =
                self.ask(&tl::functions::account::GetPassword {}).await?;
            let password = Challenge::of(asked)?.answer(password).await?;
            let request = tl::functions::auth::CheckPassword { password };
            match self.authorise(&request).await {
                Err(LoginError::Telegram(refusal))
                    if stale == 0
                        && matches!(refusal.name.as_str(), "SRP_ID_INVALID" | "SRP_PASSWORD_CHANGED") =>
                {
                    stale += 1;
                }
                Err(error) => return Err(error),
                // The answer was lost and the account still wants its password.
                Ok(()) if matches!(self.stage, Stage::Password { .. }) => {
                    stale += 1;
                    if stale > 2 {
                        return Err(Unreachable::Connection.into());
                    }
                }
                Ok(()) => {}
            }
        }
    }

    /// Opens a link to another data centre, after the one to the last is closed.
    pub(crate) async fn move_to(&mut self, dc_id: i32) -> Result<(), Failure> {
        self.link.disconnect().await;
        self.link = self.connector.link_to(dc_id).await?;
        Ok(())
    }

    /// Asks what the account wants to hear; its hint is a comfort, not a need.
    pub(crate) async fn password_needed(&mut self) {
        let limit = self.connector.patience.attempt;
        let asked = self
            .link
            .invoke(&tl::functions::account::GetPassword {}, limit)
            .await;
        let hint = match asked {
            Ok(enums::account::Password::Password(asked)) => hint(asked),
            Err(_) => None,
        };
        self.stage = Stage::Password { hint };
    }

    /// What to seal, once logged in.
    pub(crate) fn keys(&self) -> Option<SessionKeys> {
        match &self.stage {
            Stage::Done(account) => self.link.keys(Some(account.user_id)),
            Stage::Open | Stage::Password { .. } => None,
        }
    }

    /// Logs out at Telegram and closes the link.
    pub(crate) async fn log_out(&self) -> Result<(), LoginError> {
        let limit = self.connector.patience.total();
        let outcome = self.link.invoke(&tl::functions::auth::LogOut {}, limit).await;
        self.link.disconnect().await;
        match outcome {
            // Said twice, because the first answer was lost.
            Ok(_) | Err(Failure::Dead(_)) => Ok(()),
            Err(failure) => Err(failure.into()),
        }
    }

    /// Leaves nothing logged in behind, as far as that can be had in a short time, and closes the link.
    pub(crate) async fn abandon(&self) {
        if self.in_doubt || matches!(self.stage, Stage::Done(_)) {
            self.farewell(&tl::functions::auth::LogOut {}).await;
        }
        self.link.disconnect().await;
    }

    /// Says something whose answer does not matter.
    pub(crate) async fn farewell<R: RemoteCall>(&self, request: &R) {
        if let Err(failure) = self
            .link
            .invoke_once(request, self.connector.patience.farewell)
            .await
        {
            tracing::debug!(%failure, "a farewell found no answer");
        }
    }

    async fn look(&mut self, within: Duration) -> Result<(), Failure> {
        let unknown = match self.link.invoke(&who_am_i(), within).await {
            Ok(users) => {
                self.stage = Stage::Done(Account::of_users(users)?);
                return Ok(());
            }
            Err(failure) => failure,
        };
        let halfway = unknown == Dead::Unauthorised.into() || unknown.is("SESSION_PASSWORD_NEEDED");
        if !halfway {
            return Err(unknown);
        }
        // Nobody is logged in; but whoever only owes the password may ask how to prove it.
        let asked = self
            .link
            .invoke(&tl::functions::account::GetPassword {}, within)
            .await;
        match asked {
            Ok(enums::account::Password::Password(asked)) if asked.has_password => {
                self.stage = Stage::Password { hint: hint(asked) };
                Ok(())
            }
            _ => Err(unknown),
        }
    }
}

fn hint(asked: tl::types::account::Password) -> Option<String> {
    asked.hint.filter(|hint| !hint.is_empty())
}

/// What a step of a login leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Logged in.
    Done(Account),
    /// The account has two-step verification.
    PasswordNeeded {
        /// What its owner wrote down as a reminder.
        hint: Option<String>,
    },
}

impl Stage {
    /// The step behind us; none while nothing is decided.
    pub(crate) fn step(&self) -> Option<Step> {
        match self {
            Self::Open => None,
            Self::Password { hint } => Some(Step::PasswordNeeded { hint: hint.clone() }),
            Self::Done(account) => Some(Step::Done(account.clone())),
        }
    }
}

impl From<NotSupported> for LoginError {
    fn from(what: NotSupported) -> Self {
        Self::NotSupported(what)
    }
}

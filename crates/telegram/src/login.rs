//! Logging in with a phone number, a code and, where the account has one, a password.

use grammers_tl_types::{self as tl, enums};
use secrecy::{ExposeSecret as _, SecretString};

use crate::account::Account;
use crate::attempt::{Attempt, Stage, Step};
use crate::code_sent::{CodeSent, Delivery};
use crate::connect::Connector;
use crate::keys::SessionKeys;
use crate::login_error::{LoginError, NotSupported};
use crate::phone::Phone;

/// One login by phone, in memory only. Dropping it cuts the connection; [`Login::finish`],
/// [`Login::log_out`] and [`Login::cancel`] end it in order.
pub struct Login {
    attempt: Attempt,
    phone: Phone,
    sent: CodeSent,
}

impl Login {
    /// Has Telegram send a code (`auth.sendCode`), in the data centre of the account.
    pub async fn start(connector: Connector, phone: &str) -> Result<(Self, CodeSent), LoginError> {
        let phone = Phone::parse(phone).ok_or(LoginError::PhoneInvalid)?;
        let mut attempt = Attempt::begin(connector).await?;
        let request = tl::functions::auth::SendCode {
            phone_number: phone.digits().to_owned(),
            api_id: attempt.connector.api.id,
            api_hash: attempt.connector.api.hash.expose_secret().to_owned(),
            settings: tl::types::CodeSettings {
                allow_flashcall: false,
                current_number: false,
                allow_app_hash: false,
                allow_missed_call: false,
                allow_firebase: false,
                unknown_number: false,
                logout_tokens: None,
                token: None,
                app_sandbox: None,
            }
            .into(),
        };
        let answer = attempt.ask(&request).await;
        match answer.map_err(LoginError::from).and_then(sent) {
            Ok(sent) => {
                let login = Self {
                    attempt,
                    phone,
                    sent: sent.clone(),
                };
                Ok((login, sent))
            }
            Err(error) => {
                if error == LoginError::NotSupported(NotSupported::NoCode) {
                    attempt.farewell(&tl::functions::auth::LogOut {}).await;
                }
                attempt.link.disconnect().await;
                Err(error)
            }
        }
    }

    /// Has the code sent again, by the next way (`auth.resendCode`). The last code is void.
    pub async fn resend(&mut self) -> Result<CodeSent, LoginError> {
        if !matches!(self.attempt.stage, Stage::Open) {
            return Err(LoginError::OutOfTurn);
        }
        let request = tl::functions::auth::ResendCode {
            phone_number: self.phone.digits().to_owned(),
            phone_code_hash: self.sent.phone_code_hash.clone(),
            reason: None,
        };
        // Once: each one uses up a way.
        let limit = self.attempt.connector.patience.total();
        let answer = self.attempt.link.invoke_once(&request, limit).await?;
        self.sent = sent(answer)?;
        Ok(self.sent.clone())
    }

    /// Answers with the code (`auth.signIn`). A wrong one may be followed by another; after
    /// [`Step::PasswordNeeded`] no code is sent any more, whatever is typed.
    pub async fn sign_in(&mut self, code: &str) -> Result<Step, LoginError> {
        if let Some(step) = self.attempt.stage.step() {
            return Ok(step);
        }
        let code = typed(code).ok_or(LoginError::CodeInvalid)?;
        let (phone_code, email_verification) = match self.sent.delivery {
            Delivery::Email { .. } => (None, Some(tl::types::EmailVerificationCode { code }.into())),
            _ => (Some(code), None),
        };
        let request = tl::functions::auth::SignIn {
            phone_number: self.phone.digits().to_owned(),
            phone_code_hash: self.sent.phone_code_hash.clone(),
            phone_code,
            email_verification,
        };
        self.attempt.authorise(&request).await?;
        self.attempt.stage.step().ok_or(LoginError::NotUnderstood)
    }

    /// Answers with the password of two-step verification (`auth.checkPassword`).
    pub async fn check_password(&mut self, password: &SecretString) -> Result<Account, LoginError> {
        self.attempt.check_password(password).await
    }

    /// The code under way.
    pub fn code_sent(&self) -> &CodeSent {
        &self.sent
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

    /// Gives up: voids the code, or logs out what was logged in already, as far as that can be had
    /// in a short time; then closes the connection.
    pub async fn cancel(self) {
        if matches!(self.attempt.stage, Stage::Open) {
            let request = tl::functions::auth::CancelCode {
                phone_number: self.phone.digits().to_owned(),
                phone_code_hash: self.sent.phone_code_hash.clone(),
            };
            self.attempt.farewell(&request).await;
        }
        self.attempt.abandon().await;
    }
}

fn sent(answer: enums::auth::SentCode) -> Result<CodeSent, LoginError> {
    match answer {
        enums::auth::SentCode::Code(sent) => {
            CodeSent::of(sent).ok_or(LoginError::NotSupported(NotSupported::Delivery))
        }
        enums::auth::SentCode::Success(_) => Err(NotSupported::NoCode.into()),
        enums::auth::SentCode::PaymentRequired(_) => Err(NotSupported::Payment.into()),
    }
}

/// A code as Telegram takes it: people type `123 45` and `123-45`, and copy spaces along.
fn typed(code: &str) -> Option<String> {
    let code = code.trim();
    let numeric = code
        .chars()
        .all(|c| c.is_ascii_digit() || c.is_whitespace() || c == '-');
    let code = if numeric {
        code.chars().filter(char::is_ascii_digit).collect()
    } else {
        code.to_owned()
    };
    (!code.is_empty() && code.len() <= 256).then_some(code)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case(" 123 45\n", Some("12345"))]
    #[case("123-45", Some("12345"))]
    #[case("wild green fox", Some("wild green fox"))]
    #[case(" - ", None)]
    #[case("", None)]
    fn codes_as_people_type_them(#[case] code: &str, #[case] sent: Option<&str>) {
        assert_eq!(typed(code).as_deref(), sent);
    }
}

//! Logging in: a code and a password, or a QR code; then the session is kept.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use gleaner_domain::{Code, PhoneNumber, SessionHealth, SessionId, SessionOrigin};
use gleaner_telegram::{CodeSent, Delivery, Login, LoginError, NextDelivery, QrLogin, QrStep, Step};
use qrcode::{EcLevel, QrCode as Squares};
use secrecy::{ExposeSecret as _, SecretString};
use uuid::Uuid;

use crate::logins::{Attempt, LIFE, TempLogin};
use crate::sessions::{NewLogin, account_of, name_of};
use crate::view::{
    CodeDelivery, ContractSession, Finalize, Message, OtpSent, OtpVerified, QrCode, SendOtp, StartQr, Tag,
    TempPassword, TempSession, TempStep, VerifyOtp,
};
use crate::{ApiError, ApiResult, App, PATIENCE_AT_THE_END};

/// How often logins that are too late are looked for.
const SWEEP: Duration = Duration::from_secs(5);
/// Pause after a QR login could not be asked about, and how often in a row that is borne.
const QR_PAUSE: Duration = Duration::from_secs(2);
const QR_SETBACKS: u32 = 5;

impl App {
    /// Has Telegram send a code (step 1).
    pub async fn send_otp(&self, wish: SendOtp) -> ApiResult<OtpSent> {
        let phone: PhoneNumber = wish
            .phone_number
            .parse()
            .map_err(|_| ApiError::new(Code::InvalidPhone, "Invalid phone number"))?;
        let name = self.name_for(&wish.session_name, wish.session_id).await?;
        let connector = self.ready_to_log_in().await?;
        let (login, sent) = Login::start(connector, phone.as_str())
            .await
            .map_err(login_error)?;
        let now = self.0.clock.now();
        let mut shown = temp_session(name, phone.as_str().to_owned(), TempStep::Code, now);
        show_code(&mut shown, &sent, now);
        let temp_session_id = shown.id;
        self.admit(shown, wish.session_id, Attempt::Code(login)).await?;
        Ok(OtpSent {
            message: format!("OTP sent to {}", phone.as_str()),
            temp_session_id,
            phone_code_hash: sent.phone_code_hash,
        })
    }

    /// Answers with the code, and the password if there is one (step 2).
    pub async fn verify_otp(&self, wish: VerifyOtp) -> ApiResult<OtpVerified> {
        let temp = self.temp(wish.temp_session_id)?;
        not_while_shown(&temp)?;
        let mut attempt = temp.attempt.lock().await;
        let step = match attempt.as_mut().ok_or_else(ApiError::temp_session_not_found)? {
            Attempt::Code(login) => self.judged(&temp, login.sign_in(&wish.code).await)?,
            Attempt::Qr(_) => password_step(&temp)?,
        };
        let hint = match step {
            Step::Done(account) => {
                self.logged_in(&temp, &account);
                return Ok(verified());
            }
            Step::PasswordNeeded { hint } => hint,
        };
        // The code was right, so the five minutes begin anew even if the password is not.
        self.password_needed(&temp, hint);
        let Some(password) = wish.password.filter(|word| !word.is_empty()) else {
            return Ok(OtpVerified {
                message: "2FA password required".to_owned(),
                requires_password: true,
            });
        };
        self.check_password(&temp, attempt.as_mut(), password).await?;
        Ok(verified())
    }

    /// Keeps a login for good (step 3).
    pub async fn finalize_session(&self, wish: Finalize) -> ApiResult<ContractSession> {
        let temp = self.temp(wish.temp_session_id)?;
        not_while_shown(&temp)?;
        let mut attempt = temp.attempt.lock().await;
        let shown = temp.shown();
        let keys = match attempt
            .as_ref()
            .ok_or_else(ApiError::temp_session_not_found)?
            .keys()
        {
            Some(keys) if shown.step == TempStep::Ready => keys,
            _ => {
                return Err(ApiError::new(
                    Code::SessionNotVerified,
                    "Session not verified yet",
                ));
            }
        };
        let origin = match attempt.as_ref() {
            Some(Attempt::Qr(_)) => SessionOrigin::Qr,
            _ => SessionOrigin::Otp,
        };
        let new = NewLogin {
            name: shown.session_name,
            phone: shown.phone_number,
            origin,
            api_id: Some(self.connector().await?.api.id),
            account: shown.account,
            health: SessionHealth::Active,
            foreign_address: keys.is_foreign_address(),
            keys,
        };
        // First it is kept, then the connection goes: whatever fails leaves the login as it was.
        let session = self.keep_session(new, temp.replaces).await?;
        if let Some(attempt) = attempt.take() {
            attempt.finish().await;
        }
        drop(attempt);
        self.0.logins.remove(temp.id);
        self.changed(Tag::Sessions, None, None).await;
        Ok(ContractSession::from(&session))
    }

    /// Begins a login by QR code.
    pub async fn start_qr(&self, wish: StartQr) -> ApiResult<TempSession> {
        let name = self.name_for(&wish.session_name, wish.session_id).await?;
        let connector = self.ready_to_log_in().await?;
        let clock = self.0.clock.clone();
        let mut login = QrLogin::start(connector, clock).await.map_err(login_error)?;
        let first = login.next().await.map_err(login_error)?;
        let now = self.0.clock.now();
        let mut shown = temp_session(name, String::new(), TempStep::Qr, now);
        if let QrStep::Show { url, expires_in_s } = &first {
            shown.qr = Some(squares(url, *expires_in_s, now)?);
        }
        let temp = self.admit(shown, wish.session_id, Attempt::Qr(login)).await?;
        let app = self.clone();
        let driven = Arc::clone(&temp);
        self.0.tasks.spawn(async move { app.drive_qr(&driven).await });
        Ok(temp.shown())
    }

    /// A login in progress.
    #[expect(clippy::unused_async, reason = "as every other use case")]
    pub async fn get_temp_session(&self, id: Uuid) -> ApiResult<TempSession> {
        Ok(self.temp(id)?.shown())
    }

    /// Ends a login in progress, at Telegram as well.
    pub async fn cancel_temp_session(&self, id: Uuid) -> ApiResult<Message> {
        let temp = self
            .0
            .logins
            .remove(id)
            .ok_or_else(ApiError::temp_session_not_found)?;
        temp.end().await;
        self.changed(Tag::Sessions, None, None).await;
        Ok(Message {
            message: "Login cancelled".to_owned(),
        })
    }

    /// Has another code sent, by the next way.
    pub async fn resend_code(&self, id: Uuid) -> ApiResult<TempSession> {
        let temp = self.temp(id)?;
        let mut attempt = temp.attempt.lock().await;
        let Some(Attempt::Code(login)) = attempt.as_mut() else {
            return Err(ApiError::new(Code::InvalidInput, "A QR login has no code"));
        };
        let sent = self.judged(&temp, login.resend().await)?;
        let now = self.0.clock.now();
        temp.change(|shown| {
            show_code(shown, &sent, now);
            shown.expires_at = now + LIFE;
        });
        Ok(temp.shown())
    }

    /// The password, after a QR code was scanned or a code was right.
    pub async fn give_temp_password(&self, id: Uuid, wish: TempPassword) -> ApiResult<TempSession> {
        let temp = self.temp(id)?;
        password_step(&temp)?;
        let mut attempt = temp.attempt.lock().await;
        self.check_password(&temp, attempt.as_mut(), wish.password)
            .await?;
        Ok(temp.shown())
    }

    /// Ends all logins in progress: the app quits.
    pub(crate) async fn end_logins(&self) {
        let all = self.0.logins.remove_all();
        let ended = futures::future::join_all(all.iter().map(|temp| temp.end()));
        // A step under way holds its login for as long as Telegram takes to answer.
        if tokio::time::timeout(PATIENCE_AT_THE_END, ended).await.is_err() {
            tracing::warn!("some logins in progress could not be logged out at Telegram in time");
        }
    }

    /// Ends logins whose time is over, for as long as the app runs.
    pub(crate) fn sweep_logins(&self) {
        let app = self.clone();
        self.0.tasks.spawn(async move {
            loop {
                tokio::select! {
                    () = app.0.stop.cancelled() => return,
                    () = tokio::time::sleep(SWEEP) => {}
                }
                let late = app.0.logins.remove_late(app.0.clock.now());
                if !late.is_empty() {
                    app.changed(Tag::Sessions, None, None).await;
                }
                for temp in late {
                    temp.end().await;
                }
            }
        });
    }

    async fn ready_to_log_in(&self) -> ApiResult<gleaner_telegram::Connector> {
        self.open_for_writing()?;
        if self.0.logins.is_full() {
            return Err(too_many());
        }
        let connector = self.connector().await?;
        // Better now than after the code: without the key nothing could be kept.
        self.vault_to_seal().await?;
        Ok(connector)
    }

    async fn admit(
        &self,
        shown: TempSession,
        replaces: Option<SessionId>,
        attempt: Attempt,
    ) -> ApiResult<Arc<TempLogin>> {
        let admitted = self.0.logins.add(shown, replaces, attempt).ok_or_else(too_many)?;
        self.changed(Tag::Sessions, None, None).await;
        Ok(admitted)
    }

    fn temp(&self, id: Uuid) -> ApiResult<Arc<TempLogin>> {
        self.0
            .logins
            .find(id, self.0.clock.now())
            .ok_or_else(ApiError::temp_session_not_found)
    }

    /// The name a session will have: free, or that of the session that is logged in again.
    async fn name_for(&self, name: &str, replaces: Option<SessionId>) -> ApiResult<String> {
        let name = match replaces {
            Some(id) => {
                let session = self.0.store.session(id).await?;
                return Ok(session.session_name);
            }
            None => name_of(name)?,
        };
        self.refuse_taken_name(&name).await?;
        if self.0.logins.has_name(&name, self.0.clock.now()) {
            return Err(ApiError::new(
                Code::DuplicateSession,
                format!("{name} is the name of a login in progress"),
            ));
        }
        Ok(name)
    }

    async fn check_password(
        &self,
        temp: &TempLogin,
        attempt: Option<&mut Attempt>,
        password: String,
    ) -> ApiResult<()> {
        let password = SecretString::from(password);
        let account = match attempt.ok_or_else(ApiError::temp_session_not_found)? {
            Attempt::Code(login) => login.check_password(&password).await,
            Attempt::Qr(login) => login.check_password(&password).await,
        };
        if account == Err(LoginError::PasswordInvalid) && !temp.may_try_again() {
            return Err(self.locked_out(temp));
        }
        let account = self.judged(temp, account)?;
        self.logged_in(temp, &account);
        Ok(())
    }

    /// Ends a login after too many wrong passwords.
    fn locked_out(&self, temp: &TempLogin) -> ApiError {
        if let Some(temp) = self.0.logins.remove(temp.id) {
            // Not here: whoever asked still holds it.
            self.0.tasks.spawn(async move { temp.end().await });
        }
        let mut error = login_error(LoginError::PasswordInvalid);
        error.hint = Some("That was the third wrong password: this login is over. Start again.".to_owned());
        error
    }

    fn logged_in(&self, temp: &TempLogin, account: &gleaner_telegram::Account) {
        let account = account_of(account);
        let expires_at = self.0.clock.now() + LIFE;
        temp.change(|shown| {
            if shown.phone_number.is_empty() {
                shown.phone_number = account.phone_number.clone().unwrap_or_default();
            }
            shown.account = Some(account);
            shown.step = TempStep::Ready;
            shown.qr = None;
            shown.problem = None;
            shown.expires_at = expires_at;
        });
    }

    fn password_needed(&self, temp: &TempLogin, hint: Option<String>) {
        let expires_at = self.0.clock.now() + LIFE;
        temp.change(|shown| {
            if shown.step != TempStep::Password {
                shown.expires_at = expires_at;
            }
            shown.step = TempStep::Password;
            shown.password_hint = hint.filter(|hint| !hint.is_empty());
            shown.qr = None;
        });
    }

    /// A login that Telegram has forgotten is over here, too.
    fn judged<T>(&self, temp: &TempLogin, outcome: Result<T, LoginError>) -> ApiResult<T> {
        outcome.map_err(|error| {
            if matches!(error, LoginError::Forgotten | LoginError::Dead(_)) {
                self.0.logins.remove(temp.id);
            }
            login_error(error)
        })
    }

    /// Shows one QR code after the other until one is scanned.
    async fn drive_qr(&self, temp: &TempLogin) {
        let mut setbacks = 0;
        loop {
            let mut attempt = temp.attempt.lock().await;
            let Some(Attempt::Qr(login)) = attempt.as_mut() else {
                return;
            };
            let step = tokio::select! {
                step = login.next() => step,
                () = temp.over.cancelled() => return,
                () = self.0.stop.cancelled() => return,
            };
            drop(attempt);
            let now = self.0.clock.now();
            match step {
                Ok(QrStep::Show { url, expires_in_s }) => {
                    setbacks = 0;
                    if let Ok(qr) = squares(&url, expires_in_s, now) {
                        temp.change(|shown| {
                            shown.qr = Some(qr);
                            shown.problem = None;
                        });
                    }
                }
                Ok(QrStep::PasswordNeeded { hint }) => {
                    self.password_needed(temp, hint);
                    self.changed(Tag::Sessions, None, None).await;
                    return;
                }
                Ok(QrStep::Done(account)) => {
                    self.logged_in(temp, &account);
                    self.changed(Tag::Sessions, None, None).await;
                    return;
                }
                Err(error) => {
                    setbacks += 1;
                    let error = login_error(error);
                    tracing::warn!(code = %error.code, "a QR login met a setback");
                    temp.change(|shown| shown.problem = Some(error.detail.clone()));
                    if setbacks >= QR_SETBACKS {
                        temp.change(|shown| shown.qr = None);
                        return;
                    }
                    tokio::select! {
                        () = tokio::time::sleep(QR_PAUSE) => {}
                        () = temp.over.cancelled() => return,
                        () = self.0.stop.cancelled() => return,
                    }
                }
            }
        }
    }
}

/// Whoever shows a QR code holds the login until it is scanned or replaced: nobody is to wait for that.
fn not_while_shown(temp: &TempLogin) -> ApiResult<()> {
    if temp.shown().step == TempStep::Qr {
        return Err(ApiError::new(
            Code::SessionNotVerified,
            "Session not verified yet",
        ));
    }
    Ok(())
}

fn password_step(temp: &TempLogin) -> ApiResult<Step> {
    let shown = temp.shown();
    match shown.step {
        TempStep::Password | TempStep::Ready => Ok(Step::PasswordNeeded {
            hint: shown.password_hint,
        }),
        TempStep::Code | TempStep::Qr => Err(ApiError::new(
            Code::SessionNotVerified,
            "Session not verified yet",
        )),
    }
}

fn verified() -> OtpVerified {
    OtpVerified {
        message: "Authentication successful. Ready to finalize.".to_owned(),
        requires_password: false,
    }
}

fn too_many() -> ApiError {
    ApiError::new(
        Code::AlreadyRunning,
        "Too many logins are in progress: finish or cancel one first",
    )
}

fn temp_session(
    session_name: String,
    phone_number: String,
    step: TempStep,
    now: DateTime<Utc>,
) -> TempSession {
    TempSession {
        id: Uuid::new_v4(),
        session_name,
        phone_number,
        step,
        expires_at: now + LIFE,
        delivery: None,
        code_length: None,
        resend_at: None,
        next_delivery: None,
        password_hint: None,
        qr: None,
        account: None,
        problem: None,
    }
}

fn show_code(shown: &mut TempSession, sent: &CodeSent, now: DateTime<Utc>) {
    shown.delivery = Some(match sent.delivery {
        Delivery::App => CodeDelivery::App,
        Delivery::Sms | Delivery::SmsWord { .. } | Delivery::SmsPhrase { .. } => CodeDelivery::Sms,
        Delivery::Call => CodeDelivery::Call,
        Delivery::FlashCall { .. } | Delivery::MissedCall { .. } => CodeDelivery::MissedCall,
        Delivery::Email { .. } => CodeDelivery::Email,
        Delivery::Fragment { .. } => CodeDelivery::Fragment,
    });
    shown.code_length = sent.length;
    shown.next_delivery = sent.next.as_ref().map(|next| match next {
        NextDelivery::Sms => CodeDelivery::Sms,
        NextDelivery::Call => CodeDelivery::Call,
        NextDelivery::FlashCall | NextDelivery::MissedCall => CodeDelivery::MissedCall,
        NextDelivery::Fragment => CodeDelivery::Fragment,
    });
    let wait = TimeDelta::seconds(i64::from(sent.resend_after_s.unwrap_or(0)));
    shown.resend_at = sent.next.as_ref().map(|_| now + wait);
}

fn squares(url: &SecretString, expires_in_s: u32, now: DateTime<Utc>) -> ApiResult<QrCode> {
    let code = Squares::with_error_correction_level(url.expose_secret().as_bytes(), EcLevel::M)
        .map_err(|_| ApiError::new(Code::Internal, "The QR code could not be drawn"))?;
    let width = code.width();
    let colours = code.to_colors();
    let row = |row: &[qrcode::Color]| row.iter().map(|colour| colour.select('1', '0')).collect();
    Ok(QrCode {
        rows: colours.chunks(width).map(row).collect(),
        expires_at: now + TimeDelta::seconds(i64::from(expires_in_s)),
    })
}

/// The contract's words for what Telegram holds against a login.
#[expect(clippy::needless_pass_by_value, reason = "maps errors by its bare name")]
pub(crate) fn login_error(error: LoginError) -> ApiError {
    let hint = error.hint().map(str::to_owned);
    let (code, detail) = match &error {
        LoginError::PhoneInvalid | LoginError::NoAccount => {
            (Code::InvalidPhone, "Invalid phone number".to_owned())
        }
        LoginError::PhoneBanned => (Code::PhoneBanned, "Invalid phone number".to_owned()),
        LoginError::CodeInvalid | LoginError::CodeExpired => {
            (Code::InvalidCode, "Invalid OTP code".to_owned())
        }
        LoginError::PasswordInvalid => (Code::InvalidPassword, "Invalid password".to_owned()),
        LoginError::Forgotten | LoginError::Dead(_) => return ApiError::temp_session_not_found(),
        LoginError::OutOfTurn => (Code::SessionNotVerified, "Session not verified yet".to_owned()),
        LoginError::FloodWait { seconds } => {
            let mut wait = ApiError::new(
                Code::FloodWait,
                format!("Too many attempts. Try again in {seconds} seconds"),
            );
            wait.hint = None;
            wait.retry_after_s = Some(u64::from(*seconds));
            return wait;
        }
        LoginError::TooManyAttempts | LoginError::NoFurtherCode => (Code::FloodWait, sentence(&error)),
        LoginError::ApiInvalid => (Code::ApiInvalid, sentence(&error)),
        LoginError::Unreachable(_) => (Code::Unreachable, sentence(&error)),
        LoginError::NotSupported(_) | LoginError::Telegram(_) | LoginError::NotUnderstood => {
            (Code::NotAvailable, sentence(&error))
        }
    };
    let mut told = ApiError::new(code, detail);
    told.hint = hint.or(told.hint);
    told
}

/// An error's words as a sentence begins.
pub(crate) fn sentence(error: &dyn std::error::Error) -> String {
    let text = error.to_string();
    let mut letters = text.chars();
    letters
        .next()
        .map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

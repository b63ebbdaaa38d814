//! Logging in by code: `auth.sendCode`, `resendCode`, `cancelCode`, `signIn`, `logOut`, and taking a
//! login to another data centre.

use std::collections::HashMap;

use grammers_tl_types as tl;
use tl::{enums, functions, types};

use super::accounts::digits;
use super::answer::{Answer, RpcError, arguments, refuse, say};
use super::dispatch::Caller;
use super::keys::Login;

/// How a code travels; the next way is what `resendCode` gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CodeWay {
    /// To the other devices of the account.
    #[default]
    App,
    /// By SMS.
    Sms,
    /// By a call.
    Call,
}

impl CodeWay {
    fn sent(self, length: i32) -> enums::auth::SentCodeType {
        match self {
            Self::App => types::auth::SentCodeTypeApp { length }.into(),
            Self::Sms => types::auth::SentCodeTypeSms { length }.into(),
            Self::Call => types::auth::SentCodeTypeCall { length }.into(),
        }
    }

    fn next(self) -> Option<Self> {
        match self {
            Self::App => Some(Self::Sms),
            Self::Sms => Some(Self::Call),
            Self::Call => None,
        }
    }
}

/// A code under way.
#[derive(Debug, Clone)]
pub(super) struct SentCode {
    phone: String,
    way: CodeWay,
    /// Unix seconds.
    pub(super) expires: i64,
}

/// Codes under way, by data centre, key and hash.
pub(super) type SentCodes = HashMap<(i64, String), SentCode>;

pub(super) fn send_code(caller: &Caller<'_>, query: &[u8]) -> Answer {
    let request: functions::auth::SendCode = arguments(query)?;
    caller
        .shared
        .options
        .check_api(request.api_id, &request.api_hash)?;
    let phone = digits(&request.phone_number).ok_or_else(|| refuse(400, "PHONE_NUMBER_INVALID"))?;
    let mut state = caller.shared.state();
    caller.key(&state)?.may_log_in()?;
    if let Some(account) = state.accounts.by_phone(&phone) {
        if account.banned {
            return Err(refuse(400, "PHONE_NUMBER_BANNED"));
        }
        if account.home_dc != caller.dc_id {
            return Err(refuse(303, format!("PHONE_MIGRATE_{}", account.home_dc)));
        }
        if let Some(seconds) = account.flood_s {
            return Err(refuse(420, format!("FLOOD_WAIT_{seconds}")));
        }
    }
    let hash = hex(&rand::random::<[u8; 9]>());
    let code = SentCode {
        phone,
        way: state.code_way,
        expires: caller.shared.now() + caller.shared.options.code_ttl_s,
    };
    let answer = sent(caller, &code, &hash);
    state.codes.insert((caller.key_id, hash), code);
    Ok(answer)
}

pub(super) fn resend_code(caller: &Caller<'_>, query: &[u8]) -> Answer {
    let request: functions::auth::ResendCode = arguments(query)?;
    let expires = caller.shared.now() + caller.shared.options.code_ttl_s;
    let mut state = caller.shared.state();
    let slot = (caller.key_id, request.phone_code_hash);
    let code = state
        .codes
        .get_mut(&slot)
        .filter(|code| Some(&code.phone) == digits(&request.phone_number).as_ref())
        .ok_or_else(|| refuse(400, "PHONE_CODE_EXPIRED"))?;
    code.way = code
        .way
        .next()
        .ok_or_else(|| refuse(400, "SEND_CODE_UNAVAILABLE"))?;
    code.expires = expires;
    Ok(sent(caller, code, &slot.1))
}

pub(super) fn cancel_code(caller: &Caller<'_>, query: &[u8]) -> Answer {
    let request: functions::auth::CancelCode = arguments(query)?;
    let slot = (caller.key_id, request.phone_code_hash);
    let known = caller.shared.state().codes.remove(&slot).is_some();
    known
        .then(|| say(&true))
        .ok_or_else(|| refuse(400, "PHONE_CODE_EXPIRED"))
}

fn sent(caller: &Caller<'_>, code: &SentCode, hash: &str) -> Vec<u8> {
    let next = code.way.next().map(|way| match way {
        CodeWay::App | CodeWay::Sms => enums::auth::CodeType::Sms,
        CodeWay::Call => enums::auth::CodeType::Call,
    });
    let sent = types::auth::SentCode {
        r#type: code.way.sent(5),
        phone_code_hash: hash.to_owned(),
        timeout: next.as_ref().map(|_| caller.shared.options.resend_after_s),
        next_type: next,
    };
    say(&enums::auth::SentCode::from(sent))
}

pub(super) fn sign_in(caller: &Caller<'_>, query: &[u8]) -> Answer {
    let request: functions::auth::SignIn = arguments(query)?;
    let phone = digits(&request.phone_number).ok_or_else(|| refuse(400, "PHONE_NUMBER_INVALID"))?;
    let given = request.phone_code.filter(|code| !code.is_empty());
    let given = given.ok_or_else(|| refuse(400, "PHONE_CODE_EMPTY"))?;
    let now = caller.shared.now();
    let mut state = caller.shared.state();
    caller.key(&state)?.may_log_in()?;
    let slot = (caller.key_id, request.phone_code_hash);
    let known = state
        .codes
        .get(&slot)
        .is_some_and(|code| code.phone == phone && code.expires > now);
    if !known {
        return Err(refuse(400, "PHONE_CODE_EXPIRED"));
    }
    let account = state.accounts.by_phone(&phone);
    // Numbers without an account get the same code as everybody else.
    let expected = account.map_or("12345", |account| &account.code);
    if given != expected {
        return Err(refuse(400, "PHONE_CODE_INVALID"));
    }
    let found = account.map(|account| (account.user_id, account.password.is_some()));
    // A code that was right is used up, also when a password is still owed.
    state.codes.remove(&slot);
    drop(state);
    match found {
        None => {
            let terms = types::auth::AuthorizationSignUpRequired {
                terms_of_service: None,
            };
            Ok(say(&enums::auth::Authorization::from(terms)))
        }
        Some((user, true)) => Err(caller.owe_password(user)),
        Some((user, false)) => caller.log_in(user),
    }
}

impl Caller<'_> {
    /// Binds the key to the account: the answer to a login that is complete.
    pub(super) fn log_in(&self, user: i64) -> Answer {
        let authorization = self.authorize(user)?;
        Ok(say(&authorization))
    }

    pub(super) fn authorize(&self, user: i64) -> Result<enums::auth::Authorization, RpcError> {
        let mut state = self.shared.state();
        let key = state.keys.get_mut(self.key_id);
        key.ok_or_else(|| refuse(401, "AUTH_KEY_UNREGISTERED"))?
            .log_in(user);
        authorization(&state, user)
    }

    /// Notes whose password is owed: the answer to a login that is half done.
    pub(super) fn owe_password(&self, user: i64) -> RpcError {
        if let Some(key) = self.shared.state().keys.get_mut(self.key_id) {
            key.login = Login::PasswordOwed(user);
        }
        refuse(401, "SESSION_PASSWORD_NEEDED")
    }
}

pub(super) fn authorization(state: &super::State, user: i64) -> Result<enums::auth::Authorization, RpcError> {
    let account = state.accounts.by_id(user);
    let account = account.ok_or_else(|| refuse(400, "USER_ID_INVALID"))?;
    Ok(types::auth::Authorization {
        setup_password_required: false,
        otherwise_relogin_days: None,
        tmp_sessions: None,
        future_auth_token: None,
        user: super::users::user(account, true),
    }
    .into())
}

pub(super) fn log_out(caller: &Caller<'_>) -> Answer {
    caller.user()?;
    let mut state = caller.shared.state();
    if let Some(key) = state.keys.get_mut(caller.key_id) {
        key.login = Login::Nobody;
    }
    let gone = types::auth::LoggedOut {
        future_auth_token: None,
    };
    Ok(say(&enums::auth::LoggedOut::from(gone)))
}

/// Logins on their way to another data centre: account, target and secret.
pub(super) type Exports = HashMap<Vec<u8>, (i64, i32)>;

pub(super) fn export_authorization(caller: &Caller<'_>, query: &[u8]) -> Answer {
    let request: functions::auth::ExportAuthorization = arguments(query)?;
    let user = caller.user()?;
    if request.dc_id == caller.dc_id || !caller.shared.has_dc(request.dc_id) {
        return Err(refuse(400, "DC_ID_INVALID"));
    }
    let secret = rand::random::<[u8; 64]>().to_vec();
    let mut state = caller.shared.state();
    state.exports.insert(secret.clone(), (user, request.dc_id));
    let exported = types::auth::ExportedAuthorization {
        id: user,
        bytes: secret,
    };
    Ok(say(&enums::auth::ExportedAuthorization::from(exported)))
}

pub(super) fn import_authorization(caller: &Caller<'_>, query: &[u8]) -> Answer {
    let request: functions::auth::ImportAuthorization = arguments(query)?;
    let exported = caller.shared.state().exports.remove(&request.bytes);
    match exported {
        Some((user, dc_id)) if user == request.id && dc_id == caller.dc_id => caller.log_in(user),
        _ => Err(refuse(400, "AUTH_BYTES_INVALID")),
    }
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

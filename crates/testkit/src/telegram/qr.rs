//! Logging in by QR code (<https://core.telegram.org/api/qr-login>): a token is shown, another device
//! of the account accepts it, and the key that showed it is logged in.

use std::collections::HashMap;

use grammers_tl_types as tl;
use tl::{enums, functions, types};

use super::answer::{Answer, arguments, refuse, say};
use super::dispatch::Caller;
use super::{Shared, State};

/// A token that was shown.
#[derive(Debug, Clone)]
pub(super) struct Token {
    /// Counts up, so that the newest can be told.
    number: usize,
    /// The key that showed it.
    key_id: i64,
    /// Unix seconds.
    pub(super) expires: i64,
    except: Vec<i64>,
    /// The account whose device scanned it.
    accepted: Option<i64>,
}

/// Tokens by what the QR code holds.
pub(super) type Tokens = HashMap<Vec<u8>, Token>;

/// Why another device could not accept a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AcceptError {
    /// Nobody has this phone.
    NoAccount,
    /// AUTH_TOKEN_INVALIDX: no such token.
    Invalid,
    /// AUTH_TOKEN_EXPIRED.
    Expired,
    /// AUTH_TOKEN_ALREADY_ACCEPTED.
    AlreadyAccepted,
    /// AUTH_TOKEN_EXCEPTION: the client said it is logged in to this account already.
    Excepted,
}

impl AcceptError {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::NoAccount => "PHONE_NUMBER_UNOCCUPIED",
            Self::Invalid => "AUTH_TOKEN_INVALIDX",
            Self::Expired => "AUTH_TOKEN_EXPIRED",
            Self::AlreadyAccepted => "AUTH_TOKEN_ALREADY_ACCEPTED",
            Self::Excepted => "AUTH_TOKEN_EXCEPTION",
        }
    }
}

impl std::fmt::Display for AcceptError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

impl std::error::Error for AcceptError {}

/// Another device of the account scans the code; the client that shows it is told.
pub(super) fn accept(shared: &Shared, token: &[u8], user: i64) -> Result<(), AcceptError> {
    let now = shared.now();
    let mut state = shared.state();
    let found = state.tokens.get_mut(token).ok_or(AcceptError::Invalid)?;
    if found.expires <= now {
        return Err(AcceptError::Expired);
    }
    if found.accepted.is_some() {
        return Err(AcceptError::AlreadyAccepted);
    }
    if found.except.contains(&user) {
        return Err(AcceptError::Excepted);
    }
    found.accepted = Some(user);
    let key_id = found.key_id;
    let update = types::UpdateShort {
        update: enums::Update::LoginToken,
        date: now as i32,
    };
    state
        .connections
        .tell(key_id, &say(&enums::Updates::from(update)));
    Ok(())
}

/// The token that was shown last and is neither accepted nor expired.
pub(super) fn newest(shared: &Shared) -> Option<Vec<u8>> {
    let now = shared.now();
    let state = shared.state();
    let open = state
        .tokens
        .iter()
        .filter(|(_, token)| token.accepted.is_none() && token.expires > now);
    let newest = open.max_by_key(|(_, token)| token.number)?;
    Some(newest.0.clone())
}

pub(super) fn export_login_token(caller: &Caller<'_>, query: &[u8]) -> Answer {
    let request: functions::auth::ExportLoginToken = arguments(query)?;
    caller
        .shared
        .options
        .check_api(request.api_id, &request.api_hash)?;
    let now = caller.shared.now();
    let mut state = caller.shared.state();
    let key = caller.key(&state)?;
    key.may_log_in()?;
    // Who is logged in already is told so again.
    if let Ok(user) = key.user() {
        return Ok(success(super::login::authorization(&state, user)?));
    }
    if let Some((token, user)) = take_accepted(&mut state, caller.key_id) {
        let home = state
            .accounts
            .by_id(user)
            .map_or(caller.dc_id, |account| account.home_dc);
        if home != caller.dc_id {
            // The token itself opens the door there; whoever brings it.
            state.arrivals.insert(token.clone(), (user, home));
            let elsewhere = types::auth::LoginTokenMigrateTo { dc_id: home, token };
            return Ok(say(&enums::auth::LoginToken::from(elsewhere)));
        }
        drop(state);
        return enter(caller, user);
    }
    let token = rand::random::<[u8; 32]>().to_vec();
    let number = state
        .tokens
        .values()
        .map(|token| token.number + 1)
        .max()
        .unwrap_or(0);
    let expires = now + caller.shared.options.login_token_ttl_s;
    state.tokens.insert(
        token.clone(),
        Token {
            number,
            key_id: caller.key_id,
            expires,
            except: request.except_ids,
            accepted: None,
        },
    );
    let shown = types::auth::LoginToken {
        expires: expires as i32,
        token,
    };
    Ok(say(&enums::auth::LoginToken::from(shown)))
}

pub(super) fn import_login_token(caller: &Caller<'_>, query: &[u8]) -> Answer {
    let request: functions::auth::ImportLoginToken = arguments(query)?;
    let mut state = caller.shared.state();
    caller.key(&state)?.may_log_in()?;
    match state.arrivals.get(&request.token) {
        Some((user, dc_id)) if *dc_id == caller.dc_id => {
            let user = *user;
            state.arrivals.remove(&request.token);
            drop(state);
            enter(caller, user)
        }
        _ => Err(refuse(400, "AUTH_TOKEN_INVALID")),
    }
}

/// `auth.acceptLoginToken`, from a device that speaks MTProto itself.
pub(super) fn accept_login_token(caller: &Caller<'_>, query: &[u8]) -> Answer {
    let request: functions::auth::AcceptLoginToken = arguments(query)?;
    let user = caller.user()?;
    accept(caller.shared, &request.token, user).map_err(|error| refuse(400, error.name()))?;
    let now = caller.shared.now() as i32;
    let device = types::Authorization {
        current: false,
        official_app: false,
        password_pending: false,
        encrypted_requests_disabled: true,
        call_requests_disabled: true,
        unconfirmed: false,
        hash: rand::random(),
        device_model: "Unknown".into(),
        platform: String::new(),
        system_version: String::new(),
        api_id: 1,
        app_name: "Unknown".into(),
        app_version: String::new(),
        date_created: now,
        date_active: now,
        ip: "127.0.0.1".into(),
        country: String::new(),
        region: String::new(),
    };
    Ok(say(&enums::Authorization::from(device)))
}

fn take_accepted(state: &mut State, key_id: i64) -> Option<(Vec<u8>, i64)> {
    let (token, user) = state
        .tokens
        .iter()
        .filter(|(_, token)| token.key_id == key_id)
        .find_map(|(bytes, token)| Some((bytes.clone(), token.accepted?)))?;
    state.tokens.remove(&token);
    Some((token, user))
}

fn enter(caller: &Caller<'_>, user: i64) -> Answer {
    let owes = {
        let state = caller.shared.state();
        state
            .accounts
            .by_id(user)
            .is_some_and(|account| account.password.is_some())
    };
    if owes {
        return Err(caller.owe_password(user));
    }
    Ok(success(caller.authorize(user)?))
}

fn success(authorization: enums::auth::Authorization) -> Vec<u8> {
    say(&enums::auth::LoginToken::from(types::auth::LoginTokenSuccess {
        authorization,
    }))
}

//! The control port's side of the simulated Telegram, under `/control/telegram`.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::routing::{get, post};
use axum::{Json, Router};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde::Deserialize;
use serde_json::{Value, json};

use super::keys::Login;
use super::{Account, CodeWay, KeyStanding, LoginKey, Shared, TelegramFault, TelegramServer, accounts, qr};
use crate::control::{Answer, Refusal};

pub(crate) fn router(telegram: &TelegramServer) -> Router {
    Router::new()
        .route("/control/telegram", get(overview))
        .route("/control/telegram/journal", get(journal))
        .route("/control/telegram/key", post(key))
        .route("/control/telegram/logged-in-key", post(logged_in_key))
        .route("/control/telegram/accept", post(accept))
        .route("/control/telegram/standing", post(standing))
        .route("/control/telegram/change-salt", post(change_salt))
        .route("/control/telegram/account", post(account))
        .route("/control/telegram/code-way", post(code_way))
        .route("/control/telegram/expire-logins", post(expire_logins))
        .route("/control/telegram/fault", post(fault))
        .route("/control/telegram/latency", post(latency))
        .route("/control/telegram/clear-faults", post(clear_faults))
        .route("/control/telegram/drop-connections", post(drop_connections))
        .route("/control/telegram/reset-calls", post(reset_calls))
        .with_state(telegram.shared())
}

type Telegram = State<Arc<Shared>>;

fn done() -> Json<Value> {
    Json(json!({}))
}

fn nobody(phone: &str) -> Refusal {
    Refusal::NotFound(format!("nobody has the phone {phone}"))
}

async fn overview(State(shared): Telegram) -> Json<Value> {
    let dcs = shared.addresses.iter().map(|(dc_id, address)| {
        json!({ "dc_id": dc_id, "host": address.ip().to_string(), "port": address.port() })
    });
    let state = shared.state();
    let accounts = state.accounts.all().iter().map(|account| {
        json!({
            "phone": format!("+{}", account.phone()),
            "user_id": account.user_id(),
            "home_dc": account.home_dc,
            "code": account.code,
            "has_password": account.password.is_some(),
        })
    });
    Json(json!({ "dcs": dcs.collect::<Vec<_>>(), "accounts": accounts.collect::<Vec<_>>() }))
}

/// Calls in order of arrival, connections by key, and how many faults struck.
async fn journal(State(shared): Telegram) -> Json<Value> {
    let state = shared.state();
    let keys = state.connections.by_key();
    let keys = keys.map(|(id, open, most)| json!({ "key_id": id.to_string(), "open": open, "most": most }));
    Json(json!({
        "calls": shared.journal.calls(),
        "connections": state.connections.open(),
        "keys": keys.collect::<Vec<_>>(),
        "faults_struck": shared.faults.struck(),
    }))
}

#[derive(Deserialize)]
struct NewKey {
    dc: i32,
}

async fn key(State(shared): Telegram, Json(order): Json<NewKey>) -> Answer {
    let key = shared.login_key(order.dc, Login::Nobody);
    key.map(|key| Json(described(&key)))
        .ok_or_else(|| Refusal::NotFound(format!("there is no data centre {}", order.dc)))
}

#[derive(Deserialize)]
struct Whose {
    phone: String,
}

async fn logged_in_key(State(shared): Telegram, Json(order): Json<Whose>) -> Answer {
    let (user, home) = shared.find(&order.phone).ok_or_else(|| nobody(&order.phone))?;
    let key = shared.login_key(home, Login::User(user));
    key.map(|key| Json(described(&key)))
        .ok_or_else(|| Refusal::NotFound(format!("there is no data centre {home}")))
}

fn described(key: &LoginKey) -> Value {
    json!({
        "dc_id": key.dc_id,
        "host": key.address.ip().to_string(),
        "port": key.address.port(),
        "auth_key": STANDARD.encode(key.auth_key),
        "key_id": key.id().to_string(),
    })
}

#[derive(Deserialize)]
struct Accept {
    /// What the QR code holds, `tg://login?token=…` or the token alone; the newest one when absent.
    url: Option<String>,
    phone: String,
}

async fn accept(State(shared): Telegram, Json(order): Json<Accept>) -> Answer {
    let token = match &order.url {
        Some(url) => {
            let text = url.rsplit("token=").next().unwrap_or(url).trim_end_matches('=');
            let token = URL_SAFE_NO_PAD.decode(text);
            token.map_err(|_| Refusal::Bad("url: not a login token"))?
        }
        None => qr::newest(&shared).ok_or_else(|| Refusal::NotFound("no QR code is shown".to_owned()))?,
    };
    let accepted = shared.accept(&token, &order.phone);
    accepted
        .map(|()| done())
        .map_err(|error| Refusal::Conflict(error.to_string()))
}

#[derive(Deserialize)]
struct SetStanding {
    /// One key, by its id.
    key_id: Option<String>,
    /// Or every key that is logged in to an account.
    phone: Option<String>,
    standing: KeyStanding,
}

async fn standing(State(shared): Telegram, Json(order): Json<SetStanding>) -> Answer {
    let changed = match (&order.key_id, &order.phone) {
        (Some(id), _) => {
            let id = parsed(id)?;
            usize::from(shared.state().keys.set_standing(id, order.standing))
        }
        (None, Some(phone)) => {
            let (user, _) = shared.find(phone).ok_or_else(|| nobody(phone))?;
            shared.state().keys.set_standing_of(user, order.standing)
        }
        (None, None) => return Err(Refusal::Bad("key_id or phone: one of them is needed")),
    };
    Ok(Json(json!({ "changed": changed })))
}

#[derive(Deserialize)]
struct OneKey {
    key_id: String,
}

async fn change_salt(State(shared): Telegram, Json(order): Json<OneKey>) -> Answer {
    let id = parsed(&order.key_id)?;
    let changed = shared.state().keys.change_salt(id);
    changed
        .then(done)
        .ok_or_else(|| Refusal::NotFound(format!("there is no key {id}")))
}

fn parsed(key_id: &str) -> Result<i64, Refusal> {
    key_id
        .parse()
        .map_err(|_| Refusal::Bad("key_id: a number in a string"))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewAccount {
    phone: String,
    user_id: i64,
    first_name: String,
    last_name: Option<String>,
    username: Option<String>,
    code: Option<String>,
    password: Option<String>,
    #[serde(default)]
    hint: String,
    home_dc: Option<i32>,
    #[serde(default)]
    banned: bool,
    flood_s: Option<u32>,
}

/// Adds an account, in place of one with the same phone.
async fn account(State(shared): Telegram, Json(order): Json<NewAccount>) -> Answer {
    if accounts::digits(&order.phone).is_none() || order.user_id <= 0 {
        return Err(Refusal::Bad(
            "phone, user_id: a phone number and a positive number",
        ));
    }
    let mut account = Account::new(&order.phone, order.user_id, &order.first_name);
    account.last_name = order.last_name;
    account.username = order.username;
    account.banned = order.banned;
    account.flood_s = order.flood_s;
    if let Some(code) = &order.code {
        account = account.code(code);
    }
    if let Some(password) = &order.password {
        account = account.password(password, &order.hint);
    }
    if let Some(home_dc) = order.home_dc {
        account = account.home_dc(home_dc);
    }
    shared.state().accounts.put(account);
    Ok(done())
}

#[derive(Deserialize)]
struct SetCodeWay {
    way: CodeWay,
}

async fn code_way(State(shared): Telegram, Json(order): Json<SetCodeWay>) -> Json<Value> {
    shared.state().code_way = order.way;
    done()
}

async fn expire_logins(State(shared): Telegram) -> Json<Value> {
    shared.expire_logins();
    done()
}

async fn fault(State(shared): Telegram, Json(order): Json<TelegramFault>) -> Json<Value> {
    shared.faults.add(order);
    done()
}

#[derive(Deserialize)]
struct Latency {
    ms: u64,
}

async fn latency(State(shared): Telegram, Json(order): Json<Latency>) -> Json<Value> {
    shared.faults.set_latency(Duration::from_millis(order.ms));
    done()
}

async fn clear_faults(State(shared): Telegram) -> Json<Value> {
    shared.faults.clear();
    done()
}

async fn drop_connections(State(shared): Telegram) -> Json<Value> {
    shared.state().connections.end(None);
    done()
}

async fn reset_calls(State(shared): Telegram) -> Json<Value> {
    shared.journal.reset();
    done()
}

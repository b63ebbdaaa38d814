//! From a call to the code that answers it.

use std::io::Write as _;
use std::sync::MutexGuard;

use grammers_tl_types as tl;
use tl::{Identifiable as _, Serializable as _, enums, functions, types};

use super::answer::{Answer, RpcError, refuse, say};
use super::faults::Fate;
use super::keys::{Key, KeyStanding};
use super::request::{constructor, unwrap};
use super::{Shared, State, channels, login, messages, network, password, qr, users};

/// Answers longer than this go out compressed, as real ones do.
const WORTH_PACKING: usize = 512;

const GZIP: u32 = 0x3072_cfa1;

/// Who calls.
pub(super) struct Caller<'a> {
    pub(super) shared: &'a Shared,
    pub(super) dc_id: i32,
    pub(super) key_id: i64,
}

impl Caller<'_> {
    pub(super) fn key<'s>(&self, state: &'s MutexGuard<'_, State>) -> Result<&'s Key, RpcError> {
        let key = state.keys.get(self.key_id);
        key.ok_or_else(|| refuse(401, "AUTH_KEY_UNREGISTERED"))
    }

    /// The account that calls; an error when the key is nobody's.
    pub(super) fn user(&self) -> Result<i64, RpcError> {
        let state = self.shared.state();
        self.key(&state)?.user()
    }
}

/// What becomes of a call.
pub(super) enum Outcome {
    /// Answer with this.
    Answer(Vec<u8>),
    /// Say nothing.
    Silence,
    /// Close the connection.
    End,
}

pub(super) async fn call(
    shared: &Shared,
    dc_id: i32,
    key_id: i64,
    connection: u64,
    body: Vec<u8>,
) -> Outcome {
    let (query, said) = match unwrap(body) {
        Ok(unwrapped) => unwrapped,
        Err(error) => return Outcome::Answer(failure(error)),
    };
    let method = tl::name_for_id(constructor(&query));
    shared.journal.write(method, key_id, dc_id, connection, said);
    let fate = shared.faults.fate(method);
    match fate {
        Fate::Refused(error) => return Outcome::Answer(failure(error)),
        Fate::Dropped => return Outcome::End,
        Fate::Swallowed => return Outcome::Silence,
        Fate::Answered | Fate::AnswerLost => {}
    }
    let caller = Caller {
        shared,
        dc_id,
        key_id,
    };
    let answer = answer(&caller, &query).await;
    if fate == Fate::AnswerLost {
        return Outcome::End;
    }
    Outcome::Answer(match answer {
        Ok(bytes) if shared.options.gzip && bytes.len() > WORTH_PACKING => packed(&bytes),
        Ok(bytes) => bytes,
        Err(error) => failure(error),
    })
}

async fn answer(caller: &Caller<'_>, query: &[u8]) -> Answer {
    let method = constructor(query);
    match method {
        functions::help::GetConfig::CONSTRUCTOR_ID => return Ok(network::get_config(caller)),
        functions::help::GetNearestDc::CONSTRUCTOR_ID => return Ok(network::get_nearest_dc(caller)),
        _ => {}
    }
    if caller.key(&caller.shared.state())?.standing == KeyStanding::Duplicated {
        return Err(refuse(406, "AUTH_KEY_DUPLICATED"));
    }
    match method {
        functions::auth::SendCode::CONSTRUCTOR_ID => login::send_code(caller, query),
        functions::auth::ResendCode::CONSTRUCTOR_ID => login::resend_code(caller, query),
        functions::auth::CancelCode::CONSTRUCTOR_ID => login::cancel_code(caller, query),
        functions::auth::SignIn::CONSTRUCTOR_ID => login::sign_in(caller, query),
        functions::auth::LogOut::CONSTRUCTOR_ID => login::log_out(caller),
        functions::auth::ExportAuthorization::CONSTRUCTOR_ID => login::export_authorization(caller, query),
        functions::auth::ImportAuthorization::CONSTRUCTOR_ID => login::import_authorization(caller, query),
        functions::account::GetPassword::CONSTRUCTOR_ID => password::get_password(caller).await,
        functions::auth::CheckPassword::CONSTRUCTOR_ID => password::check_password(caller, query).await,
        functions::auth::ExportLoginToken::CONSTRUCTOR_ID => qr::export_login_token(caller, query),
        functions::auth::ImportLoginToken::CONSTRUCTOR_ID => qr::import_login_token(caller, query),
        functions::auth::AcceptLoginToken::CONSTRUCTOR_ID => qr::accept_login_token(caller, query),
        functions::users::GetUsers::CONSTRUCTOR_ID => users::get_users(caller, query),
        functions::users::GetFullUser::CONSTRUCTOR_ID => users::get_full_user(caller, query),
        functions::updates::GetState::CONSTRUCTOR_ID => network::get_state(caller),
        functions::updates::GetDifference::CONSTRUCTOR_ID => network::get_difference(caller),
        functions::messages::GetDialogs::CONSTRUCTOR_ID => channels::get_dialogs(caller, query),
        functions::channels::GetChannels::CONSTRUCTOR_ID => channels::get_channels(caller, query),
        functions::channels::GetFullChannel::CONSTRUCTOR_ID => channels::get_full_channel(caller, query),
        functions::contacts::ResolveUsername::CONSTRUCTOR_ID => channels::resolve_username(caller, query),
        functions::messages::GetHistory::CONSTRUCTOR_ID => messages::get_history(caller, query),
        unknown => Err(refuse(400, format!("INPUT_METHOD_INVALID_{unknown}"))),
    }
}

fn failure(error: RpcError) -> Vec<u8> {
    say(&enums::RpcError::from(types::RpcError {
        error_code: error.code,
        error_message: error.name,
    }))
}

fn packed(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    let packed = encoder.write_all(bytes).and_then(|()| encoder.finish());
    // Writing to memory cannot fail; if it did, the plain answer is as good.
    let Ok(packed) = packed else {
        return bytes.to_vec();
    };
    let mut body = GZIP.to_le_bytes().to_vec();
    packed.serialize(&mut body);
    body
}

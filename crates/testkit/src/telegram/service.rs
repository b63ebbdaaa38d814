//! Messages of the protocol itself: pings, salts, acknowledgements, states.
//!
//! <https://core.telegram.org/mtproto/service_messages>

use grammers_tl_types as tl;
use tl::{Identifiable as _, Serializable as _, enums, functions, types};

use super::answer::{arguments, say};
use super::keys::Key;
use super::request::{Request, constructor};

/// Result of a call, and of the few service messages that are calls.
const RPC_RESULT: u32 = 0xf35c_6d01;

const HTTP_WAIT: u32 = 0x9299_359f;

/// What a service message is answered with.
pub(super) enum Service {
    /// It is none: a call.
    Call,
    /// Nothing to say.
    Silence,
    /// This.
    Answer(Vec<u8>),
}

pub(super) fn answer(request: &Request, key: &Key, unix_s: i64) -> Service {
    let body = &request.body;
    let said = match constructor(body) {
        functions::Ping::CONSTRUCTOR_ID => {
            arguments::<functions::Ping>(body).map(|ping| pong(request.msg_id, ping.ping_id))
        }
        functions::PingDelayDisconnect::CONSTRUCTOR_ID => {
            arguments::<functions::PingDelayDisconnect>(body).map(|ping| pong(request.msg_id, ping.ping_id))
        }
        functions::GetFutureSalts::CONSTRUCTOR_ID => arguments::<functions::GetFutureSalts>(body)
            .map(|asked| future_salts(request.msg_id, asked.num, key.salt, unix_s)),
        functions::DestroySession::CONSTRUCTOR_ID => {
            arguments::<functions::DestroySession>(body).map(|order| {
                say(&enums::DestroySessionRes::from(types::DestroySessionOk {
                    session_id: order.session_id,
                }))
            })
        }
        functions::RpcDropAnswer::CONSTRUCTOR_ID => Ok(result(
            request.msg_id,
            &say(&enums::RpcDropAnswer::RpcAnswerUnknown),
        )),
        types::MsgsStateReq::CONSTRUCTOR_ID => arguments::<types::MsgsStateReq>(body).map(|asked| {
            let received = vec![4; asked.msg_ids.len()];
            say(&enums::MsgsStateInfo::from(types::MsgsStateInfo {
                req_msg_id: request.msg_id,
                info: received,
            }))
        }),
        types::MsgsAck::CONSTRUCTOR_ID
        | types::MsgResendReq::CONSTRUCTOR_ID
        | types::MsgsStateInfo::CONSTRUCTOR_ID
        | types::MsgsAllInfo::CONSTRUCTOR_ID
        | HTTP_WAIT => return Service::Silence,
        _ => return Service::Call,
    };
    said.map_or(Service::Silence, Service::Answer)
}

fn pong(msg_id: i64, ping_id: i64) -> Vec<u8> {
    say(&enums::Pong::from(types::Pong { msg_id, ping_id }))
}

/// One salt serves all the time; it is told as many times as asked, hour by hour. grammers, when it gets
/// only one, asks again at once and does nothing else.
fn future_salts(req_msg_id: i64, num: i32, salt: i64, unix_s: i64) -> Vec<u8> {
    let now = unix_s as i32;
    let salts = (0..num.clamp(1, 64)).map(|hour| types::FutureSalt {
        valid_since: now - 60 + hour * 3600,
        valid_until: now + (hour + 1) * 3600,
        salt,
    });
    say(&enums::FutureSalts::from(types::FutureSalts {
        req_msg_id,
        now,
        salts: tl::RawVec(salts.collect()),
    }))
}

/// The answer to a call.
pub(super) fn result(req_msg_id: i64, answer: &[u8]) -> Vec<u8> {
    let mut body = RPC_RESULT.to_le_bytes().to_vec();
    req_msg_id.serialize(&mut body);
    body.extend(answer);
    body
}

pub(super) fn bad_salt(request_id: i64, seq_no: i32, salt: i64) -> Vec<u8> {
    say(&enums::BadMsgNotification::from(types::BadServerSalt {
        bad_msg_id: request_id,
        bad_msg_seqno: seq_no,
        error_code: 48,
        new_server_salt: salt,
    }))
}

/// Code 18: the two lowest bits of a client's message id are zero.
pub(super) fn bad_message_id(request_id: i64, seq_no: i32) -> Vec<u8> {
    say(&enums::BadMsgNotification::from(types::BadMsgNotification {
        bad_msg_id: request_id,
        bad_msg_seqno: seq_no,
        error_code: 18,
    }))
}

pub(super) fn new_session(first_msg_id: i64, salt: i64) -> Vec<u8> {
    say(&enums::NewSession::from(types::NewSessionCreated {
        first_msg_id,
        unique_id: rand::random(),
        server_salt: salt,
    }))
}

//! From what a packet holds to the requests in it: containers, gzip and the wrappers around a call.

use std::io::Read as _;

use grammers_tl_types::{self as tl, Cursor, Deserializable, Identifiable, deserialize};
use tl::functions;

use super::answer::{RpcError, arguments, refuse};

const CONTAINER: u32 = 0x73f1_f8dc;
const GZIP: u32 = 0x3072_cfa1;

/// What a packed request may grow to.
const LARGEST: u64 = 8 << 20;

/// One message of a packet.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Request {
    pub(super) msg_id: i64,
    pub(super) seq_no: i32,
    pub(super) body: Vec<u8>,
}

/// Everything after the fields read before, raw: what a wrapper wraps.
struct Rest(Vec<u8>);

impl Deserializable for Rest {
    fn deserialize(buf: &mut Cursor<'_>) -> deserialize::Result<Self> {
        let mut rest = Vec::new();
        buf.read_to_end(&mut rest)?;
        Ok(Self(rest))
    }
}

pub(super) fn constructor(body: &[u8]) -> u32 {
    body.get(..4)
        .map_or(0, |id| u32::from_le_bytes(id.try_into().expect("four bytes")))
}

/// The messages of a packet, unpacked; what cannot be read is left out, as a server does.
pub(super) fn messages(msg_id: i64, seq_no: i32, body: Vec<u8>) -> Vec<Request> {
    match constructor(&body) {
        CONTAINER => contained(&body[4..]).unwrap_or_default(),
        GZIP => unpack(&body).map_or_else(Vec::new, |body| messages(msg_id, seq_no, body)),
        _ => vec![Request { msg_id, seq_no, body }],
    }
}

fn contained(body: &[u8]) -> Option<Vec<Request>> {
    let mut cursor = Cursor::from_slice(body);
    let count = i32::deserialize(&mut cursor).ok()?;
    let mut requests = Vec::new();
    for _ in 0..count {
        let msg_id = i64::deserialize(&mut cursor).ok()?;
        let seq_no = i32::deserialize(&mut cursor).ok()?;
        let length = i32::deserialize(&mut cursor).ok()?;
        let mut inner = vec![
            0;
            usize::try_from(length)
                .ok()
                .filter(|length| *length <= body.len())?
        ];
        cursor.read_exact(&mut inner).ok()?;
        if constructor(&inner) == GZIP {
            inner = unpack(&inner)?;
        }
        // A container in a container is not allowed.
        requests.push(Request {
            msg_id,
            seq_no,
            body: inner,
        });
    }
    Some(requests)
}

fn unpack(body: &[u8]) -> Option<Vec<u8>> {
    let packed = Vec::<u8>::from_bytes(body.get(4..)?).ok()?;
    let mut plain = Vec::new();
    flate2::read::GzDecoder::new(&packed[..])
        .take(LARGEST)
        .read_to_end(&mut plain)
        .ok()?;
    Some(plain)
}

/// What a call says about the client that makes it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Introduction {
    pub(super) layer: Option<i32>,
    pub(super) api_id: Option<i32>,
    pub(super) device_model: Option<String>,
}

/// Takes the wrappers off: the bare method call, and what they said.
pub(super) fn unwrap(body: Vec<u8>) -> Result<(Vec<u8>, Introduction), RpcError> {
    let mut introduction = Introduction::default();
    let mut call = body;
    loop {
        call = match constructor(&call) {
            functions::InvokeWithLayer::<Rest>::CONSTRUCTOR_ID => {
                let wrapper: functions::InvokeWithLayer<Rest> = arguments(&call)?;
                introduction.layer = Some(wrapper.layer);
                wrapper.query.0
            }
            functions::InitConnection::<Rest>::CONSTRUCTOR_ID => {
                let wrapper: functions::InitConnection<Rest> = arguments(&call)?;
                introduction.api_id = Some(wrapper.api_id);
                introduction.device_model = Some(wrapper.device_model);
                wrapper.query.0
            }
            functions::InvokeWithoutUpdates::<Rest>::CONSTRUCTOR_ID => {
                arguments::<functions::InvokeWithoutUpdates<Rest>>(&call)?.query.0
            }
            functions::InvokeAfterMsg::<Rest>::CONSTRUCTOR_ID => {
                arguments::<functions::InvokeAfterMsg<Rest>>(&call)?.query.0
            }
            functions::InvokeAfterMsgs::<Rest>::CONSTRUCTOR_ID => {
                arguments::<functions::InvokeAfterMsgs<Rest>>(&call)?.query.0
            }
            functions::InvokeWithTakeout::<Rest>::CONSTRUCTOR_ID => {
                arguments::<functions::InvokeWithTakeout<Rest>>(&call)?.query.0
            }
            GZIP => unpack(&call).ok_or_else(|| refuse(400, "INPUT_REQUEST_INVALID"))?,
            _ => return Ok((call, introduction)),
        };
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use tl::Serializable as _;

    use super::*;

    fn packed(body: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        encoder.write_all(body).unwrap();
        let mut bytes = GZIP.to_le_bytes().to_vec();
        encoder.finish().unwrap().serialize(&mut bytes);
        bytes
    }

    #[test]
    fn a_container_gives_its_messages_packed_or_not() {
        let call = functions::help::GetConfig {}.to_bytes();
        let mut body = CONTAINER.to_le_bytes().to_vec();
        2_i32.serialize(&mut body);
        for (id, inner) in [(8_i64, call.clone()), (12, packed(&call))] {
            id.serialize(&mut body);
            1_i32.serialize(&mut body);
            (inner.len() as i32).serialize(&mut body);
            body.extend(inner);
        }
        let requests = messages(4, 1, body);
        assert_eq!(requests.len(), 2);
        assert!(requests.iter().all(|request| request.body == call));
        assert_eq!(requests[1].msg_id, 12);
    }

    #[test]
    fn wrappers_come_off_in_any_order() {
        let call = functions::help::GetConfig {};
        let wrapped = functions::InvokeWithLayer {
            layer: 230,
            query: functions::InitConnection {
                api_id: 9,
                device_model: "Desk".into(),
                system_version: "1".into(),
                app_version: "1".into(),
                system_lang_code: "en".into(),
                lang_pack: String::new(),
                lang_code: "en".into(),
                proxy: None,
                params: None,
                query: functions::InvokeWithoutUpdates { query: call.clone() },
            },
        };
        let (bare, introduction) = unwrap(packed(&wrapped.to_bytes())).unwrap();
        assert_eq!(bare, call.to_bytes());
        assert_eq!((introduction.layer, introduction.api_id), (Some(230), Some(9)));
    }

    #[test]
    fn garbage_is_left_out() {
        assert_eq!(messages(4, 1, vec![0xdc, 0xf8, 0xf1, 0x73, 9, 0, 0, 0, 1]), []);
        assert!(
            unwrap(
                functions::InvokeWithLayer::<functions::help::GetConfig>::CONSTRUCTOR_ID
                    .to_le_bytes()
                    .to_vec()
            )
            .is_err()
        );
    }
}

//! What a request is answered with: bytes, or one of Telegram's errors.

use grammers_tl_types::{Deserializable, Serializable};

/// An answer ready to send.
pub(super) type Answer = Result<Vec<u8>, RpcError>;

/// One of Telegram's errors.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct RpcError {
    pub(super) code: i32,
    pub(super) name: String,
}

pub(super) fn refuse(code: i32, name: impl Into<String>) -> RpcError {
    RpcError {
        code,
        name: name.into(),
    }
}

pub(super) fn say(value: &impl Serializable) -> Vec<u8> {
    value.to_bytes()
}

/// The arguments of a method, which follow its constructor.
pub(super) fn arguments<T: Deserializable>(query: &[u8]) -> Result<T, RpcError> {
    T::from_bytes(query.get(4..).unwrap_or_default()).map_err(|_| refuse(400, "INPUT_REQUEST_INVALID"))
}

/// An object with all flags off and all fields zero or empty, from so many zero bytes.
///
/// The generated types have no `Default`; what has no boxed field that must be there can be read
/// from zeros.
pub(super) fn blank<T: Deserializable>() -> T {
    T::from_bytes(&[0; 256]).expect("a type that zeros describe")
}

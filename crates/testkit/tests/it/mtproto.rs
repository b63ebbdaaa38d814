//! The smallest MTProto client: enough to see the simulated Telegram's every byte.

use std::io::Read as _;
use std::time::Duration;

use gleaner_testkit::telegram::LoginKey;
use grammers_crypto::{AuthKey, DequeBuffer, decrypt_data_v2, encrypt_data_v2};
use grammers_tl_types::{Deserializable, RemoteCall, Serializable};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) const RPC_RESULT: u32 = 0xf35c_6d01;
pub(crate) const RPC_ERROR: u32 = 0x2144_ca19;
pub(crate) const GZIP: u32 = 0x3072_cfa1;
pub(crate) const BAD_SERVER_SALT: u32 = 0xedab_447b;
pub(crate) const NEW_SESSION: u32 = 0x9ec2_0908;
pub(crate) const CONTAINER: u32 = 0x73f1_f8dc;

#[derive(Debug, Clone, Copy)]
pub(crate) enum Transport {
    Full,
    Abridged,
    Intermediate,
}

pub(crate) struct Client {
    stream: TcpStream,
    transport: Transport,
    sent: u32,
    key: AuthKey,
    session_id: i64,
    pub(crate) salt: i64,
    last_msg_id: i64,
    content: i32,
}

/// What came from the server: its message id and body.
pub(crate) struct Received {
    pub(crate) msg_id: i64,
    pub(crate) body: Vec<u8>,
}

impl Received {
    pub(crate) fn constructor(&self) -> u32 {
        word(&self.body[..4])
    }
}

impl Client {
    pub(crate) async fn connect(key: &LoginKey) -> Self {
        Self::connect_by(key, Transport::Full).await
    }

    pub(crate) async fn connect_by(key: &LoginKey, transport: Transport) -> Self {
        let mut stream = TcpStream::connect(key.address).await.expect("it listens");
        let opening: &[u8] = match transport {
            Transport::Full => &[],
            Transport::Abridged => &[0xef],
            Transport::Intermediate => &[0xee; 4],
        };
        stream.write_all(opening).await.expect("it reads");
        Self {
            stream,
            transport,
            sent: 0,
            key: AuthKey::from_bytes(key.auth_key),
            session_id: rand::random(),
            salt: 0,
            last_msg_id: 0x6000_0000_0000_0000,
            content: 0,
        }
    }

    /// Puts a payload on the wire as it is.
    pub(crate) async fn send_raw(&mut self, payload: &[u8]) {
        let mut packet = Vec::new();
        match self.transport {
            Transport::Full => {
                packet.extend((payload.len() as u32 + 12).to_le_bytes());
                packet.extend(self.sent.to_le_bytes());
                packet.extend(payload);
                packet.extend(crc32fast::hash(&packet).to_le_bytes());
                self.sent += 1;
            }
            Transport::Abridged => {
                assert!(payload.len() < 0x7f * 4);
                packet.push((payload.len() / 4) as u8);
                packet.extend(payload);
            }
            Transport::Intermediate => {
                packet.extend((payload.len() as u32).to_le_bytes());
                packet.extend(payload);
            }
        }
        // Who writes to a closed connection learns it when reading.
        let _ = self.stream.write_all(&packet).await;
    }

    pub(crate) fn next_msg_id(&mut self) -> i64 {
        self.last_msg_id += 4;
        self.last_msg_id
    }

    pub(crate) async fn send(&mut self, body: &[u8]) -> i64 {
        let msg_id = self.next_msg_id();
        let mut plain = DequeBuffer::with_capacity(body.len() + 64, 32);
        plain.extend(self.salt.to_le_bytes());
        plain.extend(self.session_id.to_le_bytes());
        plain.extend(msg_id.to_le_bytes());
        plain.extend((self.content * 2 + 1).to_le_bytes());
        plain.extend((body.len() as u32).to_le_bytes());
        plain.extend(body.iter().copied());
        self.content += 1;
        encrypt_data_v2(&mut plain, &self.key);
        self.send_raw(&plain[..]).await;
        msg_id
    }

    /// The next bytes, unframed; `None` when the server closed.
    pub(crate) async fn read_raw(&mut self, length: usize) -> Option<Vec<u8>> {
        let mut bytes = vec![0; length];
        let read = tokio::time::timeout(PATIENCE, self.stream.read_exact(&mut bytes)).await;
        read.expect("the server says something in time").ok()?;
        Some(bytes)
    }

    /// The next message; `None` when the server closed.
    pub(crate) async fn receive(&mut self) -> Option<Received> {
        let mut payload = match self.transport {
            Transport::Full => {
                let length = word(&self.read_raw(4).await?);
                let rest = self.read_raw(length as usize - 4).await?;
                rest[4..rest.len() - 4].to_vec()
            }
            Transport::Abridged => {
                let mut words = u32::from(self.read_raw(1).await?[0]);
                if words == 0x7f {
                    let long = self.read_raw(3).await?;
                    words = u32::from_le_bytes([long[0], long[1], long[2], 0]);
                }
                self.read_raw(words as usize * 4).await?
            }
            Transport::Intermediate => {
                let length = word(&self.read_raw(4).await?);
                self.read_raw(length as usize).await?
            }
        };
        let plain = decrypt_data_v2(&mut payload, &self.key).expect("sealed with our key");
        let length = word(&plain[28..32]) as usize;
        Some(Received {
            msg_id: long(&plain[16..24]),
            body: plain[32..32 + length].to_vec(),
        })
    }

    /// What a call is answered with, found among whatever else comes.
    pub(crate) async fn answer(&mut self, msg_id: i64) -> Option<Vec<u8>> {
        loop {
            let received = self.receive().await?;
            match received.constructor() {
                RPC_RESULT if received.body[4..12] == msg_id.to_le_bytes() => {
                    return Some(received.body[12..].to_vec());
                }
                BAD_SERVER_SALT => panic!("a wrong salt"),
                _ => {}
            }
        }
    }

    /// Learns the salt, as every client does at first.
    pub(crate) async fn learn_salt(&mut self) {
        self.send(&grammers_tl_types::functions::Ping { ping_id: 1 }.to_bytes())
            .await;
        let received = self.receive().await.expect("an answer");
        assert_eq!(received.constructor(), BAD_SERVER_SALT);
        self.salt = long(&received.body[20..28]);
    }

    /// Calls a method; the error is Telegram's code and name, code 0 when the connection was closed.
    pub(crate) async fn call<C: RemoteCall>(&mut self, call: &C) -> Result<C::Return, (i32, String)> {
        if self.salt == 0 {
            self.learn_salt().await;
        }
        let msg_id = self.send(&call.to_bytes()).await;
        let closed = || (0, "closed".to_owned());
        let mut answer = self.answer(msg_id).await.ok_or_else(closed)?;
        let constructor = word(&answer[..4]);
        if constructor == RPC_ERROR {
            let code = word(&answer[4..8]) as i32;
            return Err((code, String::from_bytes(&answer[8..]).expect("a name")));
        }
        if constructor == GZIP {
            let packed = Vec::<u8>::from_bytes(&answer[4..]).expect("bytes");
            answer.clear();
            flate2::read::GzDecoder::new(&packed[..])
                .read_to_end(&mut answer)
                .expect("gzip");
        }
        Ok(C::Return::from_bytes(&answer).expect("what the method returns"))
    }

    /// The name of the error that a call ends with.
    pub(crate) async fn refusal<C: RemoteCall>(&mut self, call: &C) -> String {
        match self.call(call).await {
            Ok(_) => "no error".to_owned(),
            Err((code, name)) => format!("{code} {name}"),
        }
    }
}

fn word(bytes: &[u8]) -> u32 {
    u32::from_le_bytes(bytes.try_into().expect("four bytes"))
}

fn long(bytes: &[u8]) -> i64 {
    i64::from_le_bytes(bytes.try_into().expect("eight bytes"))
}

//! One TCP connection: packets in, packets out, and the register of who is connected.

use std::collections::HashMap;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::mpsc::{self, UnboundedReceiver, UnboundedSender};

use super::Shared;
use super::dispatch::{self, Outcome};
use super::envelope::{Message, open, seal};
use super::keys::Key;
use super::request::messages;
use super::service::{self, Service};
use super::transport::{PacketReader, PacketWriter};

/// Serves a client until either side has enough.
pub(super) async fn serve(shared: Arc<Shared>, stream: TcpStream, dc_id: i32) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let (read, write) = stream.into_split();
    let reader = PacketReader::begin(read).await?;
    let writer = PacketWriter::new(reader.framing());
    let (outbox, inbox) = mpsc::unbounded_channel();
    let link = Arc::new(Link {
        outbox,
        line: Mutex::default(),
    });
    let seat = Seat::take(&shared, link, dc_id);
    tokio::select! {
        read = receive(&seat, reader) => read,
        written = deliver(&seat, inbox, write, writer) => written,
    }
}

async fn receive(seat: &Seat, mut reader: PacketReader<OwnedReadHalf>) -> io::Result<()> {
    loop {
        let packet = reader.next().await?;
        if !seat.take_packet(&packet).await {
            // What was queued before the end still goes out; `deliver` closes.
            std::future::pending::<()>().await;
        }
    }
}

async fn deliver(
    seat: &Seat,
    mut inbox: UnboundedReceiver<Outgoing>,
    mut stream: OwnedWriteHalf,
    mut writer: PacketWriter,
) -> io::Result<()> {
    while let Some(next) = inbox.recv().await {
        match next {
            Outgoing::Packet(payload) => stream.write_all(&writer.packet(&payload)).await?,
            Outgoing::Error(code) => stream.write_all(&writer.error(code)).await?,
            Outgoing::End => break,
        }
    }
    // Who sees the end of the stream finds the connection gone from the register.
    seat.leave();
    stream.shutdown().await
}

enum Outgoing {
    Packet(Vec<u8>),
    Error(i32),
    End,
}

/// What a message is, which its number and id tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// The answer to a call, to be acknowledged.
    Answer,
    /// An answer of the protocol.
    Notice,
    /// Something that nobody asked for, to be acknowledged.
    Event,
}

/// The way to a client.
pub(super) struct Link {
    outbox: UnboundedSender<Outgoing>,
    line: Mutex<Line>,
}

/// Under what messages of this connection are sealed.
#[derive(Default)]
struct Line {
    key: Option<([u8; 256], i64, i64)>,
    session_id: i64,
    /// The session whose beginning the client knows of.
    begun: Option<i64>,
    /// Messages so far that are to be acknowledged.
    content: i32,
    last_msg_id: i64,
}

impl Link {
    pub(super) fn send(&self, kind: Kind, body: Vec<u8>) {
        let mut line = self.line();
        let Some((bytes, key_id, salt)) = line.key else {
            return;
        };
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        // Seconds in the upper half, their fraction in the lower; the lowest two bits tell the kind.
        let time = (now.as_nanos() << 32) / 1_000_000_000;
        line.last_msg_id =
            (time as i64 & !3).max((line.last_msg_id & !3) + 4) | if kind == Kind::Event { 3 } else { 1 };
        let mut seq_no = line.content * 2;
        if kind != Kind::Notice {
            seq_no += 1;
            line.content += 1;
        }
        let message = Message {
            salt,
            session_id: line.session_id,
            msg_id: line.last_msg_id,
            seq_no,
            body,
        };
        self.push(Outgoing::Packet(seal(&message, &bytes, key_id)));
    }

    /// Tells a transport error and ends the connection.
    fn end_with(&self, code: i32) {
        self.push(Outgoing::Error(code));
        self.end();
    }

    pub(super) fn end(&self) {
        self.push(Outgoing::End);
    }

    fn push(&self, next: Outgoing) {
        // A client that left misses nothing.
        let _ = self.outbox.send(next);
    }

    fn seal_with(&self, key: &Key, key_id: i64, session_id: i64) {
        let mut line = self.line();
        if line.session_id != session_id {
            line.content = 0;
        }
        line.key = Some((key.bytes, key_id, key.salt));
        line.session_id = session_id;
    }

    /// True once for every session: the client is to be told that it began.
    fn begins(&self) -> bool {
        let mut line = self.line();
        let session_id = line.session_id;
        line.begun.replace(session_id) != Some(session_id)
    }

    fn line(&self) -> MutexGuard<'_, Line> {
        self.line.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A connection's place in the register; given up when dropped.
struct Seat {
    shared: Arc<Shared>,
    link: Arc<Link>,
    dc_id: i32,
    number: u64,
}

impl Seat {
    fn take(shared: &Arc<Shared>, link: Arc<Link>, dc_id: i32) -> Self {
        let number = shared.state().connections.add(link.clone());
        Self {
            shared: shared.clone(),
            link,
            dc_id,
            number,
        }
    }

    /// Reads one packet; false when the connection must end.
    async fn take_packet(&self, packet: &[u8]) -> bool {
        let Some(key_id) = packet.get(..8) else {
            self.link.end();
            return false;
        };
        let key_id = i64::from_le_bytes(key_id.try_into().expect("eight bytes"));
        if key_id == 0 {
            // A key exchange, which is not offered here.
            self.link.end();
            return false;
        }
        let key = self.shared.state().keys.at(self.dc_id, key_id).cloned();
        let opened = key.and_then(|key| Some((open(packet, &key.bytes)?, key)));
        let Some((message, key)) = opened else {
            self.link.end_with(404);
            return false;
        };
        self.shared.state().connections.claim(self.number, key_id);
        self.link.seal_with(&key, key_id, message.session_id);
        if message.msg_id % 4 != 0 {
            self.link.send(
                Kind::Notice,
                service::bad_message_id(message.msg_id, message.seq_no),
            );
            return true;
        }
        if message.salt != key.salt {
            let notice = service::bad_salt(message.msg_id, message.seq_no, key.salt);
            self.link.send(Kind::Notice, notice);
            return true;
        }
        if self.link.begins() {
            self.link
                .send(Kind::Event, service::new_session(message.msg_id, key.salt));
        }
        for request in messages(message.msg_id, message.seq_no, message.body) {
            match service::answer(&request, &key, self.shared.now()) {
                Service::Silence => {}
                Service::Answer(body) => self.send_late(Kind::Notice, body),
                Service::Call => {
                    let call = dispatch::call(&self.shared, self.dc_id, key_id, self.number, request.body);
                    match call.await {
                        Outcome::Answer(answer) => {
                            self.send_late(Kind::Answer, service::result(request.msg_id, &answer));
                        }
                        Outcome::Silence => {}
                        Outcome::End => {
                            self.link.end();
                            return false;
                        }
                    }
                }
            }
        }
        true
    }

    fn send_late(&self, kind: Kind, body: Vec<u8>) {
        let latency = self.shared.faults.latency();
        if latency == Duration::ZERO {
            return self.link.send(kind, body);
        }
        let link = self.link.clone();
        tokio::spawn(async move {
            tokio::time::sleep(latency).await;
            link.send(kind, body);
        });
    }
}

impl Seat {
    fn leave(&self) {
        let mut state = self.shared.state();
        state.connections.remove(self.number);
        self.shared.connected.send_replace(state.connections.open());
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.leave();
    }
}

/// Who is connected.
#[derive(Default)]
pub(super) struct Connections {
    last: u64,
    open: HashMap<u64, (Option<i64>, Arc<Link>)>,
    most: HashMap<i64, usize>,
}

impl Connections {
    fn add(&mut self, link: Arc<Link>) -> u64 {
        self.last += 1;
        self.open.insert(self.last, (None, link));
        self.last
    }

    fn claim(&mut self, number: u64, key_id: i64) {
        if let Some((key, _)) = self.open.get_mut(&number) {
            *key = Some(key_id);
        }
        let now = self.of_key(key_id);
        let most = self.most.entry(key_id).or_default();
        *most = now.max(*most);
    }

    fn remove(&mut self, number: u64) {
        self.open.remove(&number);
    }

    /// Connections that are open.
    pub(super) fn open(&self) -> usize {
        self.open.len()
    }

    /// Connections that a key has open.
    pub(super) fn of_key(&self, key_id: i64) -> usize {
        self.open.values().filter(|(key, _)| *key == Some(key_id)).count()
    }

    /// Most connections that a key had open at one moment.
    pub(super) fn most_of_key(&self, key_id: i64) -> usize {
        self.most.get(&key_id).copied().unwrap_or_default()
    }

    /// Every key that ever had a connection: how many now, and most at one moment.
    pub(super) fn by_key(&self) -> impl Iterator<Item = (i64, usize, usize)> + '_ {
        self.most
            .iter()
            .map(|(key_id, most)| (*key_id, self.of_key(*key_id), *most))
    }

    /// Sends an event to every connection of a key.
    pub(super) fn tell(&self, key_id: i64, body: &[u8]) {
        for (_, link) in self.open.values().filter(|(key, _)| *key == Some(key_id)) {
            link.send(Kind::Event, body.to_vec());
        }
    }

    /// Ends every connection, or those of one key.
    pub(super) fn end(&self, of_key: Option<i64>) {
        for (_, link) in self
            .open
            .values()
            .filter(|(key, _)| of_key.is_none() || *key == of_key)
        {
            link.end();
        }
    }
}

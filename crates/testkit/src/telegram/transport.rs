//! How MTProto packets lie in the TCP stream: full, abridged, intermediate, padded intermediate.
//!
//! The client's first bytes tell which (<https://core.telegram.org/mtproto/mtproto-transports>).
//! Absent: obfuscation, which no client of ours uses.

use std::io;

use tokio::io::{AsyncRead, AsyncReadExt as _};

/// No client of ours sends more in one packet.
const LONGEST: usize = 4 << 20;

/// One of the transports.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Framing {
    /// Length, sequence number, payload, checksum.
    Full,
    /// One byte of length in words, or four.
    Abridged,
    /// Four bytes of length.
    Intermediate,
    /// The same with up to fifteen bytes of padding.
    Padded,
}

/// Takes packets out of a stream.
pub(super) struct PacketReader<R> {
    stream: R,
    framing: Framing,
    /// Bytes read while the transport was found out.
    ahead: Vec<u8>,
    seen: u32,
}

impl<R: AsyncRead + Unpin> PacketReader<R> {
    /// Waits for the first bytes, which name the transport.
    pub(super) async fn begin(mut stream: R) -> io::Result<Self> {
        let mut first = [0; 4];
        stream.read_exact(&mut first[..1]).await?;
        let (framing, ahead) = if first[0] == 0xef {
            (Framing::Abridged, Vec::new())
        } else {
            stream.read_exact(&mut first[1..]).await?;
            match first {
                [0xee, 0xee, 0xee, 0xee] => (Framing::Intermediate, Vec::new()),
                [0xdd, 0xdd, 0xdd, 0xdd] => (Framing::Padded, Vec::new()),
                length => (Framing::Full, length.to_vec()),
            }
        };
        Ok(Self {
            stream,
            framing,
            ahead,
            seen: 0,
        })
    }

    pub(super) fn framing(&self) -> Framing {
        self.framing
    }

    /// The next packet's payload; an error also when the client left.
    pub(super) async fn next(&mut self) -> io::Result<Vec<u8>> {
        match self.framing {
            Framing::Full => self.next_full().await,
            Framing::Abridged => {
                let mut length = [0; 4];
                self.fill(&mut length[..1]).await?;
                // The highest bit asks for a quick acknowledgement, which a server may leave out.
                let words = match length[0] & 0x7f {
                    0x7f => {
                        self.fill(&mut length[..3]).await?;
                        u32::from_le_bytes([length[0], length[1], length[2], 0])
                    }
                    short => u32::from(short),
                };
                self.payload(words as usize * 4).await
            }
            Framing::Intermediate => {
                let length = self.word().await? & 0x7fff_ffff;
                self.payload(length as usize).await
            }
            Framing::Padded => {
                let length = self.word().await? & 0x7fff_ffff;
                let mut payload = self.payload(length as usize).await?;
                // Of an encrypted packet: key id and message key, then blocks of sixteen bytes.
                let padding = (payload.len().saturating_sub(24)) % 16;
                payload.truncate(payload.len() - padding);
                Ok(payload)
            }
        }
    }

    async fn next_full(&mut self) -> io::Result<Vec<u8>> {
        let length = self.word().await?;
        let number = self.word().await?;
        let inner = (length as usize)
            .checked_sub(12)
            .ok_or_else(|| broken("a length below twelve"))?;
        let payload = self.payload(inner).await?;
        let mut sum = crc32fast::Hasher::new();
        sum.update(&length.to_le_bytes());
        sum.update(&number.to_le_bytes());
        sum.update(&payload);
        if self.word().await? != sum.finalize() {
            return Err(broken("a wrong checksum"));
        }
        if number != self.seen {
            return Err(broken("a packet out of order"));
        }
        self.seen += 1;
        Ok(payload)
    }

    async fn payload(&mut self, length: usize) -> io::Result<Vec<u8>> {
        if length > LONGEST {
            return Err(broken("a packet too long"));
        }
        let mut payload = vec![0; length];
        self.fill(&mut payload).await?;
        Ok(payload)
    }

    async fn word(&mut self) -> io::Result<u32> {
        let mut word = [0; 4];
        self.fill(&mut word).await?;
        Ok(u32::from_le_bytes(word))
    }

    async fn fill(&mut self, into: &mut [u8]) -> io::Result<()> {
        let old = self.ahead.len().min(into.len());
        into[..old].copy_from_slice(&self.ahead[..old]);
        self.ahead.drain(..old);
        self.stream.read_exact(&mut into[old..]).await?;
        Ok(())
    }
}

fn broken(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}

/// Lays packets into a stream.
pub(super) struct PacketWriter {
    framing: Framing,
    sent: u32,
}

impl PacketWriter {
    pub(super) fn new(framing: Framing) -> Self {
        Self { framing, sent: 0 }
    }

    /// The bytes of one packet; a payload is a multiple of four bytes.
    pub(super) fn packet(&mut self, payload: &[u8]) -> Vec<u8> {
        let mut packet = Vec::with_capacity(payload.len() + 12);
        match self.framing {
            Framing::Full => {
                packet.extend((payload.len() as u32 + 12).to_le_bytes());
                packet.extend(self.sent.to_le_bytes());
                packet.extend(payload);
                packet.extend(crc32fast::hash(&packet).to_le_bytes());
                self.sent += 1;
            }
            Framing::Abridged => {
                let words = (payload.len() / 4) as u32;
                if words < 0x7f {
                    packet.push(words as u8);
                } else {
                    packet.push(0x7f);
                    packet.extend(&words.to_le_bytes()[..3]);
                }
                packet.extend(payload);
            }
            Framing::Intermediate | Framing::Padded => {
                packet.extend((payload.len() as u32).to_le_bytes());
                packet.extend(payload);
            }
        }
        packet
    }

    /// The bytes of a transport error such as 404: a packet of four bytes, and bare on the full
    /// transport, where clients find a negative number in place of the length.
    pub(super) fn error(&mut self, code: i32) -> Vec<u8> {
        let word = (-code).to_le_bytes();
        match self.framing {
            Framing::Full => word.to_vec(),
            _ => self.packet(&word),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn read_back(opening: &[u8], framing: Framing, payloads: &[Vec<u8>]) {
        let mut writer = PacketWriter::new(framing);
        let mut stream = opening.to_vec();
        for payload in payloads {
            stream.extend(writer.packet(payload));
        }
        let mut reader = PacketReader::begin(&stream[..]).await.unwrap();
        assert_eq!(reader.framing(), framing);
        for payload in payloads {
            assert_eq!(&reader.next().await.unwrap(), payload);
        }
        assert!(reader.next().await.is_err());
    }

    #[tokio::test]
    async fn every_transport_is_told_by_its_first_bytes_and_read_back() {
        let payloads = [vec![7; 24 + 16], vec![9; 24 + 16 * 64], vec![1; 24 + 32]];
        read_back(&[], Framing::Full, &payloads).await;
        read_back(&[0xef], Framing::Abridged, &payloads).await;
        read_back(&[0xee; 4], Framing::Intermediate, &payloads).await;
        read_back(&[0xdd; 4], Framing::Padded, &payloads).await;
    }

    #[tokio::test]
    async fn a_flipped_bit_is_noticed_on_the_full_transport() {
        let mut packet = PacketWriter::new(Framing::Full).packet(&[5; 40]);
        packet[20] ^= 1;
        let mut reader = PacketReader::begin(&packet[..]).await.unwrap();
        assert!(reader.next().await.is_err());
    }
}

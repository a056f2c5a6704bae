//! Clients that misuse a server: slow bodies, responses that are not read. They act as little as possible by themselves, so that
//! a test or a benchmark decides what happens when.

use std::io;
use std::net::SocketAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// A POST over HTTP/1.1 whose body arrives in pieces.
pub struct SlowBody {
    stream: TcpStream,
}

impl SlowBody {
    /// Sends the head, and announces a body of this length.
    pub async fn start(address: SocketAddr, path: &str, length: usize) -> io::Result<Self> {
        let mut stream = TcpStream::connect(address).await?;
        let head = format!(
            "POST {path} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n"
        );
        stream.write_all(head.as_bytes()).await?;
        Ok(Self { stream })
    }

    /// Sends a piece of the body.
    pub async fn send(&mut self, piece: &[u8]) -> io::Result<()> {
        self.stream.write_all(piece).await
    }

    /// Waits for the response and the end of the connection, and returns what was received.
    pub async fn response(mut self) -> String {
        let mut received = Vec::new();
        // A server that rejects a body it has not read resets the connection after its response.
        let _ = self.stream.read_to_end(&mut received).await;
        String::from_utf8_lossy(&received).into_owned()
    }

    /// Waits for the status of the response; `None` if the connection ends without one.
    pub async fn status(&mut self) -> Option<u16> {
        let mut start = [0; 12];
        self.stream.read_exact(&mut start).await.ok()?;
        std::str::from_utf8(&start[9..]).ok()?.parse().ok()
    }
}

/// A GET over HTTP/1.1 whose response is not read.
pub async fn unread_response(address: SocketAddr, path: &str) -> io::Result<TcpStream> {
    let mut stream = TcpStream::connect(address).await?;
    stream.write_all(format!("GET {path} HTTP/1.1\r\nhost: localhost\r\n\r\n").as_bytes()).await?;
    Ok(stream)
}

/// A frame of HTTP/2 without its payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Http2Frame {
    pub kind: u8,
    pub flags: u8,
    pub stream: u32,
    pub length: usize,
}

impl Http2Frame {
    pub const DATA: u8 = 0;
    pub const HEADERS: u8 = 1;
    pub const RST_STREAM: u8 = 3;
    const SETTINGS: u8 = 4;
    const PING: u8 = 6;
    pub const GO_AWAY: u8 = 7;
    const WINDOW_UPDATE: u8 = 8;
}

/// An HTTP/2 connection with prior knowledge that never gives a server more room for its responses than the protocol's initial
/// 64 KiB, but answers pings.
pub struct UnreadStreams {
    stream: TcpStream,
    next_stream: u32,
}

const ACKNOWLEDGED: u8 = 1;
/// `END_STREAM` and `END_HEADERS`.
const WHOLE_REQUEST: u8 = 1 | 4;

impl UnreadStreams {
    /// Connects, and sends GET requests for a path.
    pub async fn open(address: SocketAddr, path: &str, count: usize) -> io::Result<Self> {
        let mut stream = TcpStream::connect(address).await?;
        stream.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").await?;
        stream.write_all(&frame(Http2Frame::SETTINGS, 0, 0, &[])).await?;
        let mut connection = Self { stream, next_stream: 1 };
        for _ in 0..count {
            connection.request(path).await?;
        }
        Ok(connection)
    }

    /// Sends one more GET request; returns the number of its stream.
    pub async fn request(&mut self, path: &str) -> io::Result<u32> {
        // HPACK: indexed `:method: GET` and `:scheme: http`, literal `:path` and `:authority` without indexing.
        let mut block = vec![0x82, 0x86];
        for (name, value) in [(0x04, path), (0x01, "localhost")] {
            block.push(name);
            block.extend(integer(value.len()));
            block.extend(value.as_bytes());
        }
        let number = self.next_stream;
        self.next_stream += 2;
        self.stream.write_all(&frame(Http2Frame::HEADERS, WHOLE_REQUEST, number, &block)).await?;
        Ok(number)
    }

    /// Gives the server room for more data, on a stream or, with 0, on the connection.
    pub async fn open_window(&mut self, stream: u32, bytes: u32) -> io::Result<()> {
        self.stream.write_all(&frame(Http2Frame::WINDOW_UPDATE, 0, stream, &bytes.to_be_bytes())).await
    }

    /// Receives the next frame and discards its payload; `None` at the end of the connection.
    pub async fn receive(&mut self) -> Option<Http2Frame> {
        let mut head = [0; 9];
        self.stream.read_exact(&mut head).await.ok()?;
        let [high, middle, low, kind, flags, stream @ ..] = head;
        let length = u32::from_be_bytes([0, high, middle, low]) as usize;
        let mut payload = vec![0; length];
        self.stream.read_exact(&mut payload).await.ok()?;
        let is_new = flags & ACKNOWLEDGED == 0;
        let acknowledgement = match kind {
            Http2Frame::SETTINGS if is_new => Some(frame(kind, ACKNOWLEDGED, 0, &[])),
            Http2Frame::PING if is_new => Some(frame(kind, ACKNOWLEDGED, 0, &payload)),
            _ => None,
        };
        if let Some(acknowledgement) = acknowledgement {
            self.stream.write_all(&acknowledgement).await.ok()?;
        }
        Some(Http2Frame { kind, flags, stream: u32::from_be_bytes(stream), length })
    }

    /// Cancels a request.
    pub async fn reset(&mut self, stream: u32) -> io::Result<()> {
        const CANCEL: u32 = 8;
        self.stream.write_all(&frame(Http2Frame::RST_STREAM, 0, stream, &CANCEL.to_be_bytes())).await
    }

    /// Receives all frames until the server closes the connection.
    pub async fn receive_all(mut self) -> Vec<Http2Frame> {
        let mut frames = Vec::new();
        while let Some(frame) = self.receive().await {
            frames.push(frame);
        }
        frames
    }
}

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap_or(u32::MAX).to_be_bytes();
    let mut frame = vec![length[1], length[2], length[3], kind, flags];
    frame.extend(stream.to_be_bytes());
    frame.extend(payload);
    frame
}

/// A length in HPACK's encoding of integers with a prefix of seven bits, without Huffman coding.
fn integer(value: usize) -> Vec<u8> {
    const PREFIX: usize = 127;
    let Some(mut rest) = value.checked_sub(PREFIX) else { return vec![u8::try_from(value).unwrap_or(0)] };
    let mut bytes = vec![127];
    while rest >= 128 {
        bytes.push(u8::try_from(rest % 128).unwrap_or(0) | 128);
        rest /= 128;
    }
    bytes.push(u8::try_from(rest).unwrap_or(0));
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_are_encoded_as_in_hpack() {
        assert_eq!(integer(10), [10]);
        assert_eq!(integer(127), [127, 0]);
        assert_eq!(integer(1337), [127, 186, 9]);
    }
}

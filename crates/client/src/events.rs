//! Reads server-sent events (WHATWG HTML, section 9.2) from pieces of an answer.

use std::collections::VecDeque;
use std::time::Duration;

use futures::StreamExt;
use futures::stream::BoxStream;

/// An event that is longer is no event of ours: memory is bounded whatever answers.
const LONGEST: usize = 1024 * 1024;
/// The server gives a sign of life every 15 seconds.
pub(crate) const LONGEST_SILENCE: Duration = Duration::from_mins(1);
const DEFAULT_RETRY: Duration = Duration::from_secs(1);

type Pieces = BoxStream<'static, Result<Vec<u8>, Box<dyn std::error::Error + Send + Sync>>>;

/// What a stream tells.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Event {
    /// A sign of life.
    Comment,
    /// The data of an event.
    Message(String),
}

/// Why a stream cannot be read on.
#[derive(Debug, thiserror::Error)]
pub(crate) enum EventError {
    #[error("{0}")]
    Broken(#[source] Box<dyn std::error::Error + Send + Sync>),
    #[error("it fell silent for {} s", LONGEST_SILENCE.as_secs())]
    Silent,
    #[error("an event is longer than {LONGEST} bytes")]
    TooLong,
    #[error("an event is not UTF-8")]
    NoText,
}

/// An open stream.
pub(crate) struct Events {
    pieces: Pieces,
    /// What is not a whole line yet.
    rest: Vec<u8>,
    data: String,
    ready: VecDeque<Event>,
    retry: Duration,
}

impl Events {
    pub(crate) fn new(pieces: Pieces) -> Self {
        Self { pieces, rest: Vec::new(), data: String::new(), ready: VecDeque::new(), retry: DEFAULT_RETRY }
    }

    /// How long to wait before the stream is opened again.
    pub(crate) fn retry(&self) -> Duration {
        self.retry
    }

    /// The next event; `None` at the end of the stream.
    pub(crate) async fn next(&mut self) -> Result<Option<Event>, EventError> {
        loop {
            if let Some(event) = self.ready.pop_front() {
                return Ok(Some(event));
            }
            let piece = tokio::time::timeout(LONGEST_SILENCE, self.pieces.next()).await;
            match piece.map_err(|_| EventError::Silent)? {
                None => return Ok(None),
                Some(piece) => self.read(&piece.map_err(EventError::Broken)?)?,
            }
        }
    }

    fn read(&mut self, piece: &[u8]) -> Result<(), EventError> {
        self.rest.extend_from_slice(piece);
        let mut start = 0;
        while let Some(length) = self.rest[start..].iter().position(|byte| *byte == b'\n') {
            let line = &self.rest[start..start + length];
            let line = std::str::from_utf8(line.strip_suffix(b"\r").unwrap_or(line)).map_err(|_| EventError::NoText)?;
            let field = line.split_once(':').map(|(name, value)| (name, value.strip_prefix(' ').unwrap_or(value)));
            match field.unwrap_or((line, "")) {
                ("", "") if line.is_empty() => {
                    let data = std::mem::take(&mut self.data);
                    self.ready.extend((!data.is_empty()).then_some(Event::Message(data)));
                }
                ("", _) => self.ready.push_back(Event::Comment),
                ("data", value) => {
                    if !self.data.is_empty() {
                        self.data.push('\n');
                    }
                    self.data.push_str(value);
                }
                ("retry", value) => {
                    if let Ok(millis) = value.parse() {
                        self.retry = Duration::from_millis(millis).min(LONGEST_SILENCE);
                    }
                }
                // The id is in the data as well; there is one sort of events.
                _ => {}
            }
            start += length + 1;
        }
        self.rest.drain(..start);
        if self.rest.len() + self.data.len() > LONGEST { Err(EventError::TooLong) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use futures::stream;

    use super::*;

    fn events(text: &[u8], size: usize) -> Events {
        let pieces: Vec<_> = text.chunks(size).map(|piece| Ok(piece.to_vec())).collect();
        Events::new(stream::iter(pieces).boxed())
    }

    #[tokio::test]
    async fn events_are_the_same_however_they_are_cut() {
        let text = "retry: 250\r\n\r\n: still here\n\nid: 1\nevent: change\ndata: {\"a\":\ndata:\"é\"}\n\ndata: lost"
            .as_bytes();
        for size in 1..text.len() {
            let mut events = events(text, size);
            assert_eq!(events.next().await.unwrap(), Some(Event::Comment), "{size}");
            assert_eq!(events.next().await.unwrap(), Some(Event::Message("{\"a\":\n\"é\"}".to_owned())), "{size}");
            assert_eq!(events.next().await.unwrap(), None, "{size}");
            assert_eq!(events.retry(), Duration::from_millis(250));
        }
    }

    #[tokio::test]
    async fn what_is_no_stream_of_events_is_refused() {
        let mut long = events(&vec![b'x'; 2 * LONGEST], 4096);
        assert!(matches!(long.next().await, Err(EventError::TooLong)));
        let mut binary = events(b"data: \xff\n", 4096);
        assert!(matches!(binary.next().await, Err(EventError::NoText)));
    }

    #[tokio::test(start_paused = true)]
    async fn a_stream_that_falls_silent_is_given_up() {
        let mut events = Events::new(stream::pending().boxed());
        assert!(matches!(events.next().await, Err(EventError::Silent)));
    }
}

//! Parses server-sent events (WHATWG HTML, section 9.2) from the chunks of a response body.

use std::collections::VecDeque;
use std::time::Duration;

use futures::StreamExt;
use futures::stream::BoxStream;

/// Limit for the bytes of one event, so that memory stays bounded.
const LONGEST: usize = 1024 * 1024;
/// The server sends a comment every 15 seconds; the stream has failed if nothing arrives for this long.
pub(crate) const LONGEST_SILENCE: Duration = Duration::from_mins(1);
const DEFAULT_RETRY: Duration = Duration::from_secs(1);

type Chunks = BoxStream<'static, Result<Vec<u8>, Box<dyn std::error::Error + Send + Sync>>>;

/// An item of an event stream.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Event {
    /// A comment, which shows that the connection is alive.
    Comment,
    /// The data of an event.
    Message(String),
}

/// The reason why a stream cannot be read further.
#[derive(Debug, thiserror::Error)]
pub(crate) enum EventError {
    #[error("{0}")]
    Broken(#[source] Box<dyn std::error::Error + Send + Sync>),
    #[error("no data for {} s", LONGEST_SILENCE.as_secs())]
    Silent,
    #[error("an event is longer than {LONGEST} bytes")]
    TooLong,
    #[error("an event is not UTF-8")]
    NotUtf8,
}

/// An open stream.
pub(crate) struct Events {
    chunks: Chunks,
    /// The bytes of an incomplete line.
    rest: Vec<u8>,
    data: String,
    ready: VecDeque<Event>,
    retry: Duration,
}

impl Events {
    pub(crate) fn new(chunks: Chunks) -> Self {
        Self { chunks, rest: Vec::new(), data: String::new(), ready: VecDeque::new(), retry: DEFAULT_RETRY }
    }

    /// The time to wait before reconnecting.
    pub(crate) fn retry(&self) -> Duration {
        self.retry
    }

    /// The next event; `None` at the end of the stream.
    pub(crate) async fn next(&mut self) -> Result<Option<Event>, EventError> {
        loop {
            if let Some(event) = self.ready.pop_front() {
                return Ok(Some(event));
            }
            let chunk = tokio::time::timeout(LONGEST_SILENCE, self.chunks.next()).await;
            match chunk.map_err(|_| EventError::Silent)? {
                None => return Ok(None),
                Some(chunk) => self.read(&chunk.map_err(EventError::Broken)?)?,
            }
        }
    }

    fn read(&mut self, chunk: &[u8]) -> Result<(), EventError> {
        self.rest.extend_from_slice(chunk);
        let mut start = 0;
        while let Some(length) = self.rest[start..].iter().position(|byte| *byte == b'\n') {
            let line = &self.rest[start..start + length];
            let line =
                std::str::from_utf8(line.strip_suffix(b"\r").unwrap_or(line)).map_err(|_| EventError::NotUtf8)?;
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
                // The id is in the data as well, and there is only one type of event.
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

    fn events(bytes: &[u8], size: usize) -> Events {
        let chunks: Vec<_> = bytes.chunks(size).map(|chunk| Ok(chunk.to_vec())).collect();
        Events::new(stream::iter(chunks).boxed())
    }

    #[tokio::test]
    async fn events_do_not_depend_on_the_size_of_chunks() {
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
    async fn an_overlong_or_non_utf_8_event_is_an_error() {
        let mut long = events(&vec![b'x'; 2 * LONGEST], 4096);
        assert!(matches!(long.next().await, Err(EventError::TooLong)));
        let mut binary = events(b"data: \xff\n", 4096);
        assert!(matches!(binary.next().await, Err(EventError::NotUtf8)));
    }

    #[tokio::test(start_paused = true)]
    async fn a_stream_without_data_fails_after_a_time_limit() {
        let mut events = Events::new(stream::pending().boxed());
        assert!(matches!(events.next().await, Err(EventError::Silent)));
    }
}

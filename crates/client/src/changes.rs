//! The change feed: every mutation of the registry in one order, by pages, long polling or an event stream.

use std::fmt;
use std::time::{Duration, Instant};

use futures::StreamExt;
use futures::stream;
use model_registry_api::entities::{ChangePage, LoggedChange};

use crate::call::Call;
use crate::client::Client;
use crate::error::{Error, Result};
use crate::events::{Event, Events};
use crate::pages::Items;

const PATH: &str = "changes";
/// The page size, which is the maximum of the server.
const PAGE: u32 = 1_000;

/// The position after which a reader starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum After {
    /// After the change with this sequence; 0 is the start of the feed.
    Sequence(i64),
    /// After the newest change.
    Newest,
}

impl fmt::Display for After {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sequence(sequence) => sequence.fmt(formatter),
            Self::Newest => formatter.write_str("newest"),
        }
    }
}

/// Reads the change feed. A reader only has to remember the sequence of the last change that it has processed.
///
/// Servers delete old changes. A reader that has missed some of them gets [`Error::Gone`] and must start over: take
/// `next` of [`Self::page`] with [`After::Newest`], read the lists, and continue after that sequence.
///
/// ```no_run
/// # use futures::TryStreamExt;
/// # use model_registry_client::{After, Client};
/// # async fn example(client: Client) -> Result<(), model_registry_client::Error> {
/// let mut changes = client.changes().follow(After::Newest);
/// while let Some(change) = changes.try_next().await? {
///     println!("{} {} {} {}", change.sequence, change.verb, change.kind, change.id);
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct ChangeFeed {
    client: Client,
}

impl ChangeFeed {
    pub(crate) fn new(client: Client) -> Self {
        Self { client }
    }

    /// At most `limit` existing changes; the `next` of the page is the position of the following page.
    pub async fn page(&self, after: After, limit: u32) -> Result<ChangePage> {
        self.wait(after, limit, Duration::ZERO).await
    }

    /// Like [`Self::page`], but the server waits for a change if there is none (long polling). After `longest`, or an earlier
    /// limit of the server, the page is empty.
    pub async fn wait(&self, after: After, limit: u32, longest: Duration) -> Result<ChangePage> {
        let mut query = vec![("after", after.to_string()), ("limit", limit.to_string())];
        if !longest.is_zero() {
            query.push(("wait", longest.as_secs().max(1).to_string()));
        }
        self.client.transport.fetch(Call { more_time: longest, ..Call::get(PATH.to_owned(), query) }).await
    }

    /// All existing changes after a sequence; ends with the newest one.
    pub fn list(&self, after: i64) -> Items<LoggedChange> {
        let pages = stream::try_unfold((self.clone(), after), |(feed, after)| async move {
            let page = feed.page(After::Sequence(after), PAGE).await?;
            let is_end = page.items.is_empty();
            Ok::<_, Error>((!is_end).then(|| (stream::iter(page.items.into_iter().map(Ok)), (feed, page.next))))
        });
        futures::TryStreamExt::try_flatten(pages).boxed()
    }

    /// All existing changes, then new ones as they are made. Reconnects after a lost connection, as often in a row as
    /// [`crate::Retries`] allows. The stream ends after the first error; call again with the last sequence to continue.
    pub fn follow(&self, after: After) -> Items<LoggedChange> {
        let follower =
            Follower { feed: self.clone(), after, events: None, failures: 0, failing_since: None, has_failed: false };
        stream::unfold(follower, |mut follower| async {
            if follower.has_failed {
                return None;
            }
            let item = follower.next().await;
            follower.has_failed = item.is_err();
            Some((item, follower))
        })
        .boxed()
    }
}

/// A reader of the event stream.
struct Follower {
    feed: ChangeFeed,
    after: After,
    events: Option<Events>,
    /// Failed attempts since data was last received.
    failures: u32,
    /// The time of the first of these.
    failing_since: Option<Instant>,
    has_failed: bool,
}

impl Follower {
    async fn next(&mut self) -> Result<LoggedChange> {
        loop {
            let Some(events) = &mut self.events else {
                let sequence = self.sequence().await?;
                let transport = &self.feed.client.transport;
                let query = vec![("after", sequence.to_string())];
                match transport.open(&Call::get(PATH.to_owned(), query)).await {
                    Ok(events) => self.events = Some(events),
                    Err(failure) => {
                        self.failures += 1;
                        let since = *self.failing_since.get_or_insert_with(Instant::now);
                        transport.pause(self.failures, since, failure).await?;
                    }
                }
                continue;
            };
            match events.next().await {
                Ok(Some(Event::Comment)) => self.has_received(),
                Ok(Some(Event::Message(data))) => {
                    self.has_received();
                    let change: LoggedChange = self.feed.client.transport.parse(data.as_bytes())?;
                    self.after = After::Sequence(change.sequence);
                    return Ok(change);
                }
                // The server closed the stream; it has set the time after which to reconnect.
                Ok(None) => {
                    let pause = events.retry();
                    self.events = None;
                    tokio::time::sleep(pause).await;
                }
                Err(error) => {
                    self.events = None;
                    self.failures += 1;
                    let since = *self.failing_since.get_or_insert_with(Instant::now);
                    let transport = &self.feed.client.transport;
                    transport.pause(self.failures, since, transport.broken(error)).await?;
                }
            }
        }
    }

    fn has_received(&mut self) {
        self.failures = 0;
        self.failing_since = None;
    }

    /// The sequence to continue after. `Newest` is resolved once, so that no change is skipped if the first connection fails.
    async fn sequence(&mut self) -> Result<i64> {
        let sequence = match self.after {
            After::Sequence(sequence) => sequence,
            After::Newest => self.feed.page(After::Newest, 1).await?.next,
        };
        self.after = After::Sequence(sequence);
        Ok(sequence)
    }
}

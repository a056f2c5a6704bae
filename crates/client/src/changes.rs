//! The change feed: every mutation of the registry in one order, in pages, by waiting, or as a stream.

use std::fmt;
use std::time::Duration;

use futures::StreamExt;
use futures::stream;
use model_registry_api::entities::{ChangePage, LoggedChange};

use crate::call::Call;
use crate::client::Client;
use crate::error::{Error, Result};
use crate::events::{Event, Events};
use crate::pages::Items;

const PATH: &str = "changes";
/// What the server gives at most.
const PAGE: u32 = 1_000;

/// Where a reader of the feed begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum After {
    /// Behind this change; 0 is the beginning.
    Sequence(i64),
    /// With what comes from now on.
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

/// Reads the mutations of the registry. The sequence of the last change seen is all that a reader has to remember.
///
/// Servers delete old changes. A reader that was away for longer gets [`Error::Gone`] and begins again: it asks
/// [`Self::page`] for [`After::Newest`], reads the lists, and goes on behind the page's `next`.
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

    /// At most `limit` changes that there are now; the page's `next` leads on.
    pub async fn page(&self, after: After, limit: u32) -> Result<ChangePage> {
        self.wait(after, limit, Duration::ZERO).await
    }

    /// The same, but where there is none, the server waits for one: as long as it is told, or less, and then the page
    /// is empty.
    pub async fn wait(&self, after: After, limit: u32, longest: Duration) -> Result<ChangePage> {
        let mut query = vec![("after", after.to_string()), ("limit", limit.to_string())];
        if !longest.is_zero() {
            query.push(("wait", longest.as_secs().max(1).to_string()));
        }
        self.client.transport.fetch(Call { more_time: longest, ..Call::get(PATH.to_owned(), query) }).await
    }

    /// Every change that there is, page after page; ends at the newest.
    pub fn list(&self, after: i64) -> Items<LoggedChange> {
        let pages = stream::try_unfold((self.clone(), after), |(feed, after)| async move {
            let page = feed.page(After::Sequence(after), PAGE).await?;
            let is_end = page.items.is_empty();
            Ok::<_, Error>((!is_end).then(|| (stream::iter(page.items.into_iter().map(Ok)), (feed, page.next))))
        });
        futures::TryStreamExt::try_flatten(pages).boxed()
    }

    /// Every change that there is, and then each as it is made. It goes on by itself where the connection or the server
    /// went away, as often as [`crate::Retries`] allows without a sign of life; it ends after the first error, and
    /// another call with the last sequence seen goes on from there.
    pub fn follow(&self, after: After) -> Items<LoggedChange> {
        let follower = Follower { feed: self.clone(), after, events: None, failures: 0, has_failed: false };
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

/// A reader of the stream of events.
struct Follower {
    feed: ChangeFeed,
    after: After,
    events: Option<Events>,
    /// Failed attempts since the last sign of life.
    failures: u32,
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
                        transport.pause(self.failures, failure).await?;
                    }
                }
                continue;
            };
            match events.next().await {
                Ok(Some(Event::Comment)) => self.failures = 0,
                Ok(Some(Event::Message(data))) => {
                    self.failures = 0;
                    let change: LoggedChange = self.feed.client.transport.parse(data.as_bytes())?;
                    self.after = After::Sequence(change.sequence);
                    return Ok(change);
                }
                // The server ends each stream one day, and says after what time to come again.
                Ok(None) => {
                    let pause = events.retry();
                    self.events = None;
                    tokio::time::sleep(pause).await;
                }
                Err(error) => {
                    self.events = None;
                    self.failures += 1;
                    let transport = &self.feed.client.transport;
                    transport.pause(self.failures, transport.broken(error)).await?;
                }
            }
        }
    }

    /// Where to begin. Asked for once, so that nothing is left out when the first connection breaks.
    async fn sequence(&mut self) -> Result<i64> {
        let sequence = match self.after {
            After::Sequence(sequence) => sequence,
            After::Newest => self.feed.page(After::Newest, 1).await?.next,
        };
        self.after = After::Sequence(sequence);
        Ok(sequence)
    }
}

//! What a client reports while a request takes longer than usual.

use std::fmt;
use std::time::Duration;

use crate::error::Error;

/// A request takes longer than usual.
#[derive(Debug)]
#[non_exhaustive]
pub enum Notice<'a> {
    /// The response has not arrived yet.
    Waiting { server: &'a str, elapsed: Duration },
    /// An attempt failed; the next one starts after `wait`. `elapsed` is the time since the start of the first attempt.
    Retrying { error: &'a Error, wait: Duration, elapsed: Duration },
}

/// Called for each notice.
pub(crate) type OnNotice = Box<dyn Fn(&Notice<'_>) + Send + Sync>;

impl fmt::Display for Notice<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Waiting { server, elapsed } => {
                write!(formatter, "no response from {server} for {} s; still waiting", elapsed.as_secs())
            }
            Self::Retrying { error, wait, .. } => {
                write!(formatter, "{error}; trying again in {:.1} s", wait.as_secs_f32())
            }
        }
    }
}

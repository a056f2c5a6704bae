//! What the clients of a load sent and what was acknowledged, and its comparison with what is stored.

use std::collections::{BTreeMap, HashSet};
use std::time::{Duration, Instant};

use anyhow::Result;

use crate::api::{Api, Response};

/// A request of a client of the load, which has ended.
#[derive(Debug)]
pub(crate) struct Attempt {
    /// Name of the entities that it creates.
    name: String,
    begun: Instant,
    ended: Instant,
    /// `None` if the connection broke.
    status: Option<u16>,
    text: String,
}

impl Attempt {
    /// An attempt that ends now.
    pub(crate) fn new(name: String, begun: Instant, response: Option<&Response>) -> Self {
        let text = response.filter(|response| response.status >= 300).map(Response::text).unwrap_or_default();
        Self { name, begun, ended: Instant::now(), status: response.map(|response| response.status), text }
    }

    pub(crate) fn is_success(&self) -> bool {
        self.status.is_some_and(|status| (200..300).contains(&status))
    }
}

/// All attempts of a load.
pub(crate) struct Ledger {
    prefix: String,
    writes: Vec<Attempt>,
    probes: Vec<Attempt>,
    ended: Instant,
}

/// The number of writes that are not stored as they should be.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Damage {
    pub(crate) lost: usize,
    pub(crate) partial: usize,
}

impl Ledger {
    pub(crate) fn new(prefix: String, writes: Vec<Attempt>, probes: Vec<Attempt>) -> Self {
        Self { prefix, writes, probes, ended: Instant::now() }
    }

    pub(crate) fn acknowledged(&self) -> usize {
        self.writes.iter().filter(|attempt| attempt.is_success()).count()
    }

    /// The longest time since an instant in which no write succeeded, or no probe.
    pub(crate) fn longest_gap(&self, since: Instant) -> Duration {
        longest_gap(&self.writes, since, self.ended).max(longest_gap(&self.probes, since, self.ended))
    }

    /// The time from an instant until everything succeeds, that is until the first success after the last failure. Attempts that
    /// end after another instant, when something else may have happened, do not count.
    pub(crate) fn time_to_recover(&self, since: Instant, until: Instant) -> Duration {
        let later = || self.writes.iter().filter(|attempt| attempt.ended > since && attempt.ended <= until);
        let last_failure = later().filter(|attempt| !attempt.is_success()).map(|attempt| attempt.ended).max();
        let after = last_failure.unwrap_or(since);
        let first_success = later().filter(|attempt| attempt.is_success() && attempt.ended > after);
        let first_success = first_success.map(|attempt| attempt.ended).min();
        first_success.unwrap_or(until) - since
    }

    /// Statuses that a client cannot act upon: everything except success, 503 and 504, with an example of each.
    pub(crate) fn unexpected_statuses(&self) -> Vec<String> {
        let mut found = BTreeMap::new();
        for attempt in self.writes.iter().chain(&self.probes) {
            let Some(status) = attempt.status.filter(|status| ![503, 504].contains(status)) else { continue };
            if !attempt.is_success() {
                found.entry(status).or_insert((0, &attempt.text)).0 += 1;
            }
        }
        found.into_iter().map(|(status, (count, text))| format!("{count} times {status}: {text}")).collect()
    }

    /// Reads everything that is stored: each acknowledged write has to be complete, and each other one complete or absent.
    pub(crate) async fn compare(&self, api: &Api) -> Result<Damage> {
        let models = api.names("registered_models", &self.prefix).await?;
        let versions = api.names("model_versions", &self.prefix).await?;
        let artifacts = api.names("model_artifacts", &self.prefix).await?;
        Ok(self.damage(&models, &versions, &artifacts))
    }

    fn damage(&self, models: &HashSet<String>, versions: &HashSet<String>, artifacts: &HashSet<String>) -> Damage {
        let stored = [models, versions, artifacts];
        let copies = |attempt: &Attempt| stored.iter().filter(|names| names.contains(&attempt.name)).count();
        let lost = self.writes.iter().filter(|attempt| attempt.is_success() && copies(attempt) == 0).count();
        let partial = self.writes.iter().filter(|attempt| (1..stored.len()).contains(&copies(attempt))).count();
        Damage { lost, partial }
    }
}

fn longest_gap(attempts: &[Attempt], since: Instant, ended: Instant) -> Duration {
    let successes = attempts.iter().filter(|attempt| attempt.is_success() && attempt.ended > since);
    let mut times: Vec<Instant> = successes.map(|attempt| attempt.ended).collect();
    // A request in flight at the end of the load counts until its response.
    times.push(attempts.iter().map(|attempt| attempt.begun).max().unwrap_or(ended).max(since));
    times.sort();
    let mut longest = Duration::ZERO;
    let mut before = since;
    for time in times {
        longest = longest.max(time.saturating_duration_since(before));
        before = time;
    }
    longest
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Attempts that begin at the start and end after so many seconds, with their statuses.
    fn attempts(start: Instant, ends: &[(u64, Option<u16>)]) -> Vec<Attempt> {
        let attempt = |(number, (seconds, status)): (usize, &(u64, Option<u16>))| Attempt {
            name: format!("w{number}"),
            begun: start,
            ended: start + Duration::from_secs(*seconds),
            status: *status,
            text: String::new(),
        };
        ends.iter().enumerate().map(attempt).collect()
    }

    fn ledger(start: Instant, ends: &[(u64, Option<u16>)]) -> Ledger {
        Ledger::new("w".to_owned(), attempts(start, ends), attempts(start, &[(1, Some(200))]))
    }

    #[test]
    fn the_time_to_recover_ends_with_the_first_success_after_the_last_failure() {
        let start = Instant::now();
        let ledger = ledger(start, &[(1, Some(201)), (3, Some(201)), (7, Some(503)), (9, Some(201)), (10, Some(201))]);
        let second = |seconds| start + Duration::from_secs(seconds);
        assert_eq!(ledger.time_to_recover(second(2), second(20)), Duration::from_secs(7));
        assert_eq!(ledger.time_to_recover(second(8), second(20)), Duration::from_secs(1));
        assert_eq!(ledger.time_to_recover(second(2), second(6)), Duration::from_secs(1));
    }

    #[test]
    fn the_longest_gap_is_that_between_two_successes() {
        let start = Instant::now();
        let ledger = ledger(start, &[(1, Some(201)), (3, None), (6, Some(201)), (7, Some(201))]);
        assert_eq!(ledger.longest_gap(start), Duration::from_secs(5));
    }

    #[test]
    fn a_client_that_gets_no_response_has_a_gap_until_the_end() {
        let start = Instant::now();
        let mut writes = attempts(start, &[(1, Some(201)), (9, None)]);
        writes[1].begun = start + Duration::from_secs(8);
        assert_eq!(longest_gap(&writes, start, start), Duration::from_secs(7));
    }

    #[test]
    fn acknowledged_writes_are_complete_and_others_complete_or_absent() {
        let ledger = ledger(Instant::now(), &[(1, Some(201)), (1, Some(201)), (1, None), (1, None)]);
        let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        let damage = ledger.damage(&names(&["w0", "w2"]), &names(&["w0", "w2"]), &names(&["w0"]));
        assert_eq!(damage, Damage { lost: 1, partial: 1 });
    }

    #[test]
    fn statuses_other_than_503_and_504_are_unexpected() {
        let ledger =
            ledger(Instant::now(), &[(1, Some(201)), (1, Some(503)), (1, Some(504)), (1, Some(500)), (1, None)]);
        assert_eq!(ledger.unexpected_statuses(), ["1 times 500: "]);
    }
}

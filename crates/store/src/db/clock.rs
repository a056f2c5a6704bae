//! One clock for all replicas: that of the database.
//!
//! Replicas compare times that others have stored: is a change older than the retention, is a sync due, has a response expired?
//! By its own clock, a replica that is a day ahead would delete what others have just written. So the time of a store is that
//! of its database when it was last measured, plus the time that has passed since then by the monotonic clock. The clock of
//! the machine counts only until the first connection. Leases do not even rely on that: see `lease.rs`.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::time::{Duration, Instant};

use model_registry_base::Clock;
use sea_query::Expr;

use crate::dialect::Dialect;

/// Differences up to this are errors of the measurement: the time does not step.
const TOLERANCE: i64 = 250;
/// Beyond this difference, in milliseconds, a clock should be corrected.
const WARNED_FROM: i64 = 5_000;
/// Before the first measurement.
const UNKNOWN: i64 = i64::MIN;

/// The database's time in milliseconds since the Unix epoch, as a part of a statement.
pub(crate) fn database_time(dialect: Dialect) -> Expr {
    Expr::cust(match dialect {
        Dialect::Sqlite => "CAST(ROUND(unixepoch('subsec') * 1000) AS INTEGER)",
        Dialect::Postgres => "(EXTRACT(EPOCH FROM clock_timestamp()) * 1000)::bigint",
        // Independent of time zones and their changes.
        Dialect::MySql => {
            "CAST(TIMESTAMPDIFF(MICROSECOND, '1970-01-01 00:00:00', UTC_TIMESTAMP(3)) DIV 1000 AS SIGNED)"
        }
    })
}

/// The time of the database as far as this process knows it.
pub(crate) struct DatabaseClock {
    machine: Clock,
    started: Instant,
    /// The database's time when `started` was taken, in milliseconds since the Unix epoch.
    time_at_start: AtomicI64,
    /// How far the machine's clock is ahead, in milliseconds.
    skew: AtomicI64,
    is_reported: AtomicBool,
}

impl DatabaseClock {
    /// The clock of a store on this machine.
    pub(crate) fn new(machine: Clock) -> Arc<Self> {
        Arc::new(Self {
            machine,
            started: Instant::now(),
            time_at_start: AtomicI64::new(UNKNOWN),
            skew: AtomicI64::new(UNKNOWN),
            is_reported: AtomicBool::new(false),
        })
    }

    /// The clock for all who compare times. A simulated one stays as it is.
    pub(crate) fn clock(self: &Arc<Self>) -> Clock {
        if self.machine.is_simulated() {
            return self.machine.clone();
        }
        let this = Arc::clone(self);
        Clock::real(move || this.now())
    }

    /// Seconds by which the clock of this machine is ahead of that of the database, once it has been measured.
    pub(crate) fn skew_seconds(&self) -> Option<f64> {
        let skew = self.skew.load(Ordering::Relaxed);
        #[expect(clippy::cast_precision_loss, reason = "a difference of 2^53 ms is a rounded number of millennia")]
        (skew != UNKNOWN).then_some(skew as f64 / 1000.0)
    }

    fn now(&self) -> i64 {
        match self.time_at_start.load(Ordering::Relaxed) {
            UNKNOWN => self.machine.now(),
            time_at_start => time_at_start.saturating_add(milliseconds(self.started.elapsed())),
        }
    }

    /// Takes over the time that the database reported during a round trip that has just ended.
    pub(crate) fn measured(&self, time: i64, round_trip: Duration) {
        if self.machine.is_simulated() {
            return;
        }
        let half = milliseconds(round_trip) / 2;
        let time_now = time.saturating_add(half);
        let tolerance = TOLERANCE + half;
        let known = self.time_at_start.load(Ordering::Relaxed);
        if known == UNKNOWN || (self.now() - time_now).abs() > tolerance {
            let time_at_start = time_now.saturating_sub(milliseconds(self.started.elapsed()));
            self.time_at_start.store(time_at_start, Ordering::Relaxed);
        }
        let skew = self.machine.now().saturating_sub(time_now);
        // What the round trip may account for is not a difference.
        let skew = if skew.abs() <= half { 0 } else { skew };
        self.skew.store(skew, Ordering::Relaxed);
        self.report(skew);
    }

    fn report(&self, skew: i64) {
        let is_large = skew.abs() > WARNED_FROM;
        if self.is_reported.swap(is_large, Ordering::Relaxed) == is_large {
            return;
        }
        let seconds = skew / 1000;
        if is_large {
            tracing::warn!(
                seconds,
                "the clock of this machine differs from that of the database: synchronise both, for example by NTP; until \
                 then, times are those of the database"
            );
        } else {
            tracing::info!(seconds, "the clock of this machine agrees with that of the database again");
        }
    }
}

fn milliseconds(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: i64 = 24 * 60 * 60 * 1000;

    #[test]
    fn the_time_is_that_of_the_database_whatever_the_clock_of_the_machine_says() {
        let database = Clock::system();
        for error in [0, DAY, -DAY, 50 * 365 * DAY] {
            let clock = DatabaseClock::new(Clock::wrong_by(error));
            assert!(clock.skew_seconds().is_none());
            assert!((clock.clock().now() - database.now() - error).abs() < DAY / 2, "the machine's, until it is known");
            clock.measured(database.now(), Duration::ZERO);
            assert!((clock.clock().now() - database.now()).abs() < DAY / 2, "{error}");
            #[expect(clippy::cast_precision_loss, reason = "small")]
            let skew = clock.skew_seconds().unwrap() - error as f64 / 1000.0;
            assert!(skew.abs() < 3600.0, "{error}: {skew}");
        }
    }

    #[test]
    fn the_time_steps_only_by_more_than_the_error_of_the_measurement() {
        let clock = DatabaseClock::new(Clock::system());
        clock.measured(1_000_000, Duration::ZERO);
        let first = clock.time_at_start.load(Ordering::Relaxed);
        let now = clock.now();
        clock.measured(now + TOLERANCE / 2, Duration::ZERO);
        clock.measured(now - 10_000, Duration::from_secs(25));
        assert_eq!(clock.time_at_start.load(Ordering::Relaxed), first);
        clock.measured(now + DAY, Duration::ZERO);
        assert!(clock.now() >= now + DAY);
    }

    #[test]
    fn a_simulated_clock_is_left_alone() {
        let clock = DatabaseClock::new(Clock::new(|| 7));
        clock.measured(1_000_000, Duration::ZERO);
        assert_eq!((clock.clock().now(), clock.skew_seconds()), (7, None));
    }
}

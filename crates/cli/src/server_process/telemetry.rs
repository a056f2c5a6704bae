//! The metrics of the store and of the memory budget.

use model_registry_base::MemoryBudget;
use model_registry_server::telemetry::Metrics;
use model_registry_store::{Database, Store};

use super::database_probe::DatabaseProbe;

pub(super) fn register(metrics: &Metrics, store: &Store, probe: &DatabaseProbe, memory: &MemoryBudget) {
    for (name, help, pool) in [
        ("memory_bodies_bytes", "Memory that received request bodies take of the budget", &memory.bodies),
        ("memory_work_bytes", "Memory that large requests and documents take of the budget", &memory.work),
        (
            "memory_updates_bytes",
            "Memory that large documents take of the budget while they are updated",
            &memory.updates,
        ),
        ("memory_small_work_bytes", "Memory that small requests take of the budget", &memory.small_work),
        ("memory_responses_bytes", "Memory that responses take of the budget until they are sent", &memory.responses),
    ] {
        let pool = pool.clone();
        #[expect(clippy::cast_precision_loss, reason = "fewer bytes than 2^53")]
        metrics.gauge(name, help, move || pool.used() as f64);
    }
    let probe = probe.clone();
    metrics.gauge(
        "database_ready",
        "1 if the database responds and stores writes, otherwise 0; probed every five seconds",
        move || f64::from(u8::from(probe.is_ready())),
    );
    let database_gauge = |name, help, read: fn(&Database) -> f64| {
        let store = store.clone();
        metrics.gauge(name, help, move || store.database().map_or(0.0, read));
    };
    database_gauge("database_pool_connections", "Open connections to the database", |database| {
        f64::from(database.pool_status().open)
    });
    database_gauge("database_pool_idle_connections", "Idle connections to the database", |database| {
        f64::from(database.pool_status().idle)
    });
    database_gauge("database_pool_max_connections", "Maximum number of open connections to the database", |database| {
        f64::from(database.pool_status().max)
    });
    let clock = store.clone();
    metrics.gauge(
        "database_clock_skew_seconds",
        "Seconds by which the clock of this machine is ahead of that of the database",
        move || clock.clock_skew().unwrap_or(0.0),
    );
    let sequence_gauge = |name, help, read: fn(&Store) -> i64| {
        let store = store.clone();
        #[expect(clippy::cast_precision_loss, reason = "a sequence over 2^53 is rounded")]
        metrics.gauge(name, help, move || read(&store) as f64);
    };
    sequence_gauge("change_sequence", "Sequence number of the newest change", Store::newest_known_change);
    sequence_gauge("change_oldest_sequence", "Sequence number of the oldest change", Store::oldest_known_change);
    let feed = store.clone();
    metrics.counter("changes_deleted", "Changes deleted by retention", move || feed.deleted_changes());
    let store = store.clone();
    metrics.counter("database_statements", "Statements sent to the database", move || {
        store.database().map_or(0, Database::statements)
    });
}

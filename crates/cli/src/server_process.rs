//! Runs the servers of one process on one port. The socket opens first; the database is connected in the background.

mod database_probe;
mod exposure;
mod health;
mod routes;
mod telemetry;
#[cfg(test)]
mod tests;

use std::convert::Infallible;
use std::future::pending;
use std::time::Duration;

use anyhow::Context;
use model_registry_base::Clock;
use model_registry_catalog::Catalog;
use model_registry_registry::Registry;
use model_registry_server::config::{self as key, Group, Settings, Telemetry};
use model_registry_server::telemetry::Metrics;
use model_registry_server::{auth, fallback, layers, listener};
use model_registry_store::{ConnectError, DatabaseUrl, Store};

use crate::database;
use database_probe::DatabaseProbe;

pub(crate) use exposure::Anonymous;

/// The groups of settings of every server.
pub(crate) const GROUPS: [Group; 9] = [
    Group::Listen,
    Group::Database,
    Group::Auth,
    Group::Tls,
    Group::Limits,
    Group::Cors,
    Group::Log,
    Group::Telemetry,
    Group::Ignored,
];

/// How long the end of the process waits for threads that compute or read files: a file system may not respond.
const SHUTDOWN: Duration = Duration::from_secs(1);

/// The APIs that a process serves.
pub(crate) enum Apis {
    Registry,
    Catalog(model_registry_catalog::Settings),
    Both(model_registry_catalog::Settings),
}

impl Apis {
    fn has_registry(&self) -> bool {
        !matches!(self, Self::Catalog(_))
    }

    fn catalog(self, store: &Store) -> Option<Catalog> {
        match self {
            Self::Registry => None,
            Self::Catalog(settings) | Self::Both(settings) => Some(Catalog::new(store.clone(), settings)),
        }
    }
}

/// Runs until a signal stops the process. `started` is called with the base URL when the socket is open.
pub(crate) fn run(
    settings: &Settings,
    database: DatabaseUrl,
    anonymous: Anonymous,
    apis: Apis,
    started: impl FnOnce(&str),
) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().context("cannot start threads")?;
    let result = runtime.block_on(async {
        let telemetry = settings.start_log()?;
        serve(settings, &telemetry, database, anonymous, apis, started).await
    });
    runtime.shutdown_timeout(SHUTDOWN);
    result
}

async fn serve(
    settings: &Settings,
    telemetry: &Telemetry,
    database_url: DatabaseUrl,
    anonymous: Anonymous,
    apis: Apis,
    started: impl FnOnce(&str),
) -> anyhow::Result<()> {
    let (host, port) = settings.listen_address()?;
    let auth = settings.auth(routes::rules())?;
    let tls = settings.tls()?;
    // Before the socket opens: from then on, the process may be asked to stop.
    let stop = listener::stop_signal();
    let socket = listener::bind(&host, port).await?;
    let address = socket.local_addr().context("the socket has no address")?;
    exposure::check(settings, &auth, address, anonymous)?;
    let memory = settings.memory()?;
    let (store, connect) =
        Store::connect_in_background(database_url, database::pool_options(settings), Clock::system());
    let store = store.with_memory(memory.clone());

    let probe = DatabaseProbe::default();
    let has_registry = apis.has_registry();
    let registry = has_registry.then(|| Registry::new(store.clone()));
    let catalog = apis.catalog(&store);
    let mut options = settings.layer_options(health::checks(&store, has_registry, catalog.as_ref()));
    options.memory = memory.clone();
    options.hosts = settings.allowed_hosts(address, auth.authenticator.is_anonymous())?;
    if settings.is_on(&key::TELEMETRY_METRICS) {
        let metrics = Metrics::new(&[("version", env!("CARGO_PKG_VERSION").to_owned())]);
        telemetry::register(&metrics, &store, &probe, &memory);
        if let Some(catalog) = &catalog {
            catalog.register_metrics(&metrics);
        }
        telemetry.export(&metrics);
        options.metrics = Some(metrics);
    }
    if let Some(sunset) = settings.alpha_sunset() {
        if has_registry {
            tracing::info!("Alpha API (v1alpha3) deprecation headers enabled; sunset date: {sunset}");
            options.deprecations.push(model_registry_registry::alpha_deprecation(&sunset));
        }
        if catalog.is_some() {
            tracing::info!("Alpha API of the catalog (v1alpha1) deprecation headers enabled; sunset date: {sunset}");
            options.deprecations.push(model_registry_catalog::alpha_deprecation(&sunset));
        }
    }
    let routes = routes::all(registry, catalog.as_ref(), options.metrics.as_ref());
    let service = layers::wrap(auth::protect(fallback::finish(routes), auth), options);
    let scheme = if tls.is_some() { "https" } else { "http" };
    let listener_options = listener::Options { tls, ..settings.listener_options() };

    started(&format!("{scheme}://{address}"));
    let retention = has_registry.then(|| settings.duration(&key::CHANGES_RETENTION));
    let background = async {
        match connect.await {
            Ok(()) => match Box::pin(run_tasks(&store, retention)).await {},
            Err(error) => error,
        }
    };
    let loading = async {
        match catalog.clone() {
            Some(catalog) => catalog.run().await,
            None => pending().await,
        }
    };
    tokio::select! {
        served = listener::serve(socket, service, listener_options, stop) => served?,
        error = background => return Err(connect_error(error)),
        never = loading => match never {},
        never = probe.run(store.clone()) => match never {},
    }
    if let Some(catalog) = &catalog {
        catalog.stop().await;
    }
    if let Ok(database) = store.database() {
        database.close().await;
    }
    Ok(())
}

/// Runs the background tasks of the store. `retention` is that of the change feed, if the registry is served.
async fn run_tasks(store: &Store, retention: Option<Duration>) -> Infallible {
    let delete_changes = async {
        match retention {
            Some(retention) => store.clone().delete_old_changes_in_background(retention).await,
            None => pending().await,
        }
    };
    tokio::select! {
        never = delete_changes => never,
        never = store.clone().housekeeping() => never,
        never = store.clone().assign_sequences_in_background() => never,
    }
}

/// Log watchers of existing deployments search for the marker in the message (parity).
fn connect_error(error: ConnectError) -> anyhow::Error {
    tracing::error!(error = &error as &dyn std::error::Error, "{{{{ALERT}}}} error connecting to datastore");
    anyhow::Error::new(error)
}

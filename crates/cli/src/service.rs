//! Runs the servers of one process, on one port: socket first, database behind it, until a signal.

use std::net::SocketAddr;

use anyhow::Context;
use axum::Router;
use axum::http::HeaderMap;
use axum::routing::get;
use model_registry_base::Clock;
use model_registry_catalog::Catalog;
use model_registry_registry::Registry;
use model_registry_server::auth::{self, Auth, Rules};
use model_registry_server::config::{self as key, Group, Settings, Telemetry};
use model_registry_server::health::{Health, Outcome, Scope};
use model_registry_server::metrics::Metrics;
use model_registry_server::openapi::ServedDocument;
use model_registry_server::{docs, fallback, layers, serve};
use model_registry_store::{ConnectError, Database, DatabaseUrl, PoolOptions, Store};

/// The settings that every role honours, whatever it serves.
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

/// Where a server may listen while nobody is asked who they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Anonymous {
    OnLoopback,
    Everywhere,
}

/// What a process serves.
pub(crate) enum Roles {
    Registry,
    Catalog(model_registry_catalog::Settings),
    Both(model_registry_catalog::Settings),
}

impl Roles {
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

/// Runs until a signal asks for the end. `started` is called once with the base URL, when the socket listens.
pub(crate) fn run(
    settings: &Settings,
    source: DatabaseUrl,
    anonymous: Anonymous,
    roles: Roles,
    started: impl FnOnce(&str),
) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().context("cannot start threads")?;
    runtime.block_on(async {
        let telemetry = settings.start_log()?;
        serve_roles(settings, &telemetry, source, anonymous, roles, started).await
    })
}

async fn serve_roles(
    settings: &Settings,
    telemetry: &Telemetry,
    source: DatabaseUrl,
    anonymous: Anonymous,
    roles: Roles,
    started: impl FnOnce(&str),
) -> anyhow::Result<()> {
    let (host, port) = settings.listen_address()?;
    let auth = settings.auth(rules())?;
    let tls = settings.tls()?;
    // Whoever sees the port may ask for the end.
    let stop = serve::stop_signal();
    let listener = serve::bind(&host, port).await?;
    let address = listener.local_addr().context("the socket has no address")?;
    check_exposure(settings, &auth, address, anonymous)?;
    let (store, connect) = Store::connect_in_background(source, PoolOptions::default(), Clock::system());

    let metrics = Metrics::new(&[("version", env!("CARGO_PKG_VERSION").to_owned())]);
    let has_registry = roles.has_registry();
    let registry = has_registry.then(|| Registry::new(store.clone()));
    let catalog = roles.catalog(&store);
    let mut health = health(&store);
    if let Some(catalog) = &catalog {
        let checked = catalog.clone();
        health = health.check("catalog", Scope::Service, move || checked.clone().check());
    }
    let mut options = settings.layer_options(health);
    if settings.is_on(&key::TELEMETRY_METRICS) {
        register_metrics(&metrics, &store);
        if let Some(catalog) = &catalog {
            catalog.register_metrics(&metrics);
        }
        telemetry.export(&metrics);
        options.metrics = Some(metrics);
    }
    let routes = routes(registry, catalog.as_ref(), options.metrics.as_ref());
    let service = layers::wrap(auth::protect(fallback::finish(routes), auth), options);
    let scheme = if tls.is_some() { "https" } else { "http" };
    let serve_options = serve::Options { tls, ..settings.serve_options() };

    started(&format!("{scheme}://{address}"));
    let retention = store.clone();
    let retention = async {
        if has_registry {
            retention.delete_old_changes_in_background(settings.duration(&key::CHANGES_RETENTION)).await
        } else {
            std::future::pending().await
        }
    };
    let connected = async {
        match connect.await {
            Ok(()) => tokio::select! {
                never = retention => match never {},
                never = store.clone().housekeeping() => match never {},
                never = store.clone().assign_sequences_in_background() => match never {},
            },
            Err(error) => error,
        }
    };
    let loading = async {
        match catalog.clone() {
            Some(catalog) => match catalog.run().await {},
            None => std::future::pending::<std::convert::Infallible>().await,
        }
    };
    tokio::select! {
        served = serve::serve(listener, service, serve_options, stop) => served?,
        error = connected => return Err(datastore_error(error)),
        never = loading => match never {},
    }
    if let Some(catalog) = &catalog {
        catalog.stop().await;
    }
    if let Ok(database) = store.database() {
        database.close().await;
    }
    Ok(())
}

/// Every route of a process, but for the probes, which the layers answer.
fn routes(registry: Option<Registry>, catalog: Option<&Catalog>, metrics: Option<&Metrics>) -> Router {
    let mut routes = Router::new();
    let mut documents = Vec::new();
    if let Some(registry) = registry {
        routes = routes.merge(model_registry_registry::router(registry));
        documents.push(("Registry", "/openapi.json"));
    }
    if let Some(catalog) = catalog {
        routes = routes.merge(model_registry_catalog::router(catalog.clone()));
        if documents.is_empty() {
            // Where a document is looked for first.
            let document = ServedDocument::new(&model_registry_catalog::openapi_document());
            let serve = get(async move |headers: HeaderMap| document.answer(&headers));
            routes = routes.route("/openapi.json", serve);
        }
        documents.push(("Catalog", model_registry_catalog::OPENAPI_PATH));
    }
    routes = routes.merge(docs::router(&documents));
    if let Some(metrics) = metrics {
        routes = routes.merge(metrics.router());
    }
    routes
}

/// What each route needs; a test asks for a rule of every route.
fn rules() -> Rules {
    Rules::new(&[model_registry_catalog::RULES, auth::DEFAULT_RULES])
}

/// Nobody is asked who they are on loopback only, unless that was asked for; `proxy` implies it.
fn check_exposure(
    settings: &Settings,
    auth: &Auth,
    address: SocketAddr,
    anonymous: Anonymous,
) -> Result<(), auth::ExposureError> {
    let allowed = settings.is_on(&key::ALLOW_ANONYMOUS);
    let checked = auth::check_exposure(&auth.authenticator, address, allowed);
    match (checked, anonymous) {
        (Err(_), Anonymous::Everywhere) => {
            tracing::warn!(%address, "everybody who reaches this address can change everything: set --auth-mode, or let a mesh check callers");
            Ok(())
        }
        (checked, _) => checked,
    }
}

/// The marker is what log watchers of existing deployments look for (parity, registry-server 5.2).
fn datastore_error(error: ConnectError) -> anyhow::Error {
    tracing::error!(error = &error as &dyn std::error::Error, "{{{{ALERT}}}} error connecting to datastore");
    anyhow::Error::new(error)
}

fn health(store: &Store) -> Health {
    let database = store.clone();
    let service = store.clone();
    Health::new().check("database", Scope::Storage, move || check_database(database.clone())).check(
        "model-registry",
        Scope::Service,
        move || std::future::ready(check_service(&service)),
    )
}

async fn check_database(store: Store) -> Outcome {
    let Ok(database) = store.database() else {
        return Outcome::fail("database connector not initialized");
    };
    match database.ping().await {
        Ok(()) => Outcome::pass("database is healthy")
            .with("schema_version", database.schema_version())
            .with("schema_dirty", false),
        Err(error) => Outcome::fail(format!("database connection error: {error}")),
    }
}

fn check_service(store: &Store) -> Outcome {
    match store.database() {
        Ok(_) => Outcome::pass("model registry service is healthy").with("service_ready", true),
        Err(_) => Outcome::fail("model registry service not yet initialized").with("service_ready", false),
    }
}

fn register_metrics(metrics: &Metrics, store: &Store) {
    let read = |read: fn(&Database) -> f64| {
        let store = store.clone();
        move || store.database().map_or(0.0, read)
    };
    metrics.gauge("database_ready", "1 when the database has been connected to", read(|_| 1.0));
    metrics.gauge(
        "database_pool_connections",
        "Open connections to the database",
        read(|database| f64::from(database.pool_status().open)),
    );
    metrics.gauge(
        "database_pool_idle_connections",
        "Open connections to the database that nobody uses",
        read(|database| f64::from(database.pool_status().idle)),
    );
    let feed = store.clone();
    #[expect(clippy::cast_precision_loss, reason = "a number past 2^53 is shown rounded")]
    metrics.gauge("change_sequence", "Sequence of the newest change in the feed", move || {
        feed.newest_known_change() as f64
    });
    let feed = store.clone();
    #[expect(clippy::cast_precision_loss, reason = "a number past 2^53 is shown rounded")]
    metrics.gauge("change_oldest_sequence", "Sequence of the oldest change that is kept", move || {
        feed.oldest_known_change() as f64
    });
    let feed = store.clone();
    metrics.counter("changes_deleted", "Changes deleted because they were older than they are kept", move || {
        feed.deleted_changes()
    });
    let store = store.clone();
    metrics.counter("database_statements", "Statements sent to the database", move || {
        store.database().map_or(0, Database::statements)
    });
}

#[cfg(test)]
mod tests;

//! The health checks of a process. Their messages are those of the Kubeflow Model Registry (parity).
//!
//! `/readyz` of a process that serves the catalog alone reports on its asset types, as the Kubeflow Model Catalog does (parity).

use model_registry_base::ConnectionProblem;
use model_registry_catalog::Catalog;
use model_registry_server::health::{Health, Outcome, Scope};
use model_registry_store::{Store, StoreError};

pub(super) fn checks(store: &Store, has_registry: bool, catalog: Option<&Catalog>) -> Health {
    let (database, service) = (store.clone(), store.clone());
    let health = Health::new().check("database", Scope::Storage, move || check_database(database.clone())).check(
        "model-registry",
        Scope::Service,
        move || std::future::ready(check_service(&service)),
    );
    let Some(catalog) = catalog.cloned() else { return health };
    let health = health.check("catalog", Scope::Service, move || catalog.clone().check());
    if has_registry { health } else { health.plugins(model_registry_catalog::plugins()) }
}

async fn check_database(store: Store) -> Outcome {
    let Ok(database) = store.database() else {
        return Outcome::fail("database connector not initialized");
    };
    match store.probe().await {
        Ok(()) => Outcome::pass("database is healthy")
            .with("schema_version", database.schema_version())
            .with("schema_dirty", false),
        Err(StoreError::Storage { problem, .. }) => Outcome::fail(problem.to_string()),
        Err(error) => {
            // Without the messages of the database server, which name its users; the log has them.
            let remedy =
                ConnectionProblem::of(&error).map_or_else(|| error.to_string(), |found| found.remedy().to_owned());
            Outcome::fail(format!("database connection error: {remedy}"))
        }
    }
}

fn check_service(store: &Store) -> Outcome {
    match store.database() {
        Ok(_) => Outcome::pass("model registry service is healthy").with("service_ready", true),
        Err(_) => Outcome::fail("model registry service not yet initialized").with("service_ready", false),
    }
}

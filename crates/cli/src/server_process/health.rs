//! The health checks of a process. Their messages are those of the Kubeflow Model Registry (parity).

use model_registry_base::ConnectionProblem;
use model_registry_catalog::Catalog;
use model_registry_server::health::{Health, Outcome, Scope};
use model_registry_store::Store;

pub(super) fn checks(store: &Store, catalog: Option<&Catalog>) -> Health {
    let (database, service) = (store.clone(), store.clone());
    let health = Health::new().check("database", Scope::Storage, move || check_database(database.clone())).check(
        "model-registry",
        Scope::Service,
        move || std::future::ready(check_service(&service)),
    );
    match catalog.cloned() {
        Some(catalog) => health.check("catalog", Scope::Service, move || catalog.clone().check()),
        None => health,
    }
}

async fn check_database(store: Store) -> Outcome {
    let Ok(database) = store.database() else {
        return Outcome::fail("database connector not initialized");
    };
    match database.ping().await {
        Ok(()) => Outcome::pass("database is healthy")
            .with("schema_version", database.schema_version())
            .with("schema_dirty", false),
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

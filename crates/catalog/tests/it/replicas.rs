//! Several replicas on one database: one loads, all serve.

use model_registry_catalog::Catalog;
use model_registry_testkit::{Backend, on_each_database};

use crate::support::{Api, Files, eventually};

on_each_database!(a_replica_takes_over_from_one_that_died);

const SOURCES: &str = "model_catalogs:\n- {id: a, name: A, type: yaml, properties: {yamlCatalogPath: a.yaml}}\n";

async fn a_replica_takes_over_from_one_that_died(backend: Backend) {
    // A SQLite database has one process.
    if backend == Backend::Sqlite {
        return;
    }
    let files = Files::new(&[("sources.yaml", SOURCES), ("a.yaml", "models: [{name: zero}]")]);
    let api = Api::on(backend, files.settings()).await;
    let first = Catalog::new(api.store.clone(), files.settings());
    let second = Catalog::new(api.store.clone(), files.settings());
    let dying = tokio::spawn(first.clone().run());
    eventually("the first replica loads", async || first.is_loaded()).await;
    let surviving = tokio::spawn(second.clone().run());
    files.write("a.yaml", "models: [{name: one}]");
    eventually("the first replica reloads", async || api.names("models").await == ["one"]).await;
    eventually("the second replica sees the load", async || second.is_loaded()).await;

    // Like a process that is killed: the lease is not released.
    dying.abort();
    files.write("a.yaml", "models: [{name: two}]");
    eventually("the second replica reloads", async || api.names("models").await == ["two"]).await;
    surviving.abort();
}

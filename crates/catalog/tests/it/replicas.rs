//! Several replicas on one database: one loads, all serve.

use std::time::{Duration, Instant};

use model_registry_catalog::Catalog;
use model_registry_testkit::{Backend, backends};

use crate::support::{Api, Files};

const SOURCES: &str = "model_catalogs:\n- {id: a, name: A, type: yaml, properties: {yamlCatalogPath: a.yaml}}\n";

async fn wait_for(api: &Api, name: &str, most: Duration) {
    let started = Instant::now();
    while api.names("models").await != [name] {
        assert!(started.elapsed() < most, "`{name}` did not appear");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

#[tokio::test]
async fn a_replica_takes_over_from_one_that_died() {
    for backend in backends().into_iter().filter(|backend| *backend != Backend::Sqlite) {
        let files = Files::new(&[("sources.yaml", SOURCES), ("a.yaml", "models: [{name: zero}]")]);
        let api = Api::on(backend, files.settings()).await;
        let first = Catalog::new(api.store.clone(), files.settings());
        let second = Catalog::new(api.store.clone(), files.settings());
        let dying = tokio::spawn(first.clone().run());
        while !first.is_loaded() {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        let surviving = tokio::spawn(second.clone().run());
        files.write("a.yaml", "models: [{name: one}]");
        wait_for(&api, "one", Duration::from_secs(5)).await;
        assert!(second.is_loaded());

        // Killed: nobody gives the lease up.
        dying.abort();
        files.write("a.yaml", "models: [{name: two}]");
        wait_for(&api, "two", Duration::from_secs(15)).await;
        surviving.abort();
    }
}

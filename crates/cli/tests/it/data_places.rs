//! The default location of data, and databases in memory.

use model_registry_testkit::{Executable, Ready};
use serde_json::json;
use tempfile::TempDir;

use crate::support::{Client, PROGRAM, eventually, role_on};

#[tokio::test]
async fn data_is_in_the_data_directory_of_the_user_by_default() {
    let elsewhere = TempDir::new().unwrap();
    for (role, file, ready) in [("up", "registry.db", Ready::Healthy), ("catalog", "catalog.db", Ready::Listening)] {
        for data_home in [None, Some(elsewhere.path().join(role))] {
            let mut launch = Executable::launch(PROGRAM).arguments([role, "--listen", "127.0.0.1:{port}"]).ready(ready);
            if let Some(directory) = &data_home {
                launch = launch.variable("XDG_DATA_HOME", directory.to_str().unwrap());
            }
            let mut server = launch.start().await.unwrap();
            let client = Client::of(&server);
            if role != "catalog" {
                client.create("registered_models", &json!({"name": "kept"})).await;
            }
            let directory = data_home.unwrap_or_else(|| server.directory().join(".local/share"));
            let path = directory.join("model-registry").join(file);
            eventually(&format!("{role} keeps its data in {}", path.display()), async || path.is_file()).await;
            assert!(server.terminate().await.unwrap().success(), "{}", server.log());
            if role != "catalog" {
                server.start_again().await.unwrap();
                client.read("registered_model?name=kept").await;
            }
        }
    }
}

#[tokio::test]
async fn a_database_in_memory_serves_concurrent_requests_and_leaves_no_files() {
    let mut server = role_on("server", "sqlite::memory:").start().await.unwrap();
    let client = Client::of(&server);
    let work = async |number: usize| {
        let id = client.create("registered_models", &json!({"name": format!("m{number}")})).await;
        let version = json!({"name": "v", "registeredModelId": id});
        client.create("model_versions", &version).await;
        let changed =
            client.call("PATCH", &format!("registered_models/{id}"), &[], Some(&json!({"owner": "ada"}))).await;
        assert_eq!(changed.unwrap().status, 200);
        assert_eq!(client.read(&format!("registered_models/{id}")).await["owner"], "ada");
    };
    futures::future::join_all((0..32).map(work)).await;
    assert_eq!(client.list_all("registered_models?filterQuery=owner%3D'ada'&pageSize=5").await.len(), 32);
    assert_eq!(client.read("changes?limit=1000").await["items"].as_array().map(Vec::len), Some(32 * 3));
    let files = std::fs::read_dir(server.directory()).unwrap();
    let files: Vec<_> = files.map(|file| file.unwrap().file_name()).filter(|name| name != "log").collect();
    assert!(files.is_empty(), "{files:?}");
    assert!(server.terminate().await.unwrap().success(), "{}", server.log());
    server.start_again().await.unwrap();
    assert!(client.list_all("registered_models").await.is_empty());
}

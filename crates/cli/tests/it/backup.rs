//! `export` and `import` as an operator runs them, killed on the way.

use std::path::Path;
use std::process::Output;
use std::time::Duration;

use model_registry_testkit::{Backend, TestDatabase, backends};
use serde_json::json;
use tempfile::TempDir;
use tokio::process::Command;

use crate::support::{Client, PROGRAM, start_on};

fn command(name: &str, file: &Path, database: &str) -> Command {
    let mut command = Command::new(PROGRAM);
    command.arg(name).arg(file).args(["--database", database]).kill_on_drop(true);
    command
}

async fn run(mut command: Command) -> (i32, String) {
    let Output { status, stderr, .. } = command.output().await.unwrap();
    (status.code().unwrap_or(-1), String::from_utf8(stderr).unwrap())
}

/// A file with many models, written without a server.
async fn big_export(directory: &TempDir) -> std::path::PathBuf {
    let database = TestDatabase::create(Backend::Sqlite).await.unwrap();
    let server = start_on(&database).await;
    let client = Client::of(&server);
    let registrations: Vec<_> = (0..4)
        .map(|part| {
            let client = client.clone();
            tokio::spawn(async move {
                for number in 0..500 {
                    client.create("registered_models", &json!({"name": format!("{part}-{number}")})).await;
                }
            })
        })
        .collect();
    for registration in registrations {
        registration.await.unwrap();
    }
    let file = directory.path().join("export.jsonl");
    // Beside the running server.
    let (code, said) = run(command("export", &file, database.url())).await;
    assert_eq!((code, said.contains("exported 2000 registered_model")), (0, true), "{said}");
    file
}

#[tokio::test]
async fn an_import_that_is_killed_goes_on_where_it_was() {
    let directory = TempDir::new().unwrap();
    let file = big_export(&directory).await;
    for backend in backends() {
        let mut kills = 0;
        let database = TestDatabase::create(backend).await.unwrap();
        for pause in [20, 60, 100, 150, 200, 250, 300, 400, 500, 600] {
            let mut import = command("import", &file, database.url()).spawn().unwrap();
            let ended = tokio::time::timeout(Duration::from_millis(pause), import.wait()).await;
            if ended.is_ok() {
                break;
            }
            import.kill().await.unwrap();
            kills += 1;
        }
        let (code, said) = run(command("import", &file, database.url())).await;
        assert_eq!(code, 0, "{backend} after {kills} kills: {said}");
        let (code, said) = run(command("import", &file, database.url())).await;
        assert_eq!((code, said.as_str()), (0, "this file was imported before: nothing to do\n"), "{backend}");
        let second = directory.path().join(format!("{backend}.jsonl"));
        let (code, said) = run(command("export", &second, database.url())).await;
        assert_eq!(code, 0, "{said}");
        assert!(std::fs::read(&file).unwrap() == std::fs::read(&second).unwrap(), "{backend}: other content");
    }
}

#[tokio::test]
async fn an_export_stops_at_a_document_that_is_damaged_in_the_middle() {
    let directory = TempDir::new().unwrap();
    let file = directory.path().join("export.jsonl");
    let database = TestDatabase::create(Backend::Sqlite).await.unwrap();
    let server = start_on(&database).await;
    let client = Client::of(&server);
    client.create("registered_models", &json!({"name": "whole"})).await;
    let id = client.create("registered_models", &json!({"name": "damaged"})).await;
    let statement = "UPDATE resource SET document = REPLACE(document, ':', ';') WHERE name = 'damaged'";
    database.execute(statement).await.unwrap();
    let (code, said) = run(command("export", &file, database.url())).await;
    let told = said.contains(&format!("row {id} of table `resource` is corrupt"));
    assert_eq!((code, told, file.exists()), (1, true, false), "{said}");
}

#[tokio::test]
async fn a_bad_file_is_refused_and_a_backup_is_not_overwritten() {
    let directory = TempDir::new().unwrap();
    let file = directory.path().join("export.jsonl");
    let database = TestDatabase::create(Backend::Sqlite).await.unwrap();
    let (code, said) = run(command("export", &file, database.url())).await;
    assert_eq!((code, said.starts_with("error: there is no database /")), (1, true), "{said}");
    drop(start_on(&database).await);
    let (code, said) = run(command("export", &file, database.url())).await;
    assert_eq!((code, said.starts_with("exported no entities to ")), (0, true), "{said}");

    let (code, said) = run(command("export", &file, database.url())).await;
    let path = file.display();
    let expected = format!("error: {path} exists already: name another file, or replace it with --force\n");
    assert_eq!((code, said), (1, expected));

    std::fs::write(&file, "{\"format\":\"model-registry-export\",\"version\":1,\"check\":\"00000000\"}\n").unwrap();
    let (code, said) = run(command("import", &file, database.url())).await;
    let expected = format!(
        "error: {path} was refused, nothing was imported: line 1: this line is not as it was exported, or lines before \
         it are missing\n"
    );
    assert_eq!((code, said), (1, expected));
}

//! `export` and `import` as an operator runs them, killed on the way.

use std::path::Path;
use std::process::Output;
use std::time::Duration;

use model_registry_testkit::{Backend, TestDatabase, backends};
use serde_json::json;
use tempfile::TempDir;
use tokio::process::Command;

use crate::support::{Client, PROGRAM, add_models, start_on};

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
    add_models(&database, &client).await;
    let file = directory.path().join("export.jsonl");
    // Beside the running server.
    let (code, said) = run(command("export", &file, database.url())).await;
    assert_eq!((code, said.contains("exported 6001 registered_model")), (0, true), "{said}");
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
async fn a_file_that_is_not_whole_is_refused_with_line_and_reason_and_nothing_is_imported() {
    let directory = TempDir::new().unwrap();
    let whole = big_export(&directory).await;
    let text = std::fs::read_to_string(&whole).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    let joined = |lines: &[&str]| format!("{}\n", lines.join("\n"));
    // One of the last, so that whole batches stand before it.
    let late = lines.len() - 10;
    let mut reordered = lines.clone();
    reordered.swap(late, late + 1);
    let digest = lines.last().unwrap().split("\"sha256\":\"").nth(1).unwrap();
    let not_exported = "this line is not as it was exported, or lines before it are missing";
    let file = directory.path().join("bad.jsonl");
    for (what, bad, line, reason) in [
        ("truncated", joined(&lines[..late]), late + 1, "the file is truncated: its last line is missing"),
        ("reordered", joined(&reordered), late + 1, not_exported),
        ("edited", text.replacen("\"m5990\"", "\"n5990\"", 1), 5992, not_exported),
        ("another digest", text.replace(digest, &digest.replacen(&digest[..4], "0123", 1)), lines.len(), not_exported),
    ] {
        std::fs::write(&file, bad).unwrap();
        for backend in backends() {
            let database = TestDatabase::create(backend).await.unwrap();
            let server = start_on(&database).await;
            let (code, said) = run(command("import", &file, database.url())).await;
            let refused = format!("error: {} was refused, nothing was imported: ", file.display());
            assert_eq!((code, said), (1, format!("{refused}line {line}: {reason}\n")), "{what} on {backend}");
            let client = Client::of(&server);
            assert_eq!(client.read("registered_models").await["size"], 0, "{what} on {backend}");
            assert_eq!(client.read("changes").await["next"], "0", "{what} on {backend}");
        }
    }
}

#[tokio::test]
async fn the_database_of_existing_manifests_is_named_by_their_flags() {
    let directory = TempDir::new().unwrap();
    let file = directory.path().join("export.jsonl");
    for (backend, kind) in [(Backend::Postgres, "postgres"), (Backend::MariaDb, "mysql")] {
        if !backends().contains(&backend) {
            continue;
        }
        let (from, into) = (TestDatabase::create(backend).await.unwrap(), TestDatabase::create(backend).await.unwrap());
        Client::of(&start_on(&from).await).create("registered_models", &json!({"name": "m"})).await;
        for (name, database) in [("export", &from), ("import", &into)] {
            let mut command = Command::new(PROGRAM);
            command.arg(name).arg(&file).args(["--embedmd-database-type", kind]);
            command.args(["--embedmd-database-dsn", database.url()]).kill_on_drop(true);
            let (code, said) = run(command).await;
            assert!(code == 0 && said.contains("ed 1 registered_model"), "{name} on {backend}: {said}");
        }
        std::fs::remove_file(&file).unwrap();
    }
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

//! The commands `export` and `import`, also when they are killed.

use std::path::Path;
use std::process::Output;
use std::time::Duration;

use model_registry_testkit::{Backend, TestDatabase, on_each_database};
use serde_json::json;
use tempfile::TempDir;
use tokio::process::Command;

use crate::support::{Client, PROGRAM, add_models, start_on};

on_each_database!(
    a_killed_import_is_resumed,
    a_damaged_file_is_rejected_with_line_and_reason_and_nothing_is_imported,
    export_and_import_accept_the_database_flags_of_existing_manifests
);

fn command(name: &str, file: &Path, database: &str) -> Command {
    let mut command = Command::new(PROGRAM);
    command.arg(name).arg(file).args(["--database", database]).kill_on_drop(true);
    command
}

async fn run(mut command: Command) -> (i32, String) {
    let Output { status, stderr, .. } = command.output().await.unwrap();
    (status.code().unwrap_or(-1), String::from_utf8(stderr).unwrap())
}

/// Exports a file with [`MODELS`](crate::support::MODELS) models.
async fn big_export(directory: &TempDir) -> std::path::PathBuf {
    let database = TestDatabase::create(Backend::Sqlite).await.unwrap();
    let server = start_on(&database).await;
    let client = Client::of(&server);
    add_models(&database, &client).await;
    let file = directory.path().join("export.jsonl");
    // While the server is running.
    let (code, output) = run(command("export", &file, database.url())).await;
    assert_eq!((code, output.contains("exported 6001 registered_model")), (0, true), "{output}");
    file
}

async fn a_killed_import_is_resumed(backend: Backend) {
    let directory = TempDir::new().unwrap();
    let file = big_export(&directory).await;
    let mut kills = 0;
    let database = TestDatabase::create(backend).await.unwrap();
    // The kills hit different phases of the import.
    for pause in [20, 60, 100, 150, 200, 250, 300, 400, 500, 600] {
        let mut import = command("import", &file, database.url()).spawn().unwrap();
        let ended = tokio::time::timeout(Duration::from_millis(pause), import.wait()).await;
        if ended.is_ok() {
            break;
        }
        import.kill().await.unwrap();
        kills += 1;
    }
    assert!(kills > 0, "the import ended before it was killed");
    let (code, output) = run(command("import", &file, database.url())).await;
    assert_eq!(code, 0, "after {kills} kills: {output}");
    let (code, output) = run(command("import", &file, database.url())).await;
    assert_eq!((code, output.as_str()), (0, "this file was already imported: nothing to do\n"));
    let second = directory.path().join(format!("{backend}.jsonl"));
    let (code, output) = run(command("export", &second, database.url())).await;
    assert_eq!(code, 0, "{output}");
    assert!(std::fs::read(&file).unwrap() == std::fs::read(&second).unwrap(), "other content");
}

#[tokio::test]
async fn an_export_stops_at_a_corrupt_document() {
    let directory = TempDir::new().unwrap();
    let file = directory.path().join("export.jsonl");
    let database = TestDatabase::create(Backend::Sqlite).await.unwrap();
    let server = start_on(&database).await;
    let client = Client::of(&server);
    client.create("registered_models", &json!({"name": "whole"})).await;
    let id = client.create("registered_models", &json!({"name": "damaged"})).await;
    let statement = "UPDATE resource SET document = REPLACE(document, ':', ';') WHERE name = 'damaged'";
    database.execute(statement).await.unwrap();
    let (code, output) = run(command("export", &file, database.url())).await;
    assert!(output.contains(&format!("row {id} of table `resource` is corrupt")), "{output}");
    assert_eq!((code, file.exists()), (1, false), "{output}");
}

async fn a_damaged_file_is_rejected_with_line_and_reason_and_nothing_is_imported(backend: Backend) {
    let directory = TempDir::new().unwrap();
    let whole = big_export(&directory).await;
    let text = std::fs::read_to_string(&whole).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    let joined = |lines: &[&str]| format!("{}\n", lines.join("\n"));
    // Near the end, so that whole batches come before the damage.
    let late = lines.len() - 10;
    let mut reordered = lines.clone();
    reordered.swap(late, late + 1);
    let digest = lines.last().unwrap().split("\"sha256\":\"").nth(1).unwrap();
    let not_exported = "this line was changed after the export, or preceding lines are missing";
    let file = directory.path().join("bad.jsonl");
    for (damage, bad, line, reason) in [
        ("truncated", joined(&lines[..late]), late + 1, "the file is truncated: its last line is missing"),
        ("reordered", joined(&reordered), late + 1, not_exported),
        ("edited", text.replacen("\"m5990\"", "\"n5990\"", 1), 5992, not_exported),
        ("another digest", text.replace(digest, &digest.replacen(&digest[..4], "0123", 1)), lines.len(), not_exported),
    ] {
        std::fs::write(&file, bad).unwrap();
        let database = TestDatabase::create(backend).await.unwrap();
        let server = start_on(&database).await;
        let (code, output) = run(command("import", &file, database.url())).await;
        let refused = format!("error: {} is invalid, nothing was imported: ", file.display());
        assert_eq!((code, output), (1, format!("{refused}line {line}: {reason}\n")), "{damage}");
        let client = Client::of(&server);
        assert_eq!(client.read("registered_models").await["size"], 0, "{damage}");
        assert_eq!(client.read("changes").await["next"], "0", "{damage}");
    }
}

async fn export_and_import_accept_the_database_flags_of_existing_manifests(backend: Backend) {
    let database_type = match backend {
        Backend::Sqlite => return,
        Backend::Postgres => "postgres",
        Backend::MariaDb | Backend::MySql => "mysql",
    };
    let directory = TempDir::new().unwrap();
    let file = directory.path().join("export.jsonl");
    let (from, into) = (TestDatabase::create(backend).await.unwrap(), TestDatabase::create(backend).await.unwrap());
    Client::of(&start_on(&from).await).create("registered_models", &json!({"name": "m"})).await;
    for (name, database) in [("export", &from), ("import", &into)] {
        let mut command = Command::new(PROGRAM);
        command.arg(name).arg(&file).args(["--embedmd-database-type", database_type]);
        command.args(["--embedmd-database-dsn", database.url()]).kill_on_drop(true);
        let (code, output) = run(command).await;
        assert!(code == 0 && output.contains("ed 1 registered_model"), "{name}: {output}");
    }
}

#[tokio::test]
async fn a_bad_file_is_rejected_and_a_backup_is_not_overwritten() {
    let directory = TempDir::new().unwrap();
    let file = directory.path().join("export.jsonl");
    let database = TestDatabase::create(Backend::Sqlite).await.unwrap();
    let (code, output) = run(command("export", &file, database.url())).await;
    assert_eq!((code, output.starts_with("error: the database /")), (1, true), "{output}");
    drop(start_on(&database).await);
    let (code, output) = run(command("export", &file, database.url())).await;
    assert_eq!((code, output.starts_with("exported no entities to ")), (0, true), "{output}");

    let (code, output) = run(command("export", &file, database.url())).await;
    let path = file.display();
    let expected = format!("error: {path} already exists: choose another file, or replace it with --force\n");
    assert_eq!((code, output), (1, expected));

    std::fs::write(&file, "{\"format\":\"model-registry-export\",\"version\":1,\"check\":\"00000000\"}\n").unwrap();
    let (code, output) = run(command("import", &file, database.url())).await;
    let expected = format!(
        "error: {path} is invalid, nothing was imported: line 1: this line was changed after the export, or \
         preceding lines are missing\n"
    );
    assert_eq!((code, output), (1, expected));
}

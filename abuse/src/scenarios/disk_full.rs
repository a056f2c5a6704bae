//! The disk of the database is full, and has room again later.

use std::time::Duration;

use anyhow::{Context, Result};
use model_registry_testkit::{Backend, DatabaseServer, PostgresServer, SmallDisk, TestDatabase, server_directory};

use crate::faulty::Faulty;
use crate::scenario::{EVERY, Group, Limits, Measured, NONE, NotPossible, Scenario};
use crate::stage::Stage;

pub(crate) const SCENARIO: Scenario = Scenario {
    name: "disk-full",
    about: "the disk of the database is full, and has room again later",
    group: Group::Fault,
    databases: EVERY,
    short: NONE,
    limits: Limits::unserved(10),
    run: |stage| Box::pin(run(stage)),
};

const MEGABYTE: usize = 1 << 20;

async fn run(stage: Stage) -> Result<Measured> {
    let kibibytes = match stage.backend {
        // Twice the size that the write-ahead log may reach before its content is in the database, and the database.
        Backend::Sqlite => 16 << 10,
        // The database alone, in a tablespace: the write-ahead log is elsewhere.
        Backend::Postgres => 24 << 10,
        // The whole server.
        _ => 256 << 10,
    };
    let disk = SmallDisk::mount(kibibytes)?.context(NotPossible("mounting a file system requires root"))?;
    let directory = server_directory()?;
    match stage.backend {
        Backend::Sqlite => {
            let url = format!("sqlite:{}", disk.path().join("registry.db").display());
            fill(&stage, &disk, &url, None).await
        }
        Backend::Postgres => {
            let server = PostgresServer::start(&directory.path().join("data")).await?;
            let url = server.create_database_in(&disk.path().join("small")).await?;
            fill(&stage, &disk, &url, None).await
        }
        backend => {
            let mut server = DatabaseServer::start_in(backend, &disk.path().join("data")).await?;
            let database = TestDatabase::create_on(backend, &server.url()).await?;
            fill(&stage, &disk, database.url(), Some(&mut server)).await
        }
    }
}

/// `server` is one whose own files are on the disk too.
async fn fill(
    stage: &Stage,
    disk: &SmallDisk,
    database_url: &str,
    server: Option<&mut DatabaseServer>,
) -> Result<Measured> {
    let mut faulty = Faulty::start(stage, database_url).await?;
    disk.fill()?;
    // Pages that are free may have room for some writes.
    let body = format!("{{\"name\": \"large\", \"description\": \"{}\"}}", "x".repeat(MEGABYTE));
    let mut status = 0;
    for number in 0..20 {
        let body = body.replacen("large", &format!("large-{number}"), 1);
        status = faulty.api.post("registered_models", body).await?.status;
        if status >= 400 {
            break;
        }
    }
    faulty.expect(status == 503, || format!("a megabyte on a full disk: {status} instead of 503"));
    faulty.lasts(Duration::from_secs(3)).await;
    if stage.backend == Backend::Sqlite {
        // The others still have room for small writes in pages that exist, and are ready as long as these succeed.
        faulty.expect_unready("the disk is full").await?;
    }
    disk.free()?;
    if let Some(server) = server {
        // It may have ended itself, and is restarted by its supervisor.
        server.stop().await?;
        server.start_again().await?;
    }
    faulty.ends().await?;
    faulty.finish().await
}

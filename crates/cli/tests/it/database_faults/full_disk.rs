//! A full disk: writes are 503 with that reason, reads go on, and writes go on when there is room again.

use model_registry_testkit::{Backend, DatabaseServer, SmallDisk, TestDatabase};

use super::{Acknowledged, check_log, check_not_ready, ready_eventually};
use crate::database_server::if_installed;
use crate::support::{Client, eventually, server_on};

const MEGABYTE: usize = 1 << 20;

#[tokio::test]
async fn a_full_disk_below_sqlite_ends_when_there_is_room_again() {
    let Some(disk) = SmallDisk::mount(8 * 1024).unwrap() else { return };
    let url = format!("sqlite:{}", disk.path().join("registry.db").display());
    let server = server_on(&url).start().await.unwrap();
    let client = Client::of(&server);
    let mut models = Acknowledged::default();
    assert_eq!(models.create(&client, "before", 100).await.0, 201);
    for round in 0..3 {
        disk.fill().unwrap();
        let (status, message) = models.create(&client, &format!("large-{round}"), MEGABYTE).await;
        assert_eq!(status, 503, "{message}");
        assert!(message.contains("the disk of the database is full"), "{message}");
        check_not_ready(&client, "the disk of the database is full").await;
        // Every kind of write, several times: none finds the connection in a transaction that another has left open.
        for attempt in 0..5 {
            let (status, message) = models.create(&client, &format!("more-{round}-{attempt}"), MEGABYTE).await;
            assert_eq!(status, 503, "{message}");
        }
        models.check(&client).await;
        disk.free().unwrap();
        models.create_eventually(&client, &format!("after-{round}"), 100).await;
        ready_eventually(&client).await;
        models.check(&client).await;
    }
    // Recovered by a probe of readiness, without any write of a client.
    disk.fill().unwrap();
    assert_eq!(models.create(&client, "last", MEGABYTE).await.0, 503);
    disk.free().unwrap();
    ready_eventually(&client).await;
    check_log(&server, &["the database cannot store anything", "the database stores writes again"]);
    assert!(!server.log().contains("begin_with at non-zero transaction depth"), "{}", server.log());
}

#[tokio::test]
async fn a_full_disk_below_postgres_is_503_and_ends_when_there_is_room_again() {
    fill_server(Backend::Postgres, 120 * 1024).await;
}

#[tokio::test]
async fn a_full_disk_below_mariadb_is_503_and_ends_when_there_is_room_again() {
    fill_server(Backend::MariaDb, 220 * 1024).await;
}

async fn fill_server(backend: Backend, kibibytes: u32) {
    let Some(disk) = SmallDisk::mount(kibibytes).unwrap() else { return };
    let Some(mut databases) = if_installed(DatabaseServer::start_in(backend, &disk.path().join("data")).await) else {
        return;
    };
    let database = TestDatabase::create_on(backend, &databases.url()).await.unwrap();
    let server = server_on(database.url()).start().await.unwrap();
    let client = Client::of(&server);
    let mut models = Acknowledged::default();
    assert_eq!(models.create(&client, "before", 100).await.0, 201);
    disk.fill().unwrap();
    let mut number = 0;
    eventually("a write fails", async || {
        number += 1;
        let (status, message) = models.create(&client, &format!("large-{number}"), 4 * MEGABYTE).await;
        assert!([201, 503, 504].contains(&status), "{backend}: {status} {message}\n{}", server.log());
        status != 201
    })
    .await;
    for attempt in 0..5 {
        let (status, message) = models.create(&client, &format!("more-{attempt}"), MEGABYTE).await;
        assert!([201, 503, 504].contains(&status), "{backend}: {status} {message}\n{}", server.log());
    }
    disk.free().unwrap();
    if backend == Backend::MariaDb {
        // It may have ended itself. Its supervisor restarts it; the registry is not restarted.
        databases.stop().await.unwrap();
        databases.start_again().await.unwrap();
    }
    models.create_eventually(&client, "after", 100).await;
    ready_eventually(&client).await;
    models.check(&client).await;
    check_log(&server, &[]);
}

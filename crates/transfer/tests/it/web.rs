//! Files of web servers that fail.

use std::fs;

use model_registry_testkit::{FileServer, WebFault};
use model_registry_transfer::{Sha256, TransferError};

use crate::support::{PART, Recorded, content, context, path_of, read, run};

#[tokio::test(flavor = "multi_thread")]
async fn a_file_is_read_in_parts_at_the_same_time() {
    let (server, home) = (FileServer::start().await.unwrap(), tempfile::tempdir().unwrap());
    let file = content(1, 3 * PART + 5);
    server.publish("/models/weights%20v1.bin", file.clone());
    let destination = format!("{}/", path_of(home.path()));
    let report = run(&server.url("/models/weights%20v1.bin?signature=secret"), &destination, &context()).await.unwrap();
    assert_eq!(read(home.path()), [("weights v1.bin".to_owned(), file.clone())].into());
    assert_eq!(report.digest(), Sha256::of(&file));
    let ranges: Vec<String> =
        server.requests().iter().map(|request| request.split(' ').nth(1).unwrap().to_owned()).collect();
    assert_eq!(ranges.len(), 5, "{ranges:?}");
    assert!(ranges.contains(&format!("bytes={}-{}", 3 * PART, 3 * PART + 4)), "{ranges:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_without_ranges_or_without_a_length_is_read_in_one_stream() {
    for without_length in [false, true] {
        let (server, home) = (FileServer::start().await.unwrap(), tempfile::tempdir().unwrap());
        let file = content(1, 2 * PART + 5);
        server.publish("/a.bin", file.clone());
        server.without_ranges();
        if without_length {
            server.without_length();
        }
        run(&server.url("/a.bin"), &path_of(&home.path().join("a")), &context()).await.unwrap();
        assert_eq!(fs::read(home.path().join("a")).unwrap(), file);
        assert_eq!(server.requests().len(), 2);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_breaks_goes_on_at_its_offset() {
    for has_ranges in [true, false] {
        let (server, home) = (FileServer::start().await.unwrap(), tempfile::tempdir().unwrap());
        let file = content(1, PART + 5);
        server.publish("/a.bin", file.clone());
        if !has_ranges {
            server.without_ranges();
        }
        server.plan("/a.bin", WebFault::Status(500, None));
        let recorded = Recorded::default();
        let recorded_context = recorded.context(context());
        // The first request only looks at the file.
        for fault in
            [WebFault::Cut(usize::MAX), WebFault::Cut(300_000), WebFault::Cut(1), WebFault::Status(429, Some(1))]
        {
            server.plan("/a.bin", fault);
        }
        run(&server.url("/a.bin"), &path_of(&home.path().join("a")), &recorded_context).await.unwrap();
        assert_eq!(fs::read(home.path().join("a")).unwrap(), file, "ranges: {has_ranges}");
        assert!(recorded.retries() >= 3, "{:?}", recorded.events());
        if has_ranges {
            assert_eq!(recorded.bytes(), file.len() as u64, "no byte is read twice");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_changes_in_the_middle_is_an_error_and_nothing_of_it_appears() {
    let (server, home) = (FileServer::start().await.unwrap(), tempfile::tempdir().unwrap());
    server.publish("/a.bin", content(1, PART + 5));
    server.without_ranges();
    server.plan("/a.bin", WebFault::Cut(usize::MAX));
    server.plan("/a.bin", WebFault::Cut(300_000));
    let changing = server.clone();
    let observer = move |event: &model_registry_transfer::Event| {
        if matches!(event, model_registry_transfer::Event::Retry { .. }) {
            changing.publish("/a.bin", content(2, PART + 5));
        }
    };
    let context = model_registry_transfer::Context { observer: std::sync::Arc::new(observer), ..context() };
    let error = run(&server.url("/a.bin"), &path_of(&home.path().join("a")), &context).await.unwrap_err();
    assert!(matches!(error, TransferError::Changed { .. }), "{error}");
    assert!(!home.path().join("a").exists());
}

#[tokio::test]
async fn without_an_entity_tag_a_broken_file_is_not_continued() {
    let (server, home) = (FileServer::start().await.unwrap(), tempfile::tempdir().unwrap());
    server.publish("/a.bin", content(1, 400_000));
    server.without_tags();
    server.plan("/a.bin", WebFault::Cut(usize::MAX));
    server.plan("/a.bin", WebFault::Cut(200_000));
    let error = run(&server.url("/a.bin"), &path_of(&home.path().join("a")), &context()).await.unwrap_err();
    assert!(error.to_string().contains("no entity tag"), "{error}");
}

#[tokio::test]
async fn each_failure_of_a_server_has_its_own_error_without_secrets() {
    let (server, home) = (FileServer::start().await.unwrap(), tempfile::tempdir().unwrap());
    let destination = path_of(&home.path().join("a"));
    let url = server.url("/a.bin?token=secret").replace("http://", "http://user:secret@");
    let error = async |fault: Option<u16>| {
        for _ in 0..8 {
            if let Some(status) = fault {
                server.plan("/a.bin", WebFault::Status(status, Some(0)));
            }
        }
        let error = run(&url, &destination, &context()).await.unwrap_err();
        assert!(!error.to_string().contains("secret"), "{error}");
        error
    };
    assert!(matches!(error(None).await, TransferError::NotFound { .. }));
    assert_eq!(server.authorizations()[0].as_deref(), Some("Basic dXNlcjpzZWNyZXQ="));
    assert!(matches!(error(Some(403)).await, TransferError::Denied { .. }));
    let server = FileServer::start().await.unwrap();
    for _ in 0..8 {
        server.plan("/a.bin", WebFault::Status(503, None));
    }
    let busy = run(&server.url("/a.bin"), &destination, &context()).await.unwrap_err();
    assert!(matches!(busy, TransferError::Unavailable { .. }), "{busy}");
    assert_eq!(server.requests().len(), 8);
    let refused = run("http://127.0.0.1:1/a.bin", &destination, &context()).await.unwrap_err();
    assert!(refused.to_string().contains("nothing listens"), "{refused}");
}

#[tokio::test]
async fn a_redirect_is_followed_and_a_url_without_a_name_is_refused() {
    let (server, home) = (FileServer::start().await.unwrap(), tempfile::tempdir().unwrap());
    server.publish("/real.bin", "content");
    for _ in 0..2 {
        server.plan("/a.bin", WebFault::Redirect(server.url("/real.bin")));
    }
    run(&server.url("/a.bin"), &path_of(&home.path().join("a")), &context()).await.unwrap();
    assert_eq!(fs::read_to_string(home.path().join("a")).unwrap(), "content");
    server.publish("/empty", "");
    run(&server.url("/empty"), &path_of(&home.path().join("empty")), &context()).await.unwrap();
    assert_eq!(fs::read(home.path().join("empty")).unwrap(), b"");
    for (path, part) in [("/models/", "no file name"), ("/%2e%2e%2fa", "refused"), ("/a%00b", "refused")] {
        let error = run(&server.url(path), &path_of(&home.path().join("b")), &context()).await.unwrap_err();
        assert!(error.to_string().contains(part), "{path}: {error}");
    }
}

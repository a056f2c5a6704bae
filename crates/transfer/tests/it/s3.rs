//! An object store that checks signatures.

use std::fs;

use http::Method;
use model_registry_testkit::{S3_SECRET_KEY, S3Fault, S3Server};
use model_registry_transfer::{Context, Options, Sha256, Shape, TransferError};

use crate::support::{PART, Recorded, content, context, model, names, path_of, read, run, s3, s3_context, write};

/// What the server stores besides the objects.
fn objects(server: &S3Server) -> crate::support::Tree {
    read(&server.bucket()).into_iter().filter(|(name, _)| !name.starts_with('.')).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_directory_goes_to_a_store_and_back_and_to_another_prefix() {
    let (server, home) = (S3Server::start().await.unwrap(), tempfile::tempdir().unwrap());
    let (source, back) = (home.path().join("source"), home.path().join("back"));
    write(&source, &model());
    let there = run(&path_of(&source), &s3("teams/a/model"), &s3_context(&server)).await.unwrap();
    assert_eq!(there.uri, "s3://models/teams/a/model");
    run(&s3("teams/a/model"), &s3("copy/"), &s3_context(&server)).await.unwrap();
    let here = run(&s3("copy"), &path_of(&back), &s3_context(&server)).await.unwrap();
    assert_eq!(read(&back), model());
    assert_eq!(here.digest(), there.digest());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_prefix_ends_at_a_slash_and_markers_of_directories_are_not_files() {
    let (server, home) = (S3Server::start().await.unwrap(), tempfile::tempdir().unwrap());
    for key in ["my-model/a", "my-model/sub/b", "my-model-2/c", "my-model.txt"] {
        let path = server.bucket().join(key);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, key).unwrap();
    }
    for source in ["my-model", "my-model/"] {
        let destination = tempfile::tempdir().unwrap();
        let report = run(&s3(source), &path_of(destination.path()), &s3_context(&server)).await.unwrap();
        assert_eq!(names(&read(destination.path())), ["a", "sub/b"]);
        assert_eq!(report.shape, Shape::Tree);
    }
    let report = run(&s3("my-model.txt"), &path_of(&home.path().join("x")), &s3_context(&server)).await.unwrap();
    assert_eq!((report.shape, names(&read(home.path()))), (Shape::File, vec!["x"]));
}

#[tokio::test]
async fn a_missing_object_or_bucket_and_a_wrong_key_each_have_their_message_without_the_secret() {
    let server = S3Server::start().await.unwrap();
    let home = tempfile::tempdir().unwrap();
    let destination = path_of(&home.path().join("x"));
    let error = run(&s3("nothing"), &destination, &s3_context(&server)).await.unwrap_err();
    assert!(matches!(error, TransferError::NotFound { .. }), "{error}");
    assert!(error.to_string().contains("s3://models/nothing"), "{error}");
    let error = run("s3://no-such-bucket/a", &destination, &s3_context(&server)).await.unwrap_err();
    assert!(error.to_string().contains("no-such-bucket"), "{error}");

    let mut variables = server.variables();
    variables.retain(|(name, _)| *name != "AWS_SECRET_ACCESS_KEY");
    variables.push(("AWS_SECRET_ACCESS_KEY", format!("{S3_SECRET_KEY}-wrong")));
    let wrong = Context { environment: variables.into_iter().collect(), ..context() };
    for (source, destination) in [(s3("nothing"), destination.clone()), (path_of(home.path()), s3("x"))] {
        fs::write(home.path().join("file"), "a").unwrap();
        let error = run(&source, &destination, &wrong).await.unwrap_err();
        assert!(matches!(error, TransferError::Denied { .. }), "{error}");
        assert!(error.to_string().contains("check the credentials"), "{error}");
        assert!(
            !error.to_string().contains(S3_SECRET_KEY) && !format!("{error:?}").contains(S3_SECRET_KEY),
            "{error:?}"
        );
    }
    assert!(!home.path().join("x").exists());
}

#[tokio::test]
async fn plain_http_is_used_only_if_it_is_allowed() {
    let server = S3Server::start().await.unwrap();
    let environment = server.variables().into_iter().filter(|(name, _)| *name != "AWS_ALLOW_HTTP").collect();
    let home = tempfile::tempdir().unwrap();
    let strict = Context { environment, ..context() };
    let error = run(&s3("a"), &path_of(&home.path().join("x")), &strict).await.unwrap_err();
    assert!(error.to_string().contains("s3://models/a"), "{error}");
    assert_eq!(server.requests().len(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_busy_store_a_failing_one_and_broken_connections_are_survived() {
    let (server, home) = (S3Server::start().await.unwrap(), tempfile::tempdir().unwrap());
    let (source, back) = (home.path().join("source"), home.path().join("back"));
    write(&source, &model());
    let recorded = Recorded::default();
    server.plan(Method::GET, "list-type", S3Fault::Status(503, Some(0)));
    server.plan(Method::PUT, "2.bin", S3Fault::Status(500, None));
    server.plan(Method::PUT, "config.json", S3Fault::Status(429, Some(1)));
    server.plan(Method::POST, "uploads", S3Fault::Status(503, None));
    run(&path_of(&source), &s3("m"), &recorded.context(s3_context(&server))).await.unwrap();
    assert!(recorded.retries() >= 4, "{:?}", recorded.events());
    assert_eq!(objects(&server).len(), 5);

    server.plan(Method::GET, "2.bin", S3Fault::Cut(100_000));
    server.plan(Method::GET, "2.bin", S3Fault::Cut(1));
    server.plan(Method::GET, "config.json", S3Fault::Status(500, None));
    run(&s3("m"), &path_of(&back), &s3_context(&server)).await.unwrap();
    assert_eq!(read(&back), model());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_at_the_store_with_the_same_digest_is_not_sent_again() {
    let (server, home) = (S3Server::start().await.unwrap(), tempfile::tempdir().unwrap());
    write(home.path(), &[("a".to_owned(), content(1, 1_000)), ("b".to_owned(), content(2, 2_000))].into());
    let context = s3_context(&server);
    run(&path_of(home.path()), &s3("m"), &context).await.unwrap();
    server.received();
    // The same size with another content is sent.
    fs::write(home.path().join("b"), content(3, 2_000)).unwrap();
    let report = run(&path_of(home.path()), &s3("m"), &context).await.unwrap();
    assert_eq!((report.copied_files(), server.received()), (1, 2_000));
    assert_eq!(objects(&server)["m/b"], content(3, 2_000));
}

#[tokio::test(flavor = "multi_thread")]
async fn memory_is_bounded_by_the_option_while_many_parts_are_in_flight() {
    let (server, home) = (S3Server::start().await.unwrap(), tempfile::tempdir().unwrap());
    let tree = (0..6).map(|number| (format!("f{number}"), content(number, 2 * PART + 1))).collect();
    write(home.path(), &tree);
    let options = Options { memory: PART, files_at_once: 6, ..context().options };
    let context = Context { options, ..s3_context(&server) };
    // One part fits at a time: with a mistake in the order of shares this would wait for ever.
    let report = run(&path_of(home.path()), &s3("m"), &context).await.unwrap();
    assert_eq!(
        report.files.iter().map(|file| file.digest).collect::<Vec<_>>(),
        tree.values().map(|c| Sha256::of(c)).collect::<Vec<_>>()
    );
}

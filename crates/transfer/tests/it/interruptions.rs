//! Transfers that end early, and the runs that continue them.

use std::fs;
use std::path::Path;

use model_registry_testkit::S3Server;
use model_registry_transfer::{Context, Options, TransferError};

use crate::support::{
    PART, Recorded, content, context, model, path_of, read, run, run_until, s3, s3_context, stop_after, write,
};

/// A context that keeps what was written when it is stopped, as a kill does.
fn keeping(context: Context, states: &Path) -> Context {
    let options = Options { keep_when_cancelled: true, files_at_once: 1, memory: PART, ..context.options.clone() };
    Context { options, states: Some(states.to_owned()), ..context }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_later_run_verifies_what_is_there_and_copies_the_rest() {
    let home = tempfile::tempdir().unwrap();
    let (source, destination) = (home.path().join("source"), home.path().join("destination"));
    let tree = [("a".to_owned(), content(1, 1_000)), ("b".to_owned(), content(2, 6 * PART + 7))].into();
    write(&source, &tree);
    let (stopping, stop) = stop_after(3 * PART as u64, keeping(context(), home.path()));
    let stopped = run_until(&path_of(&source), &path_of(&destination), &stopping, &stop).await;
    assert!(matches!(stopped, Err(TransferError::Cancelled)), "{stopped:?}");
    assert!(!destination.join("b").exists());

    let recorded = Recorded::default();
    run(&path_of(&source), &path_of(&destination), &recorded.context(context())).await.unwrap();
    assert_eq!(read(&destination), tree);
    assert!(recorded.bytes() <= 5 * PART as u64, "only what was missing is read: {}", recorded.bytes());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_damaged_in_between_is_copied_again() {
    let home = tempfile::tempdir().unwrap();
    let (source, destination) = (home.path().join("source"), home.path().join("destination"));
    let tree = [("a".to_owned(), content(1, 1_000)), ("b".to_owned(), content(2, 6 * PART + 7))].into();
    write(&source, &tree);
    let (stopping, stop) = stop_after(3 * PART as u64, keeping(context(), home.path()));
    run_until(&path_of(&source), &path_of(&destination), &stopping, &stop).await.unwrap_err();
    // A byte of each file changes, but not its size.
    for (path, content) in read(&destination) {
        if !path.ends_with("state.jsonl") {
            let mut damaged = content;
            damaged[10] ^= 1;
            fs::write(destination.join(path), damaged).unwrap();
        }
    }
    run(&path_of(&source), &path_of(&destination), &context()).await.unwrap();
    assert_eq!(read(&destination), tree);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_source_that_changed_in_between_is_copied_from_its_beginning() {
    let home = tempfile::tempdir().unwrap();
    let (source, destination) = (home.path().join("source"), home.path().join("destination"));
    write(&source, &[("b".to_owned(), content(2, 6 * PART + 7))].into());
    let (stopping, stop) = stop_after(3 * PART as u64, keeping(context(), home.path()));
    run_until(&path_of(&source), &path_of(&destination), &stopping, &stop).await.unwrap_err();
    let changed = [("b".to_owned(), content(3, 6 * PART + 7))].into();
    write(&source, &changed);
    run(&path_of(&source), &path_of(&destination), &context()).await.unwrap();
    assert_eq!(read(&destination), changed);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancelled_transfer_cleans_up() {
    let home = tempfile::tempdir().unwrap();
    let (source, destination) = (home.path().join("source"), home.path().join("destination"));
    write(&source, &model());
    let (stopping, stop) = stop_after(PART as u64, context());
    run_until(&path_of(&source), &path_of(&destination), &stopping, &stop).await.unwrap_err();
    for (path, content) in read(&destination) {
        assert_eq!(model().get(&path), Some(&content), "only complete files are left: {path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_continues_with_its_missing_parts() {
    let (server, home) = (S3Server::start().await.unwrap(), tempfile::tempdir().unwrap());
    let (source, states) = (home.path().join("source"), home.path().join("states"));
    let tree = [("a".to_owned(), content(1, 1_000)), ("b".to_owned(), content(2, 6 * PART + 7))].into();
    write(&source, &tree);
    let (stopping, stop) = stop_after(5 * PART as u64, keeping(s3_context(&server), &states));
    run_until(&path_of(&source), &s3("m"), &stopping, &stop).await.unwrap_err();
    assert!(server.received() >= 2 * PART as u64);
    assert!(!server.bucket().join("m/b").exists(), "an incomplete object does not appear");

    let report =
        run(&path_of(&source), &s3("m"), &Context { states: Some(states.clone()), ..s3_context(&server) }).await;
    assert_eq!(report.unwrap().files.len(), 2);
    assert!(server.received() <= 5 * PART as u64, "parts that the store has are not sent again");
    assert_eq!(fs::read(server.bucket().join("m/b")).unwrap(), tree["b"]);
    assert_eq!(read(&states).len(), 0, "the state is removed at the end");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancelled_upload_is_aborted() {
    let (server, home) = (S3Server::start().await.unwrap(), tempfile::tempdir().unwrap());
    fs::write(home.path().join("b"), content(2, 6 * PART)).unwrap();
    let (stopping, stop) = stop_after(
        5 * PART as u64,
        Context { options: Options { memory: PART, ..context().options }, ..s3_context(&server) },
    );
    run_until(&path_of(&home.path().join("b")), &s3("b"), &stopping, &stop).await.unwrap_err();
    let aborted = server.requests().iter().filter(|(method, _)| method.as_str() == "DELETE").count();
    assert_eq!(aborted, 1);
    assert_eq!(read(&server.bucket()).len(), 0);
}

#[tokio::test]
async fn two_transfers_to_the_same_directory_do_not_mix() {
    let home = tempfile::tempdir().unwrap();
    let (source, destination) = (home.path().join("source"), home.path().join("destination"));
    write(&source, &model());
    let (from, to, context) = (path_of(&source), path_of(&destination), context());
    let (first, second) = tokio::join!(run(&from, &to, &context), run(&from, &to, &context));
    let failed: Vec<String> =
        [first, second].into_iter().filter_map(Result::err).map(|error| error.to_string()).collect();
    assert!(failed.iter().all(|error| error.contains("another transfer")) && failed.len() <= 1, "{failed:?}");
    assert_eq!(read(&destination), model());
}

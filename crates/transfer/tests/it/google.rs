//! Google Cloud Storage: tokens, metadata and uploads in parts.

use std::fs;

use model_registry_testkit::{GOOGLE_BUCKET, GOOGLE_TOKEN, GoogleStore, S3Server};
use model_registry_transfer::{Context, Options, TransferError};

use crate::support::{PART, content, context, model, path_of, read, run, run_until, s3, s3_context, stop_after, write};

fn google(key: &str) -> String {
    format!("gs://{GOOGLE_BUCKET}/{key}")
}

fn google_context(store: &GoogleStore) -> Context {
    Context { environment: store.variables().into_iter().collect(), ..context() }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_directory_goes_to_google_and_from_there_to_s3_and_back() {
    let (store, s3_server, home) =
        (GoogleStore::start().await.unwrap(), S3Server::start().await.unwrap(), tempfile::tempdir().unwrap());
    let (source, back) = (home.path().join("source"), home.path().join("back"));
    write(&source, &model());
    let variables = store.variables().into_iter().chain(s3_server.variables());
    let both = Context { environment: variables.collect(), ..context() };
    let there = run(&path_of(&source), &google("model"), &both).await.unwrap();
    assert_eq!(there.uri, "gs://models/model");
    run(&google("model"), &s3("model"), &both).await.unwrap();
    run(&s3("model"), &path_of(&back), &s3_context(&s3_server)).await.unwrap();
    assert_eq!(read(&back), model());
    assert_eq!(store.pending_uploads(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_public_bucket_is_written_and_read_without_credentials() {
    let (store, home) = (GoogleStore::start_public().await.unwrap(), tempfile::tempdir().unwrap());
    let (source, back) = (home.path().join("source"), home.path().join("back"));
    write(&source, &model());
    run(&path_of(&source), &google("model"), &google_context(&store)).await.unwrap();
    run(&google("model"), &path_of(&back), &google_context(&store)).await.unwrap();
    assert_eq!(read(&back), model());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_has_the_same_digest_in_its_metadata_is_not_sent_again() {
    let (store, home) = (GoogleStore::start().await.unwrap(), tempfile::tempdir().unwrap());
    write(home.path(), &[("a".to_owned(), content(1, 1_000)), ("b".to_owned(), content(2, 2_000))].into());
    run(&path_of(home.path()), &google("m"), &google_context(&store)).await.unwrap();
    fs::write(home.path().join("b"), content(3, 2_000)).unwrap();
    let report = run(&path_of(home.path()), &google("m"), &google_context(&store)).await.unwrap();
    assert_eq!(report.copied_files(), 1);
    assert_eq!(store.objects()["m/b"], content(3, 2_000));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_token_and_a_missing_bucket_each_have_their_message_without_the_token() {
    let (store, home) = (GoogleStore::start().await.unwrap(), tempfile::tempdir().unwrap());
    let destination = path_of(&home.path().join("x"));
    let mut variables = store.variables();
    variables.retain(|(name, _)| *name != "GOOGLE_BEARER_TOKEN");
    variables.push(("GOOGLE_BEARER_TOKEN", format!("{GOOGLE_TOKEN}-wrong")));
    let wrong = Context { environment: variables.into_iter().collect(), ..context() };
    let error = run(&google("m"), &destination, &wrong).await.unwrap_err();
    assert!(matches!(error, TransferError::Denied { .. }) && !error.to_string().contains(GOOGLE_TOKEN), "{error}");
    let error = run("gs://no-such-bucket/m", &destination, &google_context(&store)).await.unwrap_err();
    assert!(matches!(error, TransferError::NotFound { .. }), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_that_was_stopped_continues_or_is_aborted() {
    let (store, home) = (GoogleStore::start().await.unwrap(), tempfile::tempdir().unwrap());
    let source = home.path().join("weights.bin");
    fs::write(&source, content(5, 6 * PART + 7)).unwrap();
    for keep in [false, true] {
        let options = Options { keep_when_cancelled: keep, memory: PART, ..context().options };
        let states = Some(home.path().join("states"));
        let (stopping, stop) = stop_after(3 * PART as u64, Context { options, states, ..google_context(&store) });
        run_until(&path_of(&source), &google("weights.bin"), &stopping, &stop).await.unwrap_err();
        assert_eq!(store.pending_uploads(), usize::from(keep));
    }
    let states = Some(home.path().join("states"));
    let continuing = Context { states, ..google_context(&store) };
    let report = run(&path_of(&source), &google("weights.bin"), &continuing).await.unwrap();
    assert!(report.copied_bytes <= 5 * PART as u64 + 7, "{} bytes", report.copied_bytes);
    assert_eq!(store.objects()["weights.bin"], content(5, 6 * PART + 7));
    assert_eq!(store.pending_uploads(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_that_the_store_has_forgotten_is_begun_again_and_a_completed_one_is_found() {
    let (store, home) = (GoogleStore::start().await.unwrap(), tempfile::tempdir().unwrap());
    let (source, states) = (home.path().join("weights.bin"), home.path().join("states"));
    fs::write(&source, content(5, 6 * PART)).unwrap();
    let options = Options { keep_when_cancelled: true, memory: PART, ..context().options };
    let kept = || Context { options: options.clone(), states: Some(states.clone()), ..google_context(&store) };
    let (stopping, stop) = stop_after(3 * PART as u64, kept());
    run_until(&path_of(&source), &google("weights.bin"), &stopping, &stop).await.unwrap_err();
    store.forget_uploads();
    let report = run(&path_of(&source), &google("weights.bin"), &kept()).await.unwrap();
    assert_eq!(report.copied_bytes, 6 * PART as u64);
    assert_eq!(store.objects()["weights.bin"], content(5, 6 * PART));

    // The response to the completion is lost, and the state does not know of it.
    store.lose_responses_of_completions(true);
    run(&path_of(&source), &google("other.bin"), &kept()).await.unwrap_err();
    assert_eq!(store.objects()["other.bin"], content(5, 6 * PART));
    store.lose_responses_of_completions(false);
    let report = run(&path_of(&source), &google("other.bin"), &kept()).await.unwrap();
    assert_eq!(report.copied_bytes, 0);
}

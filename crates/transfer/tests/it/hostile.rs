//! Object names that attack the destination, and ends that disappear.

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

use model_registry_testkit::{GOOGLE_BUCKET, GoogleStore};
use model_registry_transfer::{Context, Event, TransferError};

use crate::support::{PART, content, context, names, path_of, read, run, write};

async fn store() -> (GoogleStore, Context) {
    let store = GoogleStore::start().await.unwrap();
    let context = Context { environment: store.variables().into_iter().collect(), ..context() };
    (store, context)
}

fn google(key: &str) -> String {
    format!("gs://{GOOGLE_BUCKET}/{key}")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hostile_object_name_writes_nothing_at_all() {
    let long = format!("m/{}", "x".repeat(10_000));
    let deep = format!("m/{}x", "d/".repeat(2_000));
    for key in ["m/../../x", "m/..", "m//etc/passwd", "m/./x", "m/a\\b", "m/a\nb", &long, &deep] {
        let (store, context) = store().await;
        store.put("m/harmless", "1");
        store.put(key, "2");
        let home = tempfile::tempdir().unwrap();
        let destination = home.path().join("deep/destination");
        let error = run(&google("m"), &path_of(&destination), &context).await.unwrap_err();
        let is_refusal = matches!(error, TransferError::UnsafeName { .. } | TransferError::Names(_));
        assert!(is_refusal, "{key:.40?}: {error:?}");
        assert!(error.to_string().len() < 5_000 && !error.to_string().contains('\n'), "{error}");
        assert!(read(home.path()).is_empty(), "{key:.40?}: {:?}", names(&read(home.path())));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_that_is_also_a_directory_is_refused_and_names_that_differ_in_case_are_kept() {
    let (store, context) = store().await;
    let home = tempfile::tempdir().unwrap();
    store.put("m/Weights.bin", "1");
    store.put("m/weights.bin", "2");
    store.put("m-2/other", "3");
    run(&google("m"), &path_of(&home.path().join("case")), &context).await.unwrap();
    assert_eq!(names(&read(&home.path().join("case"))), ["Weights.bin", "weights.bin"]);
    store.put("m/weights.bin/1", "4");
    let error = run(&google("m"), &path_of(&home.path().join("both")), &context).await.unwrap_err();
    assert!(matches!(error, TransferError::Names(_)), "{error:?}");
    assert!(!home.path().join("both").exists());
}

/// Does something when the first bytes are read.
fn once_at_first_bytes(context: Context, action: impl Fn() + Send + Sync + 'static) -> Context {
    let done = std::sync::Once::new();
    let observer = Arc::new(move |event: &Event| {
        if matches!(event, Event::Read { .. }) {
            done.call_once(&action);
        }
    });
    Context { observer, ..context }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_destination_that_disappears_is_an_error_and_the_next_run_succeeds() {
    let home = tempfile::tempdir().unwrap();
    let (source, destination) = (home.path().join("source"), home.path().join("destination"));
    let tree = [("a.bin".to_owned(), content(1, 2 * PART)), ("sub/b.bin".to_owned(), content(2, 100))].into();
    write(&source, &tree);
    let gone: PathBuf = destination.clone();
    let disappearing = once_at_first_bytes(context(), move || fs::remove_dir_all(&gone).unwrap());
    let error = run(&path_of(&source), &path_of(&destination), &disappearing).await.unwrap_err();
    assert!(matches!(error, TransferError::NotFound { .. }), "{error:?}");
    run(&path_of(&source), &path_of(&destination), &context()).await.unwrap();
    assert_eq!(read(&destination), tree);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_object_that_disappears_or_changes_is_an_error_and_nothing_of_it_appears() {
    for changes in [false, true] {
        let (store, context) = store().await;
        let home = tempfile::tempdir().unwrap();
        store.put("m/a.bin", content(1, 3 * PART));
        let shared = store.clone();
        let action =
            move || if changes { shared.put("m/a.bin", content(2, 3 * PART)) } else { shared.remove("m/a.bin") };
        // One part at a time, so that later requests find it gone.
        let mut context = once_at_first_bytes(context, action);
        context.options.memory = PART;
        let error = run(&google("m"), &path_of(home.path()), &context).await.unwrap_err();
        let is_expected = match error {
            TransferError::Changed { .. } => changes,
            TransferError::NotFound { .. } => !changes,
            _ => false,
        };
        assert!(is_expected, "{error:?}");
        assert!(!home.path().join("a.bin").exists());
    }
}

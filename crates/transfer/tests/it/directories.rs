//! Files and directories of this machine.

use std::fs;

use model_registry_testkit::SmallDisk;
use model_registry_transfer::{Context, Event, Options, Sha256, Shape, Stop, TransferError, tree_digest};

use crate::support::{Recorded, context, model, names, path_of, read, run, run_until, write};

#[tokio::test(flavor = "multi_thread")]
async fn a_directory_is_copied_with_its_digests() {
    let home = tempfile::tempdir().unwrap();
    let (source, destination) = (home.path().join("source"), home.path().join("new/destination"));
    write(&source, &model());
    let recorded = Recorded::default();
    let report = run(&path_of(&source), &path_of(&destination), &recorded.context(context())).await.unwrap();
    assert_eq!(read(&destination), model(), "nothing else is left there");
    assert_eq!((report.shape, report.copied_files()), (Shape::Tree, 5));
    for file in &report.files {
        assert_eq!(file.digest, Sha256::of(&model()[file.path.as_str()]), "{}", file.path);
    }
    assert_eq!(report.digest(), tree_digest(&report.files));
    let size: usize = model().values().map(Vec::len).sum();
    assert_eq!((report.size(), report.copied_bytes, recorded.bytes()), (size as u64, size as u64, size as u64));
    assert!(report.uri.starts_with("file:///") && report.uri.ends_with("/new/destination"), "{}", report.uri);
    let first = Event::Planned { files: 5, bytes: size as u64, files_there: 0, bytes_there: 0 };
    assert_eq!(recorded.events()[0], first);
}

#[tokio::test]
async fn a_single_file_gets_the_name_of_its_destination_or_goes_into_a_directory() {
    let home = tempfile::tempdir().unwrap();
    let at = |name: &str| path_of(&home.path().join(name));
    fs::write(at("model.bin"), "content").unwrap();
    fs::create_dir(at("directory")).unwrap();
    for (destination, expected) in [
        ("copy.bin", "copy.bin"),
        ("directory", "directory/model.bin"),
        ("new/", "new/model.bin"),
        ("deep/er/x", "deep/er/x"),
    ] {
        let report = run(&at("model.bin"), &at(destination), &context()).await.unwrap();
        assert_eq!(fs::read_to_string(at(expected)).unwrap(), "content", "{destination}");
        assert_eq!(report.digest(), Sha256::of(b"content"), "the digest of a single file is its own");
    }
    assert_eq!(names(&read(home.path())).len(), 5);
}

#[tokio::test]
async fn a_file_is_replaced_as_a_whole_and_others_stay() {
    let home = tempfile::tempdir().unwrap();
    let (source, destination) = (home.path().join("source"), home.path().join("destination"));
    write(&source, &[("a".to_owned(), b"new".to_vec())].into());
    write(&destination, &[("a".to_owned(), b"old and longer".to_vec()), ("b".to_owned(), b"other".to_vec())].into());
    run(&path_of(&source), &path_of(&destination), &context()).await.unwrap();
    let expected = [("a".to_owned(), b"new".to_vec()), ("b".to_owned(), b"other".to_vec())].into();
    assert_eq!(read(&destination), expected);
}

#[tokio::test]
async fn a_file_with_the_same_content_is_not_written_again() {
    let home = tempfile::tempdir().unwrap();
    let (source, destination) = (home.path().join("source"), home.path().join("destination"));
    write(&source, &model());
    run(&path_of(&source), &path_of(&destination), &context()).await.unwrap();
    fs::write(destination.join("config.json"), crate::support::content(9, 300)).unwrap();
    let report = run(&path_of(&source), &path_of(&destination), &context()).await.unwrap();
    assert_eq!((report.copied_files(), report.copied_bytes), (1, 300));
    assert_eq!(read(&destination), model());
}

#[tokio::test]
async fn a_dry_run_says_what_would_be_copied_and_changes_nothing() {
    let home = tempfile::tempdir().unwrap();
    let (source, destination) = (home.path().join("source"), home.path().join("destination"));
    write(&source, &model());
    let dry = Context { options: Options { is_dry_run: true, ..context().options }, ..context() };
    let report = run(&path_of(&source), &path_of(&destination), &dry).await.unwrap();
    assert_eq!((report.planned.len(), report.files.len(), report.copied_files()), (5, 0, 5));
    assert!(!destination.exists());
}

#[tokio::test]
async fn a_source_without_files_is_an_error() {
    let home = tempfile::tempdir().unwrap();
    fs::create_dir_all(home.path().join("empty/below")).unwrap();
    let destination = path_of(&home.path().join("destination"));
    for source in ["empty", "missing"] {
        let error = run(&path_of(&home.path().join(source)), &destination, &context()).await.unwrap_err();
        assert!(matches!(error, TransferError::NotFound { .. }), "{error}");
        assert!(error.to_string().contains(source), "{error}");
    }
    assert!(!home.path().join("destination").exists());
}

#[tokio::test]
async fn a_place_that_cannot_have_the_files_is_refused_before_any_byte_moves() {
    let home = tempfile::tempdir().unwrap();
    let (source, destination) = (home.path().join("source"), home.path().join("destination"));
    write(&source, &model());
    fs::create_dir_all(destination.join("config.json")).unwrap();
    let recorded = Recorded::default();
    let refused = async || {
        let error = run(&path_of(&source), &path_of(&destination), &recorded.context(context())).await.unwrap_err();
        assert!(matches!(error, TransferError::Names(_)), "{error}");
        error.to_string()
    };
    assert!(refused().await.contains("is a directory"));
    fs::remove_dir(destination.join("config.json")).unwrap();
    fs::write(destination.join("weights"), "").unwrap();
    assert!(refused().await.contains("is a file, not a directory"));
    fs::remove_file(destination.join("weights")).unwrap();
    // A link could lead out of the destination.
    let outside = home.path().join("outside");
    fs::create_dir(&outside).unwrap();
    std::os::unix::fs::symlink(&outside, destination.join("weights")).unwrap();
    assert!(refused().await.contains("is a symbolic link"));
    assert_eq!(recorded.bytes(), 0);
    assert!(read(&outside).is_empty());
}

#[tokio::test]
async fn a_digest_that_is_not_the_expected_one_is_an_error_and_the_file_does_not_appear() {
    let home = tempfile::tempdir().unwrap();
    fs::write(home.path().join("a"), "content").unwrap();
    let (source, destination) = (path_of(&home.path().join("a")), path_of(&home.path().join("b")));
    let expecting = |digest| Context { options: Options { digest: Some(digest), ..context().options }, ..context() };
    let error = run(&source, &destination, &expecting(Sha256::of(b"other"))).await.unwrap_err();
    assert!(matches!(error, TransferError::Mismatch { .. }), "{error}");
    assert_eq!(names(&read(home.path())), ["a"]);
    run(&source, &destination, &expecting(Sha256::of(b"content"))).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_is_an_error_that_says_what_to_do_and_the_next_run_continues() {
    let Some(disk) = SmallDisk::mount(40_000).unwrap() else { return };
    let home = tempfile::tempdir().unwrap();
    write(home.path(), &model());
    let destination = disk.path().join("model");
    let size = crate::support::PART as u64;
    disk.fill().unwrap();
    let error = run(&path_of(home.path()), &path_of(&destination), &context()).await.unwrap_err();
    assert!(matches!(error, TransferError::Full { .. }), "{error}");
    assert!(error.to_string().contains("free some and run the command again"), "{error}");
    disk.free().unwrap();
    let report = run(&path_of(home.path()), &path_of(&destination), &context()).await.unwrap();
    assert!(report.size() > size);
    assert_eq!(read(&destination), model());
}

#[tokio::test]
async fn a_transfer_that_is_stopped_before_it_starts_leaves_nothing() {
    let home = tempfile::tempdir().unwrap();
    write(&home.path().join("source"), &model());
    let stop = Stop::default();
    stop.stop();
    let (source, destination) = (home.path().join("source"), home.path().join("destination"));
    let error = run_until(&path_of(&source), &path_of(&destination), &context(), &stop).await.unwrap_err();
    assert!(matches!(error, TransferError::Cancelled));
    assert!(!destination.exists());
}

//! Archives of web servers.

use std::io::Write;

use model_registry_testkit::{FileServer, S3Server, WebFault};
use model_registry_transfer::{Context, Options, TransferError};

use crate::support::{content, context, names, path_of, read, run, s3, s3_context};

fn tar_gzip(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut builder = tar::Builder::new(flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast()));
    for (name, content) in members {
        let mut header = tar::Header::new_gnu();
        header.as_old_mut().name[..name.len()].copy_from_slice(name.as_bytes());
        header.set_size(content.len() as u64);
        header.set_mode(0o600);
        header.set_cksum();
        builder.append(&header, *content).unwrap();
    }
    builder.into_inner().unwrap().finish().unwrap()
}

fn zip(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, content) in members {
        writer.start_file(*name, zip::write::SimpleFileOptions::default()).unwrap();
        writer.write_all(content).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_files_of_an_archive_are_copied() {
    let (server, store, home) =
        (FileServer::start().await.unwrap(), S3Server::start().await.unwrap(), tempfile::tempdir().unwrap());
    let weights = content(1, 100_000);
    let members: [(&str, &[u8]); 2] = [("config.json", b"{}"), ("weights/w.bin", &weights)];
    server.publish("/m.tar.gz", tar_gzip(&members));
    server.publish("/m.zip", zip(&members));
    let expected = members.map(|(name, content)| (name.to_owned(), content.to_vec())).into();
    for name in ["m.tar.gz", "m.zip"] {
        let destination = home.path().join(name);
        server.plan(&format!("/{name}"), WebFault::Cut(usize::MAX));
        server.plan(&format!("/{name}"), WebFault::Cut(50_000));
        run(&server.url(&format!("/{name}")), &path_of(&destination), &context()).await.unwrap();
        assert_eq!(read(&destination), expected, "{name}: nothing else is left");
    }
    run(&server.url("/m.zip"), &s3("m"), &s3_context(&store)).await.unwrap();
    assert_eq!(std::fs::read(store.bucket().join("m/weights/w.bin")).unwrap(), weights);
}

#[tokio::test]
async fn a_hostile_archive_writes_nothing() {
    let (server, home) = (FileServer::start().await.unwrap(), tempfile::tempdir().unwrap());
    let destination = home.path().join("destination");
    for (name, bytes) in [
        ("/up.tar.gz", tar_gzip(&[("good", b"1"), ("../evil", b"2")])),
        ("/absolute.tgz", tar_gzip(&[("good", b"1"), ("/tmp/model-registry-evil", b"2")])),
        ("/up.zip", zip(&[("good", b"1"), ("a/../../evil", b"2")])),
    ] {
        server.publish(name, bytes);
        let error = run(&server.url(name), &path_of(&destination), &context()).await.unwrap_err();
        assert!(matches!(error, TransferError::UnsafeName { .. }), "{name}: {error}");
        assert!(read(home.path()).is_empty(), "{name}");
    }
    assert!(!std::path::Path::new("/tmp/model-registry-evil").exists());
}

#[tokio::test]
async fn an_archive_is_copied_as_it_is_on_request_and_only_listed_by_a_dry_run() {
    let (server, home) = (FileServer::start().await.unwrap(), tempfile::tempdir().unwrap());
    let bytes = tar_gzip(&[("a", b"1")]);
    server.publish("/m.tgz", bytes.clone());
    let destination = format!("{}/", path_of(home.path()));
    let dry = Context { options: Options { is_dry_run: true, ..context().options }, ..context() };
    let report = run(&server.url("/m.tgz"), &destination, &dry).await.unwrap();
    assert_eq!(report.planned[0].path.as_str(), "m.tgz");
    assert_eq!(server.requests().len(), 1);
    run(&server.url("/m.tgz"), &destination, &Context { unpacks: false, ..context() }).await.unwrap();
    assert_eq!(names(&read(home.path())), ["m.tgz"]);
}

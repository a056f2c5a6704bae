//! Images of others: layers on top of each other, and layers that must not be unpacked.

use std::io::Write;

use serde_json::json;

use crate::fake_registry::{FakeRegistry, Fault};
use crate::support::{Files, anonymous, pull, reference};

/// One entry: name, type, target of a link, content.
type Entry<'a> = (&'a str, u8, &'a str, &'a [u8]);

fn header(name: &str, kind: u8, link: &str, size: usize) -> [u8; 512] {
    let mut block = [0; 512];
    let mut put = |at: usize, bytes: &[u8]| block[at..at + bytes.len()].copy_from_slice(bytes);
    put(0, name.as_bytes());
    put(100, b"0000644\0");
    put(124, format!("{size:011o}\0").as_bytes());
    put(148, b"        ");
    put(156, &[kind]);
    put(157, link.as_bytes());
    put(257, b"ustar\x0000");
    let sum: u32 = block.iter().map(|byte| u32::from(*byte)).sum();
    block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    block
}

fn tar(entries: &[Entry<'_>]) -> Vec<u8> {
    let mut archive = Vec::new();
    for (name, kind, link, content) in entries {
        archive.extend(header(name, *kind, link, content.len()));
        archive.extend(*content);
        archive.resize(archive.len().next_multiple_of(512), 0);
    }
    archive.resize(archive.len() + 1024, 0);
    archive
}

/// An archive of files.
pub(crate) fn archive(files: &[(&str, &[u8])]) -> Vec<u8> {
    let entries: Vec<Entry<'_>> = files.iter().map(|(name, content)| (*name, b'0', "", *content)).collect();
    tar(&entries)
}

fn gzip(content: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(content).unwrap();
    encoder.finish().unwrap()
}

fn zstd(content: &[u8]) -> Vec<u8> {
    ruzstd::encoding::compress_to_vec(content, ruzstd::encoding::CompressionLevel::Fastest)
}

/// Publishes a container image with these layers.
fn publish(registry: &FakeRegistry, layers: &[Vec<u8>]) {
    let config = registry.put_blob("m", b"{}".as_slice());
    let layers: Vec<_> = layers
        .iter()
        .map(|layer| {
            let digest = registry.put_blob("m", layer.clone());
            json!({"mediaType": "application/vnd.oci.image.layer.v1.tar", "digest": digest, "size": layer.len()})
        })
        .collect();
    registry.put_manifest(
        "m",
        "1",
        &json!({
            "schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "config": {"mediaType": "application/vnd.oci.image.config.v1+json", "digest": config, "size": 2},
            "layers": layers,
        }),
    );
}

async fn pulled(layers: &[Vec<u8>]) -> model_registry_oci::Result<Files> {
    let registry = FakeRegistry::start().await;
    publish(&registry, layers);
    pull(&anonymous(), &reference(&registry, "m:1")).await
}

fn expect(list: &[(&str, &str)]) -> Files {
    list.iter().map(|(path, content)| ((*path).to_owned(), content.as_bytes().to_vec())).collect()
}

#[tokio::test]
async fn layers_of_every_compression_hide_and_delete_files_of_lower_ones() {
    let lower = archive(&[
        ("bin/sh", b"x"),
        ("models/a", b"1"),
        ("models/b", b"2"),
        ("models/d/old", b"3"),
        ("model/no", b"4"),
    ]);
    let middle =
        archive(&[("./models/a", b"new"), ("models/.wh.b", b""), ("models/d/.wh..wh..opq", b""), ("models/d/x", b"5")]);
    let upper = tar(&[
        ("models/", b'5', "", b""),
        ("models/l", b'2', "d/x", b""),
        ("models/d/l", b'2', "../a", b""),
        ("models/h", b'1', "models/a", b""),
    ]);
    let found = pulled(&[gzip(&lower), zstd(&middle), upper]).await.unwrap();
    assert_eq!(found, expect(&[("a", "new"), ("d/l", "new"), ("d/x", "5"), ("h", "new"), ("l", "5")]));
    let found = pulled(&[archive(&[("models/a", b"1")]), archive(&[(".wh.models", b""), ("models/b", b"2")])]).await;
    assert_eq!(found.unwrap(), expect(&[("b", "2")]));
}

#[tokio::test]
async fn entries_that_leave_the_directory_or_are_no_files_refuse_the_layer() {
    for (entry, reason) in [
        (("../escape", b'0', "", b"x".as_slice()), "contains `..`"),
        (("models/../../escape", b'0', "", b"x"), "contains `..`"),
        (("/models/a", b'0', "", b"x"), "is absolute"),
        (("models/a\nb", b'0', "", b"x"), "control character"),
        (("models/l", b'2', "/etc/passwd", b""), "leaves the directory"),
        (("models/l", b'2', "../../etc/passwd", b""), "leaves the directory"),
        (("models/l", b'2', "../bin/sh", b""), "leaves the directory"),
        (("models/h", b'1', "bin/sh", b""), "leaves the directory"),
        (("models/h", b'1', "/models/a", b""), "leaves the directory"),
        (("models/l", b'2', "missing", b""), "does not lead to a file"),
        (("models/l", b'2', "l", b""), "does not lead to a file"),
        (("models/dev", b'3', "", b""), "device or a FIFO"),
        (("models/fifo", b'6', "", b""), "device or a FIFO"),
        (("models", b'2', "/etc", b""), "is not a directory"),
        (("models/s", b'S', "", b""), "sparse"),
    ] {
        let good = ("models/good", b'0', "", b"1".as_slice());
        let error = pulled(&[tar(&[good, entry])]).await.unwrap_err().to_string();
        assert!(error.contains("is refused") && error.contains(reason), "{}: {error}", entry.0);
    }
    // Outside the model's directory, base images have such entries.
    let ordinary =
        tar(&[("dev/null", b'3', "", b""), ("etc/mtab", b'2', "/proc/mounts", b""), ("models/a", b'0', "", b"1")]);
    assert_eq!(pulled(&[ordinary]).await.unwrap(), expect(&[("a", "1")]));
}

#[tokio::test]
async fn a_layer_that_expands_without_end_is_refused() {
    let bomb = tar(&[("models/zeros", b'0', "", &vec![0; 80 << 20])]);
    let error = pulled(&[gzip(&bomb)]).await.unwrap_err().to_string();
    assert!(error.contains("many times larger than its compressed form"), "{error}");
}

#[tokio::test]
async fn a_damaged_layer_is_an_error_whose_cause_is_the_digest() {
    let registry = FakeRegistry::start().await;
    publish(&registry, &[gzip(&archive(&[("models/a", b"1")]))]);
    registry.plan("GET", "/blobs/", Fault::Damaged);
    let error = pull(&anonymous(), &reference(&registry, "m:1")).await.unwrap_err();
    assert!(matches!(error, model_registry_oci::Error::DigestMismatch { .. }), "{error}");
    let error = pulled(&[b"neither an archive nor empty".to_vec()]).await.unwrap_err().to_string();
    assert!(error.contains("is refused"), "{error}");
    let error = pulled(&[archive(&[("bin/sh", b"x")])]).await.unwrap_err().to_string();
    assert!(error.contains("not found: files below /models"), "{error}");
}

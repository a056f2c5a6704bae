//! Archives that are unpacked, and hostile ones that are not.

use std::io::Write;

use super::*;

/// Kind, name, and content or target of a member.
type Member<'a> = (::tar::EntryType, &'a str, &'a str);

const FILE: ::tar::EntryType = ::tar::EntryType::Regular;
const SYMBOLIC: ::tar::EntryType = ::tar::EntryType::Symlink;
const HARD: ::tar::EntryType = ::tar::EntryType::Link;

/// A tar archive; the names are written as they are, which the library would refuse.
fn tar(members: &[Member<'_>]) -> Vec<u8> {
    let mut builder = ::tar::Builder::new(Vec::new());
    for (kind, name, content) in members {
        let mut header = ::tar::Header::new_gnu();
        header.set_entry_type(*kind);
        header.set_mode(0o644);
        let name_field = &mut header.as_old_mut().name;
        name_field[..name.len()].copy_from_slice(name.as_bytes());
        let is_file = *kind == FILE;
        if !is_file {
            header.as_old_mut().linkname[..content.len()].copy_from_slice(content.as_bytes());
        }
        header.set_size(if is_file { content.len() as u64 } else { 0 });
        header.set_cksum();
        builder.append(&header, if is_file { content.as_bytes() } else { &[] }).unwrap();
    }
    builder.into_inner().unwrap()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn zip(members: &[(&str, &str)]) -> Vec<u8> {
    let mut writer = ::zip::ZipWriter::new(io::Cursor::new(Vec::new()));
    for (name, content) in members {
        writer.start_file(*name, ::zip::write::SimpleFileOptions::default()).unwrap();
        writer.write_all(content.as_bytes()).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

fn unpacked(bytes: &[u8], format: Format) -> (tempfile::TempDir, Result<()>) {
    let home = tempfile::tempdir().unwrap();
    let archive = home.path().join("archive");
    fs::write(&archive, bytes).unwrap();
    let result = unpack(&archive, &home.path().join("files"), format, "archive", &Cancellation::default());
    (home, result)
}

#[test]
fn each_format_unpacks_to_the_same_files() {
    let members = [(FILE, "./a", "1"), (FILE, "b/c", "2")];
    let plain = tar(&members);
    let zipped = zip(&[("a", "1"), ("b/c", "2")]);
    for (bytes, format) in [(plain.clone(), Format::Tar), (gzip(&plain), Format::TarGzip), (zipped, Format::Zip)] {
        let (home, result) = unpacked(&bytes, format);
        result.unwrap();
        let read = |name: &str| fs::read_to_string(home.path().join("files").join(name)).unwrap();
        assert_eq!((read("a"), read("b/c")), ("1".to_owned(), "2".to_owned()), "{format:?}");
    }
}

#[test]
fn links_within_an_archive_become_files() {
    let members = [(SYMBOLIC, "x/second", "first"), (SYMBOLIC, "x/first", "../a"), (HARD, "y", "a"), (FILE, "a", "1")];
    let (home, result) = unpacked(&tar(&members), Format::Tar);
    result.unwrap();
    for name in ["x/first", "x/second", "y"] {
        let path = home.path().join("files").join(name);
        assert_eq!(fs::read_to_string(&path).unwrap(), "1", "{name}");
        assert!(fs::symlink_metadata(&path).unwrap().is_file());
    }
}

#[test]
fn a_member_that_leaves_the_directory_is_refused() {
    for (member, part) in [
        ((FILE, "../a", ""), "`..`"),
        ((FILE, "b/../../a", ""), "`..`"),
        ((FILE, "/etc/a", ""), "absolute"),
        ((FILE, "a\\b", ""), "backslash"),
        ((FILE, "a\nb", ""), "control character"),
        ((SYMBOLIC, "a", "../../etc/passwd"), "`..`"),
        ((SYMBOLIC, "a", "/etc/passwd"), "absolute"),
        ((HARD, "a", "../b"), "`..`"),
        ((SYMBOLIC, "a", "missing"), "not a file of the archive"),
        ((SYMBOLIC, "a", "a"), "not a file of the archive"),
        ((::tar::EntryType::Fifo, "a", ""), "neither a file nor a directory"),
        ((::tar::EntryType::Char, "a", ""), "neither a file nor a directory"),
    ] {
        let (home, result) = unpacked(&tar(&[(FILE, "first", "1"), member]), Format::Tar);
        let error = result.expect_err(member.1).to_string();
        assert!(error.contains(part), "{member:?}: {error}");
        assert!(!home.path().join("a").exists());
    }
    for name in ["../a", "/etc/a", "b/../../a"] {
        let (_home, result) = unpacked(&zip(&[(name, "")]), Format::Zip);
        assert!(matches!(result, Err(TransferError::UnsafeName { .. })), "{name}: {result:?}");
    }
}

#[test]
fn what_is_not_an_archive_is_an_error() {
    for format in [Format::Tar, Format::TarGzip, Format::Zip] {
        let (_home, result) = unpacked(b"<html>not an archive</html>", format);
        assert!(result.unwrap_err().to_string().contains("the archive cannot be unpacked"), "{format:?}");
    }
    // The end of the archive is missing.
    let bytes = gzip(&tar(&[(FILE, "a", &"1".repeat(100_000))]));
    assert!(unpacked(&bytes[..bytes.len() / 2], Format::TarGzip).1.is_err());
}

#[test]
fn the_format_follows_from_the_name() {
    for (name, format) in [
        ("a.tar", Some(Format::Tar)),
        ("A.TAR.GZ", Some(Format::TarGzip)),
        ("a.tgz", Some(Format::TarGzip)),
        ("a.zip", Some(Format::Zip)),
        ("a.gz", None),
        ("model.onnx", None),
    ] {
        assert_eq!(Format::of(name).unwrap(), format, "{name}");
    }
    assert!(Format::of("a.tar.xz").unwrap_err().to_string().contains("--no-unpack"));
}

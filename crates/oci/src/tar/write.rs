//! Headers of tar archives: ustar, with PAX headers where a name or a size does not fit.
//!
//! Everything that does not belong to the content is constant, so that the same files have the same digest: time 0, owner 0,
//! no names of users, mode 0644 for files and 0755 for directories.

use super::BLOCK;

/// The end of an archive: two empty blocks.
pub(crate) const END: [u8; 1024] = [0; 1024];

const FILE_MODE: &[u8] = b"0000644\0";
const DIRECTORY_MODE: &[u8] = b"0000755\0";
/// The longest name that a header holds.
const LONGEST_NAME: usize = 100;
/// The first size that 11 octal digits cannot express: 8 GiB.
const FIRST_LARGE_SIZE: u64 = 1 << 33;

/// The header of a regular file.
pub(crate) fn file_header(path: &str, size: u64) -> Vec<u8> {
    header(path, size, b'0', FILE_MODE)
}

/// The header of a directory.
pub(crate) fn directory_header(path: &str) -> Vec<u8> {
    header(&format!("{path}/"), 0, b'5', DIRECTORY_MODE)
}

/// The zeros after a content of this size.
pub(crate) fn padding(size: u64) -> usize {
    usize::try_from(size.next_multiple_of(BLOCK) - size).unwrap_or_default()
}

/// The length of an archive with these directories and files, in bytes.
pub(crate) fn tar_length<'a>(
    directories: impl Iterator<Item = &'a str>,
    files: impl Iterator<Item = (&'a str, u64)>,
) -> u64 {
    let directories: u64 = directories.map(|path| directory_header(path).len() as u64).sum();
    let files: u64 = files.map(|(path, size)| file_header(path, size).len() as u64 + size + padding(size) as u64).sum();
    directories + files + END.len() as u64
}

fn header(path: &str, size: u64, kind: u8, mode: &[u8]) -> Vec<u8> {
    let mut records = Vec::new();
    let is_long = path.len() > LONGEST_NAME || !path.is_ascii();
    if is_long {
        records.extend(record("path", path));
    }
    if size >= FIRST_LARGE_SIZE {
        records.extend(record("size", &size.to_string()));
    }
    let mut bytes = Vec::new();
    if !records.is_empty() {
        bytes.extend(block("PaxHeaders/x", records.len() as u64, b'x', FILE_MODE));
        let zeros = padding(records.len() as u64);
        bytes.append(&mut records);
        bytes.resize(bytes.len() + zeros, 0);
    }
    // Readers without PAX see a shortened name; the size of a large file is in its record only.
    let name: String = if is_long { shortened(path) } else { path.to_owned() };
    let size = if size >= FIRST_LARGE_SIZE { 0 } else { size };
    bytes.extend(block(&name, size, kind, mode));
    bytes
}

fn shortened(path: &str) -> String {
    let ascii: String = path.chars().map(|character| if character.is_ascii() { character } else { '_' }).collect();
    ascii.chars().take(LONGEST_NAME).collect()
}

/// One record of a PAX header: its own length, a blank, `key=value`, a line feed.
fn record(key: &str, value: &str) -> Vec<u8> {
    let rest = key.len() + value.len() + 3;
    let mut length = rest + 1;
    while length != rest + length.to_string().len() {
        length = rest + length.to_string().len();
    }
    format!("{length} {key}={value}\n").into_bytes()
}

fn block(name: &str, size: u64, kind: u8, mode: &[u8]) -> [u8; 512] {
    let mut block = [0; 512];
    let mut put = |at: usize, bytes: &[u8]| block[at..at + bytes.len()].copy_from_slice(bytes);
    put(0, name.as_bytes());
    put(100, mode);
    put(108, b"0000000\0");
    put(116, b"0000000\0");
    put(124, format!("{size:011o}\0").as_bytes());
    put(136, b"00000000000\0");
    put(148, b"        ");
    put(156, &[kind]);
    put(257, b"ustar\x0000");
    let sum: u32 = block.iter().copied().map(u32::from).sum();
    block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    block
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::tar::{EntryKind, TarReader};

    #[test]
    fn the_header_of_a_file_never_changes() {
        // Another header would give every image another digest.
        let digest = |bytes: &[u8]| crate::Digest::of(bytes).to_string();
        let ordinary = file_header("models/model.onnx", 1234);
        assert_eq!(ordinary.len(), 512);
        assert_eq!(&ordinary[..17], b"models/model.onnx");
        assert_eq!(&ordinary[124..136], b"00000002322\0");
        assert_eq!(file_header("models/model.onnx", 1234), ordinary);
        assert_ne!(digest(&file_header("models/model.onnx", 1235)), digest(&ordinary));
        assert_eq!(file_header(&format!("models/{}", "x".repeat(200)), 1).len(), 3 * 512);
        assert_eq!(file_header("models/large", 1 << 33).len(), 3 * 512);
        assert_eq!(file_header("models/just-below", (1 << 33) - 1).len(), 512);
    }

    proptest! {
        #[test]
        fn every_name_and_size_is_read_as_it_was_written(
            name in "[a-zA-Z0-9._ ü模-]{1,40}(/[a-zA-Z0-9._ é-]{1,120}){0,4}",
            size in prop_oneof![0_u64..2000, (1_u64 << 33) - 2..(1 << 33) + 2, any::<u64>().prop_map(|size| size >> 2)],
        ) {
            let header = file_header(&name, size);
            prop_assert_eq!(header.len() % 512, 0);
            let mut reader = TarReader::new(header.as_slice());
            let entry = reader.next_entry().unwrap().unwrap();
            prop_assert_eq!((entry.path, entry.size, entry.kind), (name, size, EntryKind::File));
        }

        #[test]
        fn the_length_of_an_archive_is_known_before_its_content(sizes in prop::collection::vec(0_u64..3000, 0..5)) {
            let names: Vec<String> = (0..sizes.len()).map(|number| "n".repeat(1 + number * 60)).collect();
            let mut archive = directory_header("models");
            for (name, size) in names.iter().zip(&sizes) {
                archive.extend(file_header(name, *size));
                archive.resize(archive.len() + usize::try_from(*size).unwrap() + padding(*size), 7);
            }
            archive.extend(END);
            let files = names.iter().map(String::as_str).zip(sizes.iter().copied());
            prop_assert_eq!(tar_length(["models"].into_iter(), files), archive.len() as u64);
        }
    }
}

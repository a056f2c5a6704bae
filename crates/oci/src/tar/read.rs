//! A reader of tar archives for content that may be hostile: every header has a limited size, and sizes are checked.

use std::io::{self, Read};

use super::BLOCK;

/// The largest PAX header or long name. The longest path of Linux has 4096 bytes.
const LARGEST_EXTENSION: u64 = 64 << 10;
/// How many headers may precede one entry.
const MOST_EXTENSIONS: usize = 16;

/// An entry of an archive. Its content is read by [`TarReader::content`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TarEntry {
    pub(crate) path: String,
    pub(crate) kind: EntryKind,
    pub(crate) size: u64,
    /// The target of a link.
    pub(crate) link: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum EntryKind {
    File,
    Directory,
    HardLink,
    SymbolicLink,
    /// A device or a FIFO.
    Special,
}

/// Reads one entry after the other. What was not read of a content is skipped.
pub(crate) struct TarReader<R> {
    inner: R,
    /// Bytes of the present content, and of the zeros after it, that were not read.
    content_left: u64,
    padding_left: u64,
}

/// What PAX headers and long names say about the next entry.
#[derive(Default)]
struct Extensions {
    path: Option<String>,
    link: Option<String>,
    size: Option<u64>,
}

impl<R: Read> TarReader<R> {
    pub(crate) fn new(inner: R) -> Self {
        Self { inner, content_left: 0, padding_left: 0 }
    }

    pub(crate) fn into_inner(self) -> R {
        self.inner
    }

    /// The next entry; `None` at the end of the archive.
    pub(crate) fn next_entry(&mut self) -> io::Result<Option<TarEntry>> {
        self.skip()?;
        let mut extensions = Extensions::default();
        for _ in 0..MOST_EXTENSIONS {
            let Some(block) = self.block()? else { return Ok(None) };
            let size = number(&block[124..136])?;
            match block[156] {
                b'x' => self.pax(size, &mut extensions)?,
                // Values for all entries; none of those that are used here may be in them.
                b'g' => drop(self.extension(size)?),
                b'L' => extensions.path = Some(long_text(&self.extension(size)?)?),
                b'K' => extensions.link = Some(long_text(&self.extension(size)?)?),
                kind => return self.entry(&block, kind, size, extensions).map(Some),
            }
        }
        Err(invalid("more than 16 headers precede one entry"))
    }

    /// Reads from the content of the present entry; 0 at its end.
    pub(crate) fn content(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let most = usize::try_from(self.content_left).unwrap_or(usize::MAX).min(buffer.len());
        if most == 0 {
            return Ok(0);
        }
        let count = self.inner.read(&mut buffer[..most])?;
        if count == 0 {
            return Err(invalid("it ends within a file"));
        }
        self.content_left -= count as u64;
        Ok(count)
    }

    fn entry(&mut self, block: &[u8; 512], kind: u8, size: u64, extensions: Extensions) -> io::Result<TarEntry> {
        let kind = match kind {
            0 | b'0' | b'7' => EntryKind::File,
            b'1' => EntryKind::HardLink,
            b'2' => EntryKind::SymbolicLink,
            b'3' | b'4' | b'6' => EntryKind::Special,
            b'5' => EntryKind::Directory,
            b'S' => return Err(invalid("it has a sparse file, which images must not have")),
            other => return Err(invalid(&format!("it has an entry of the unknown type {other}"))),
        };
        let path = match extensions.path {
            Some(path) => path,
            None => name(block)?,
        };
        let link = match extensions.link {
            Some(link) => link,
            None => text(&block[157..257])?,
        };
        let size = match kind {
            EntryKind::File => extensions.size.unwrap_or(size),
            // Some programs write the size of the target.
            _ => 0,
        };
        self.content_left = size;
        self.padding_left =
            size.checked_next_multiple_of(BLOCK).ok_or_else(|| invalid("a size is out of range"))? - size;
        Ok(TarEntry { path, kind, size, link })
    }

    /// A header; `None` at an empty block or the end of the input, which archives without an end have.
    fn block(&mut self) -> io::Result<Option<[u8; 512]>> {
        let mut block = [0; 512];
        let mut filled = 0;
        while filled < block.len() {
            match self.inner.read(&mut block[filled..])? {
                0 if filled == 0 => return Ok(None),
                0 => return Err(invalid("it ends within a header")),
                count => filled += count,
            }
        }
        if block.iter().all(|byte| *byte == 0) {
            return Ok(None);
        }
        let stored = number(&block[148..156])?;
        let sum = |block: &[u8; 512], value: fn(u8) -> i64| -> i64 {
            block.iter().enumerate().map(|(at, byte)| value(if (148..156).contains(&at) { b' ' } else { *byte })).sum()
        };
        let unsigned = sum(&block, i64::from);
        // Old programs have added signed bytes.
        let signed = sum(&block, |byte| i64::from(byte.cast_signed()));
        let stored = i64::try_from(stored).unwrap_or_default();
        if stored != unsigned && stored != signed {
            return Err(invalid("the checksum of a header is wrong: it is not a tar archive, or damaged"));
        }
        Ok(Some(block))
    }

    fn pax(&mut self, size: u64, extensions: &mut Extensions) -> io::Result<()> {
        let bytes = self.extension(size)?;
        let mut rest = bytes.as_slice();
        while !rest.is_empty() {
            let (key, value, after) = record(rest).ok_or_else(|| invalid("a PAX header cannot be parsed"))?;
            rest = after;
            match key {
                b"path" => extensions.path = Some(long_text(value)?),
                b"linkpath" => extensions.link = Some(long_text(value)?),
                b"size" => {
                    let size = std::str::from_utf8(value).ok().and_then(|size| size.parse().ok());
                    extensions.size = Some(size.ok_or_else(|| invalid("a size in a PAX header is not a number"))?);
                }
                key if key.starts_with(b"GNU.sparse") => {
                    return Err(invalid("it has a sparse file, which images must not have"));
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// The content of a header, and the zeros after it.
    fn extension(&mut self, size: u64) -> io::Result<Vec<u8>> {
        if size > LARGEST_EXTENSION {
            return Err(invalid("a header has more than 64 KiB"));
        }
        let mut bytes = vec![0; usize::try_from(size.next_multiple_of(BLOCK)).unwrap_or_default()];
        self.inner.read_exact(&mut bytes)?;
        bytes.truncate(usize::try_from(size).unwrap_or_default());
        Ok(bytes)
    }

    fn skip(&mut self) -> io::Result<()> {
        let left = self.content_left + self.padding_left;
        let skipped = io::copy(&mut Read::by_ref(&mut self.inner).take(left), &mut io::sink())?;
        // The zeros after the last content are missing in some archives.
        if skipped < self.content_left {
            return Err(invalid("it ends within a file"));
        }
        (self.content_left, self.padding_left) = (0, 0);
        Ok(())
    }
}

fn invalid(reason: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, reason)
}

/// Octal digits, or with the highest bit set a binary number (GNU).
fn number(field: &[u8]) -> io::Result<u64> {
    let out_of_range = || invalid("a number in a header is not octal, or out of range");
    if field[0] & 0x80 != 0 {
        let (high, low) = field.split_at(field.len() - 8);
        if high.first() != Some(&0x80) || high[1..].iter().any(|byte| *byte != 0) {
            return Err(out_of_range());
        }
        let number = u64::from_be_bytes(low.try_into().map_err(|_| out_of_range())?);
        return if number > i64::MAX.cast_unsigned() { Err(out_of_range()) } else { Ok(number) };
    }
    let digits = field.split(|byte| *byte == 0).next().unwrap_or_default().trim_ascii();
    digits.iter().try_fold(0_u64, |number, digit| match digit {
        b'0'..=b'7' => number.checked_mul(8).map(|number| number + u64::from(digit - b'0')).ok_or_else(out_of_range),
        _ => Err(out_of_range()),
    })
}

/// The name in a header, with its prefix in ustar archives.
fn name(block: &[u8; 512]) -> io::Result<String> {
    let name = text(&block[..100])?;
    let prefix = if &block[257..263] == b"ustar\0" { text(&block[345..500])? } else { String::new() };
    Ok(if prefix.is_empty() { name } else { format!("{prefix}/{name}") })
}

/// A field that ends at its first NUL.
fn text(field: &[u8]) -> io::Result<String> {
    let bytes = field.split(|byte| *byte == 0).next().unwrap_or_default();
    String::from_utf8(bytes.to_vec()).map_err(|_| invalid("a name is not UTF-8"))
}

/// A name of a PAX record, or a long name of GNU tar, which ends with a NUL.
fn long_text(field: &[u8]) -> io::Result<String> {
    let bytes = field.strip_suffix(b"\0").unwrap_or(field);
    if bytes.contains(&0) {
        return Err(invalid("a name contains a NUL"));
    }
    String::from_utf8(bytes.to_vec()).map_err(|_| invalid("a name is not UTF-8"))
}

/// Splits off one record: its length, a blank, `key=value`, a line feed.
fn record(bytes: &[u8]) -> Option<(&[u8], &[u8], &[u8])> {
    let blank = bytes.iter().position(|byte| *byte == b' ')?;
    let length: usize = std::str::from_utf8(&bytes[..blank]).ok()?.parse().ok()?;
    let record = bytes.get(blank + 1..length)?.strip_suffix(b"\n")?;
    let equals = record.iter().position(|byte| *byte == b'=')?;
    Some((&record[..equals], &record[equals + 1..], &bytes[length..]))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::tar::{END, directory_header, file_header, padding};

    fn archive(entries: &[(&str, &[u8])]) -> Vec<u8> {
        let mut archive = directory_header("models");
        for (path, content) in entries {
            archive.extend(file_header(path, content.len() as u64));
            archive.extend(*content);
            archive.resize(archive.len() + padding(content.len() as u64), 0);
        }
        archive.extend(END);
        archive
    }

    fn paths(archive: &[u8]) -> io::Result<Vec<(String, u64)>> {
        let mut reader = TarReader::new(archive);
        let mut found = Vec::new();
        while let Some(entry) = reader.next_entry()? {
            found.push((entry.path, entry.size));
        }
        Ok(found)
    }

    #[test]
    fn entries_and_contents_are_read_in_order() {
        let long = "x".repeat(300);
        let archive = archive(&[("models/a", b"123"), (&long, &[7; 513]), ("models/empty", b"")]);
        let expected =
            [("models/".to_owned(), 0), ("models/a".to_owned(), 3), (long, 513), ("models/empty".to_owned(), 0)];
        assert_eq!(paths(&archive).unwrap(), expected);
        let mut reader = TarReader::new(archive.as_slice());
        reader.next_entry().unwrap();
        reader.next_entry().unwrap();
        let mut buffer = [0; 10];
        assert_eq!(reader.content(&mut buffer).unwrap(), 3);
        assert_eq!(&buffer[..3], b"123");
        assert_eq!(reader.content(&mut buffer).unwrap(), 0);
    }

    #[test]
    fn an_archive_that_ends_early_or_is_damaged_is_an_error() {
        let whole = archive(&[("models/a", &[1; 2000])]);
        for length in [513, 700, 1024, 1025, 3000] {
            assert!(paths(&whole[..length]).is_err(), "{length}");
        }
        let mut damaged = whole.clone();
        damaged[600] ^= 1;
        assert!(paths(&damaged).unwrap_err().to_string().contains("checksum"));
        assert!(paths(b"not an archive, but long enough").is_err());
        assert_eq!(paths(&[]).unwrap(), []);
    }

    #[test]
    fn a_header_of_unlimited_size_is_refused_before_memory_is_taken() {
        for kind in *b"xgLK" {
            let mut header = file_header("x", (1 << 33) - 1);
            header[156] = kind;
            let sum: u32 = header[..512]
                .iter()
                .enumerate()
                .map(|(at, byte)| u32::from(if (148..156).contains(&at) { b' ' } else { *byte }))
                .sum();
            header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
            assert!(paths(&header).unwrap_err().to_string().contains("64 KiB"), "{kind}");
        }
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..2048), at in 0_usize..1024, value: u8) {
            let _ = paths(&bytes);
            let mut archive = archive(&[("models/a", b"123")]);
            archive[at] = value;
            let _ = paths(&archive);
        }
    }
}

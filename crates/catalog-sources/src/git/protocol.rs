//! Version 2 of the Git protocol: the references of a repository, and the objects of one commit without history.

use std::collections::HashMap;
use std::io::{BufReader, Read};
use std::ops::ControlFlow;
use std::path::Path;

use gix_pack::Bundle;
use gix_packetline::PacketLineRef;
use gix_packetline::blocking_io::{StreamingPeekableIter, encode};
use gix_utils::progress::Discard;

use super::error::GitError;
use super::transport::{Body, Transport};

/// Largest object that is unpacked: one of a server that cannot leave large ones out.
pub(super) const LARGEST_OBJECT: usize = 64 << 20;
/// Longest list of references, in lines.
const MOST_REFS: usize = 100_000;
/// Longest message of a server that is quoted.
const LONGEST_MESSAGE: usize = 300;

/// A server that speaks version 2.
pub(super) struct Connection<'a> {
    transport: Transport<'a>,
    has_object_format: bool,
    /// Whether the server can leave out large objects.
    filters: bool,
}

/// A reference: its name, and the object it points to; of an annotated tag, the object that the tag names.
pub(super) type Refs = HashMap<String, String>;

enum Line {
    Data(Vec<u8>),
    Delimiter,
    End,
}

impl<'a> Connection<'a> {
    pub(super) fn open(mut transport: Transport<'a>) -> Result<Self, GitError> {
        let body = transport.advertisement()?;
        let mut lines = lines(body);
        let mut first = next(&transport, &mut lines)?;
        if matches!(&first, Line::Data(line) if line.starts_with(b"# service=")) {
            // The announcement ends with a flush, and the capabilities follow.
            while !matches!(next(&transport, &mut lines)?, Line::End) {}
            lines.reset();
            first = next(&transport, &mut lines)?;
        }
        let Line::Data(first) = first else { return Err(GitError::OldProtocol("0")) };
        match first.trim_ascii() {
            b"version 2" => {}
            b"version 1" => return Err(GitError::OldProtocol("1")),
            // The list of references without a version in front of it.
            line if is_reference(line) => return Err(GitError::OldProtocol("0")),
            line => return Err(GitError::NotGit(format!("it begins with `{}`", quoted(line)))),
        }
        let mut connection = Self { transport, has_object_format: false, filters: false };
        while let Line::Data(line) = next(&connection.transport, &mut lines)? {
            let line = String::from_utf8_lossy(&line);
            let (name, value) = line.trim().split_once('=').unwrap_or((line.trim(), ""));
            match name {
                "object-format" if value != "sha1" => {
                    return Err(GitError::NotGit(format!("its objects have {value} digests: only sha1 is supported")));
                }
                "object-format" => connection.has_object_format = true,
                "fetch" => connection.filters = value.split(' ').any(|feature| feature == "filter"),
                _ => {}
            }
        }
        Ok(connection)
    }

    /// The references whose names start with one of the prefixes.
    pub(super) fn refs(&self, prefixes: &[String]) -> Result<Refs, GitError> {
        let mut request = self.command("ls-refs");
        put(&mut request, "peel");
        for prefix in prefixes {
            put(&mut request, &format!("ref-prefix {prefix}"));
        }
        let mut lines = lines(self.transport.post(end(request))?);
        let mut refs = Refs::new();
        while let Line::Data(line) = next(&self.transport, &mut lines)? {
            let line = String::from_utf8_lossy(&line);
            let mut parts = line.trim_end().split(' ');
            let (Some(object), Some(name)) = (parts.next(), parts.next()) else { continue };
            let peeled = parts.find_map(|part| part.strip_prefix("peeled:"));
            if refs.len() >= MOST_REFS {
                return Err(GitError::NotGit(format!("more than {MOST_REFS} references")));
            }
            refs.insert(name.to_owned(), peeled.unwrap_or(object).to_owned());
        }
        Ok(refs)
    }

    /// Fetches a commit without history into a directory. Objects above `largest` bytes are left out if the server can do so.
    pub(super) fn fetch(&self, commit: &str, largest: usize, directory: &Path) -> Result<Bundle, GitError> {
        let mut request = self.command("fetch");
        put(&mut request, "ofs-delta");
        put(&mut request, "no-progress");
        put(&mut request, &format!("want {commit}"));
        put(&mut request, "deepen 1");
        if self.filters {
            put(&mut request, &format!("filter blob:limit={}", largest + 1));
        }
        put(&mut request, "done");
        let mut lines = lines(self.transport.post(end(request))?);
        loop {
            match next(&self.transport, &mut lines)? {
                Line::Data(line) if line.trim_ascii() == b"packfile" => break,
                Line::Data(_) | Line::Delimiter => {}
                Line::End => return Err(GitError::Unreadable("a response without objects".to_owned())),
            }
        }
        let mut reported = None;
        let mut pack = BufReader::new(lines.as_read_with_sidebands(|is_error, text: &[u8]| {
            if is_error {
                reported = Some(quoted(text));
                return ControlFlow::Break(());
            }
            ControlFlow::Continue(())
        }));
        let options = gix_pack::bundle::write::Options {
            thread_limit: Some(1),
            alloc_limit_bytes: Some(LARGEST_OBJECT),
            ..Default::default()
        };
        let written = Bundle::write_to_directory(
            &mut pack,
            Some(directory),
            &mut Discard,
            self.transport.is_cancelled(),
            None::<gix_object::find::Never>,
            gix_hash::Kind::Sha1,
            options,
        );
        drop(pack);
        let written = written.map_err(|error| match reported {
            Some(message) => GitError::Remote(message),
            None => self.transport.failure(&chain(&error)),
        })?;
        let index = written.index_path.ok_or_else(|| GitError::Unreadable("a response without objects".to_owned()))?;
        let mut bundle =
            Bundle::at(index, gix_hash::Kind::Sha1).map_err(|error| GitError::Unreadable(chain(&error)))?;
        bundle.pack = bundle.pack.with_alloc_limit_bytes(Some(LARGEST_OBJECT));
        Ok(bundle)
    }

    fn command(&self, name: &str) -> Vec<u8> {
        let mut request = Vec::new();
        put(&mut request, &format!("command={name}"));
        if self.has_object_format {
            put(&mut request, "object-format=sha1");
        }
        // Writing to memory does not fail.
        let _ = encode::delim_to_write(&mut request);
        request
    }
}

fn put(request: &mut Vec<u8>, line: &str) {
    let _ = encode::text_to_write(line.as_bytes(), request);
}

fn end(mut request: Vec<u8>) -> Vec<u8> {
    let _ = encode::flush_to_write(&mut request);
    request
}

fn lines(body: Body) -> StreamingPeekableIter<BufReader<Body>> {
    StreamingPeekableIter::new(BufReader::new(body), &[PacketLineRef::Flush], false)
}

fn next(transport: &Transport<'_>, lines: &mut StreamingPeekableIter<impl Read>) -> Result<Line, GitError> {
    let Some(line) = lines.read_line() else { return Ok(Line::End) };
    let line = line.map_err(|error| transport.failure(&error))?;
    let line = line.map_err(|error| GitError::NotGit(chain(&error)))?;
    if let Some(error) = line.check_error() {
        return Err(GitError::Remote(quoted(error.0)));
    }
    Ok(match line {
        PacketLineRef::Data(data) => Line::Data(data.to_vec()),
        PacketLineRef::Delimiter => Line::Delimiter,
        PacketLineRef::Flush | PacketLineRef::ResponseEnd => Line::End,
    })
}

/// Whether a line begins with the digest of an object, and a name.
fn is_reference(line: &[u8]) -> bool {
    line.get(..40).is_some_and(|digest| digest.iter().all(u8::is_ascii_hexdigit)) && line.get(40) == Some(&b' ')
}

/// A message of the server in one line of limited length.
fn quoted(text: &[u8]) -> String {
    let text = String::from_utf8_lossy(text);
    let text = text.trim().chars().take(LONGEST_MESSAGE);
    text.map(|character| if character.is_control() { ' ' } else { character }).collect()
}

pub(super) fn chain(error: &dyn std::fmt::Display) -> String {
    error.to_string().split_whitespace().collect::<Vec<_>>().join(" ")
}

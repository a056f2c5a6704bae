//! Writes and reads the lines of an export file.
//!
//! Every line ends with a checksum: the beginning of the SHA-256 of the file up to this point. A changed, missing or moved
//! line is detected at its place.

use std::fmt::Write as _;
use std::io::{BufRead, Read, Write};

use model_registry_api::{EntityTable, Kind, parse_id};
use model_registry_base::hex;
use serde::Deserialize;
use serde_json::value::RawValue;
use sha2::{Digest, Sha256};

use super::{BackupError, Counts, FORMAT_VERSION};

const FORMAT: &str = "model-registry-export";
const LINK: &str = "artifact_link";
const END: &str = "end";
/// The maximum length of a line in bytes.
const MAX_LINE: u64 = 256 * 1024 * 1024;
/// `,"check":"01234567"}`
const CHECK_LENGTH: usize = 20;

/// A section of the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Section {
    Entities(Kind),
    Links,
}

impl Section {
    /// The sections in the order of the file: entities precede those that refer to them.
    pub fn all() -> impl Iterator<Item = Self> {
        let entities = |are_points: bool| {
            let kinds = Kind::ALL.into_iter();
            kinds.filter(move |kind| (kind.spec().table == EntityTable::MetricPoint) == are_points).map(Self::Entities)
        };
        entities(false).chain([Self::Links]).chain(entities(true))
    }

    pub fn rank(self) -> usize {
        Self::all().position(|section| section == self).unwrap_or(usize::MAX)
    }

    pub const fn name(self) -> &'static str {
        match self {
            Self::Entities(kind) => kind.name(),
            Self::Links => LINK,
        }
    }
}

/// The content of a line between the first and the last.
#[derive(Clone, Debug, PartialEq)]
pub enum Item {
    Entity(Entity),
    Link { resource_id: i64, artifact_id: i64 },
}

#[derive(Clone, Debug, PartialEq)]
pub struct Entity {
    pub kind: Kind,
    pub id: i64,
    pub parent_id: Option<i64>,
    pub revision: i64,
    pub create_time: i64,
    pub update_time: i64,
    pub document: String,
}

/// The last line.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct End {
    pub counts: Counts,
    pub lines: u64,
    /// Of everything before this line.
    pub sha256: String,
}

#[derive(Debug)]
pub enum Line {
    Item(Item),
    End(End),
}

impl Item {
    pub fn section(&self) -> Section {
        match self {
            Self::Entity(entity) => Section::Entities(entity.kind),
            Self::Link { .. } => Section::Links,
        }
    }

    /// The position within a section: items are sorted by it.
    pub fn key(&self) -> (i64, i64) {
        match self {
            Self::Entity(entity) => (entity.id, 0),
            Self::Link { resource_id, artifact_id } => (*resource_id, *artifact_id),
        }
    }

    /// Appends the line without its closing brace.
    fn append(&self, out: &mut String) {
        // Writing to a String cannot fail.
        let _ = match self {
            Self::Link { resource_id, artifact_id } => {
                write!(out, r#"{{"kind":"{LINK}","resource":"{resource_id}","artifact":"{artifact_id}""#)
            }
            Self::Entity(entity) => {
                let Entity { kind, id, parent_id, revision, create_time, update_time, document } = entity;
                let _ = write!(out, r#"{{"kind":"{}","id":"{id}""#, kind.name());
                if let Some(parent_id) = parent_id {
                    let _ = write!(out, r#","parent":"{parent_id}""#);
                }
                write!(
                    out,
                    r#","revision":{revision},"createTime":{create_time},"updateTime":{update_time},"document":{document}"#
                )
            }
        };
    }
}

/// Writes a file, line by line.
pub struct LineWriter<W> {
    out: W,
    digest: Sha256,
    lines: u64,
    counts: Counts,
    buffer: String,
}

impl<W: Write> LineWriter<W> {
    pub fn start(out: W) -> std::io::Result<Self> {
        let mut writer = Self { out, digest: Sha256::new(), lines: 0, counts: Counts::new(), buffer: String::new() };
        let _ = write!(writer.buffer, r#"{{"format":"{FORMAT}","version":{FORMAT_VERSION}"#);
        writer.finish_line()?;
        Ok(writer)
    }

    pub fn item(&mut self, item: &Item) -> std::io::Result<()> {
        let name = item.section().name();
        match self.counts.get_mut(name) {
            Some(count) => *count += 1,
            None => {
                self.counts.insert(name.to_owned(), 1);
            }
        }
        item.append(&mut self.buffer);
        self.finish_line()
    }

    pub fn lines(&self) -> u64 {
        self.lines
    }

    /// Writes the last line and returns its content.
    pub fn end(mut self) -> std::io::Result<End> {
        let end = End { counts: self.counts.clone(), lines: self.lines, sha256: hex(&self.digest.clone().finalize()) };
        let counts = serde_json::to_string(&end.counts)?;
        let _ = write!(
            self.buffer,
            r#"{{"kind":"{END}","counts":{counts},"lines":{},"sha256":"{}""#,
            end.lines, end.sha256
        );
        self.finish_line()?;
        self.out.flush()?;
        Ok(end)
    }

    fn finish_line(&mut self) -> std::io::Result<()> {
        self.digest.update(self.buffer.as_bytes());
        let check = check(&self.digest);
        let start = self.buffer.len();
        self.buffer.push_str(r#","check":""#);
        self.buffer.push_str(&check);
        self.buffer.push_str("\"}\n");
        self.digest.update(&self.buffer.as_bytes()[start..]);
        self.lines += 1;
        self.out.write_all(self.buffer.as_bytes())?;
        self.buffer.clear();
        Ok(())
    }
}

/// Reads a file line by line. The checksum of a line is verified before the line is parsed.
pub struct LineReader<R> {
    input: R,
    digest: Sha256,
    line: u64,
    buffer: Vec<u8>,
}

impl<R: BufRead> LineReader<R> {
    /// Reads the first line.
    pub fn start(input: R) -> Result<Self, BackupError> {
        #[derive(Deserialize)]
        struct Header {
            format: String,
            version: u64,
        }
        let mut reader = Self { input, digest: Sha256::new(), line: 0, buffer: Vec::new() };
        let not_an_export = |reason: String| BackupError::Line { line: 1, reason };
        if !reader.read_line()? {
            return Err(not_an_export("the file is empty".to_owned()));
        }
        let header: Header = serde_json::from_slice(&reader.buffer)
            .ok()
            .filter(|header: &Header| header.format == FORMAT)
            .ok_or_else(|| not_an_export("this is not an export of a model registry".to_owned()))?;
        if header.version != FORMAT_VERSION {
            return Err(not_an_export(format!(
                "the file has format version {}, but this program supports {FORMAT_VERSION}: import it with the version of the program that wrote it, or a newer one",
                header.version
            )));
        }
        reader.check_line()?;
        Ok(reader)
    }

    /// The number of the line read last.
    pub fn line(&self) -> u64 {
        self.line
    }

    /// An error in the line that was read last.
    pub fn error(&self, reason: impl Into<String>) -> BackupError {
        BackupError::Line { line: self.line, reason: reason.into() }
    }

    /// Reads the next line; an error at the end of the file.
    pub fn read(&mut self) -> Result<Line, BackupError> {
        if !self.read_line()? {
            return Err(self.error("the file is truncated: its last line is missing"));
        }
        let before = self.digest.clone();
        self.check_line()?;
        let raw: RawLine<'_> = serde_json::from_slice(&self.buffer)
            .map_err(|error| self.error(format!("this is not a line of an export: {error}")))?;
        if raw.kind == END {
            let end: End = serde_json::from_slice(&self.buffer)
                .map_err(|error| self.error(format!("the last line is incomplete: {error}")))?;
            if end.lines != self.line - 1 || end.sha256 != hex(&before.finalize()) {
                return Err(self.error("the digest does not match the preceding lines"));
            }
            return Ok(Line::End(end));
        }
        raw.item().map(Line::Item).map_err(|reason| self.error(reason))
    }

    /// Checks that nothing follows the last line.
    pub fn finish(mut self) -> Result<(), BackupError> {
        if self.read_line()? { Err(self.error("the file continues after its last line")) } else { Ok(()) }
    }

    /// Reads a line into the buffer, without the line break; false at the end of the file.
    fn read_line(&mut self) -> Result<bool, BackupError> {
        self.buffer.clear();
        self.line += 1;
        let length = self.input.by_ref().take(MAX_LINE).read_until(b'\n', &mut self.buffer)?;
        if length == 0 {
            return Ok(false);
        }
        if self.buffer.pop() != Some(b'\n') {
            return Err(self.error("the file is truncated in this line"));
        }
        Ok(true)
    }

    fn check_line(&mut self) -> Result<(), BackupError> {
        let body = self.buffer.len().saturating_sub(CHECK_LENGTH);
        let end = &self.buffer[body..];
        let found = end.strip_prefix(br#","check":""#).and_then(|end| end.strip_suffix(b"\"}"));
        let Some(found) = found else {
            return Err(self.error("this is not a line of an export: its checksum is missing"));
        };
        self.digest.update(&self.buffer[..body]);
        if found != check(&self.digest).as_bytes() {
            return Err(self.error("this line was changed after the export, or preceding lines are missing"));
        }
        self.digest.update(&self.buffer[body..]);
        self.digest.update(b"\n");
        Ok(())
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawLine<'a> {
    kind: &'a str,
    id: Option<&'a str>,
    parent: Option<&'a str>,
    revision: Option<i64>,
    create_time: Option<i64>,
    update_time: Option<i64>,
    #[serde(borrow)]
    document: Option<&'a RawValue>,
    resource: Option<&'a str>,
    artifact: Option<&'a str>,
}

impl RawLine<'_> {
    fn item(&self) -> Result<Item, String> {
        if self.kind == LINK {
            return Ok(Item::Link {
                resource_id: id("resource", self.resource)?,
                artifact_id: id("artifact", self.artifact)?,
            });
        }
        let kind = Kind::from_name(self.kind).ok_or_else(|| format!("unknown kind `{}`", self.kind))?;
        Ok(Item::Entity(Entity {
            kind,
            id: id("id", self.id)?,
            parent_id: self.parent.map(|parent| id("parent", Some(parent))).transpose()?,
            revision: number("revision", self.revision)?,
            create_time: number("createTime", self.create_time)?,
            update_time: number("updateTime", self.update_time)?,
            document: self.document.ok_or("`document` is missing")?.get().to_owned(),
        }))
    }
}

fn id(field: &str, value: Option<&str>) -> Result<i64, String> {
    let value = value.ok_or_else(|| format!("`{field}` is missing"))?;
    parse_id(value).filter(|id| *id > 0).ok_or_else(|| format!("`{field}` is not an id: {value}"))
}

fn number(field: &str, number: Option<i64>) -> Result<i64, String> {
    number.ok_or_else(|| format!("`{field}` is missing"))
}

fn check(digest: &Sha256) -> String {
    hex(&digest.clone().finalize()[..4])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sections_of_the_format_keep_their_order() {
        // Imports reject files in another order: a change needs a new version of the format.
        let names: Vec<&str> = Section::all().map(Section::name).collect();
        assert_eq!(
            names,
            [
                "registered_model",
                "model_version",
                "serving_environment",
                "inference_service",
                "serve_model",
                "experiment",
                "experiment_run",
                "model_artifact",
                "doc_artifact",
                "data_set",
                "metric",
                "parameter",
                "artifact_link",
                "metric_point",
            ]
        );
    }
}

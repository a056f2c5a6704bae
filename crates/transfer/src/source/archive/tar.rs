//! Tar archives.

use std::io::Read;

use tar::EntryType;

use super::links::{Link, target};
use super::unpacked::Unpacked;
use crate::NameProblem;
use crate::endpoint::Result;

pub(super) fn unpack(archive: impl Read, unpacked: &mut Unpacked<'_>) -> Result<()> {
    let mut archive = tar::Archive::new(archive);
    let mut members = 0;
    for member in archive.entries().map_err(|error| unpacked.broken(&error))? {
        let mut member = member.map_err(|error| unpacked.broken(&error))?;
        members += 1;
        let bytes = member.path_bytes().into_owned();
        let name = String::from_utf8(bytes)
            .map_err(|error| unpacked.refused(&String::from_utf8_lossy(error.as_bytes()), NameProblem::NotText))?;
        let kind = member.header().entry_type();
        let path = unpacked.name(&name)?;
        match (kind, path) {
            (EntryType::Directory | EntryType::XGlobalHeader, _) => {}
            (_, None) => return Err(unpacked.refused(&name, NameProblem::Empty)),
            (EntryType::Regular | EntryType::Continuous | EntryType::GNUSparse, Some(path)) => {
                unpacked.add(&path, &mut member)?;
            }
            (EntryType::Symlink | EntryType::Link, Some(path)) => {
                let link = member.link_name_bytes().map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
                let link = link.unwrap_or_default();
                let target = target(&path, &link, kind == EntryType::Symlink)
                    .map_err(|problem| unpacked.refused(&format!("{name} -> {link}"), problem))?;
                unpacked.link(Link { path, target })?;
            }
            (_, Some(_)) => return Err(unpacked.unsupported(&name, "neither a file nor a directory")),
        }
    }
    if members == 0 {
        return Err(unpacked.broken(&"it has no members"));
    }
    Ok(())
}

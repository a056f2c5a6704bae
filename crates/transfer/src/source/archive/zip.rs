//! Zip archives.

use std::fs::File;
use std::io::{BufReader, Read};

use zip::ZipArchive;

use super::links::{Link, target};
use super::unpacked::Unpacked;
use crate::NameProblem;
use crate::endpoint::Result;

/// Longest target of a link.
const LONGEST_LINK: u64 = 4096;

pub(super) fn unpack(file: File, unpacked: &mut Unpacked<'_>) -> Result<()> {
    let mut archive = ZipArchive::new(BufReader::new(file)).map_err(|error| unpacked.broken(&error))?;
    for index in 0..archive.len() {
        let mut member = archive.by_index(index).map_err(|error| unpacked.broken(&error))?;
        let name = String::from_utf8(member.name_raw().to_vec())
            .map_err(|error| unpacked.refused(&String::from_utf8_lossy(error.as_bytes()), NameProblem::NotText))?;
        let path = unpacked.name(&name)?;
        if member.is_dir() {
            continue;
        }
        let Some(path) = path else { return Err(unpacked.refused(&name, NameProblem::Empty)) };
        if member.is_symlink() {
            let mut link = String::new();
            (&mut member).take(LONGEST_LINK).read_to_string(&mut link).map_err(|error| unpacked.broken(&error))?;
            let target = target(&path, &link, true)
                .map_err(|problem| unpacked.refused(&format!("{name} -> {link}"), problem))?;
            unpacked.link(Link { path, target })?;
        } else {
            unpacked.add(&path, &mut member)?;
        }
    }
    Ok(())
}

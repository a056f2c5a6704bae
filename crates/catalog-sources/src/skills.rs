//! Skills: instructions for agents in files `SKILL.md`, in a local directory, in Git repositories, or listed in a YAML file.
//!
//! Trust tier and provider of a skill in a directory or repository come from the configuration, never from its own content.

mod directory;
mod entry;
mod item;
mod repository_url;
mod settings;
mod skill_file;
mod tree;

use std::fmt::Write;

use model_registry_catalog_store::CatalogItem;

pub(crate) use self::directory::{DirectoryFiles, files as directory_files, read as read_directory};
pub(crate) use self::entry::READER;
pub(crate) use self::item::Provenance;
pub(crate) use self::repository_url::repository_name;
pub(crate) use self::settings::{
    Repository, Selection, SkillFilter, SkillProperties, SkillSettings, preview_settings, read_properties, validate,
};
use self::skill_file::SkillFile;
pub(crate) use self::tree::{SKILL_FILE, directory_name, find_skills, is_scanned, leads_to_scanned};
use crate::configuration::Source;

/// Longest `SKILL.md`, in bytes.
pub(crate) const LONGEST_SKILL_FILE: usize = 1 << 20;
/// Most skills of one directory, or of one commit of a repository.
pub(crate) const MOST_SKILLS: usize = 20_000;

/// What reading a `SKILL.md` gives.
pub(crate) enum SkillReading {
    /// The name patterns exclude the skill of this name.
    Excluded(String),
    /// With warnings.
    Item(Box<CatalogItem>, Vec<String>),
    /// Why it is left out.
    LeftOut(String),
}

/// Reads a `SKILL.md`; `None` for one that is too long. `directory` is the name of its directory.
pub(crate) fn read_skill(
    bytes: Option<&[u8]>,
    directory: &str,
    provenance: Provenance<'_>,
    supporting_files: Vec<String>,
    selection: &Selection,
    filter: &SkillFilter,
    source_id: &str,
) -> SkillReading {
    let Some(bytes) = bytes else {
        return SkillReading::LeftOut(format!(
            "larger than {} KiB, the limit of a SKILL.md",
            LONGEST_SKILL_FILE / 1024
        ));
    };
    let file = match SkillFile::parse(bytes, directory) {
        Ok(file) => file,
        // Mistakes in what is not published do not matter.
        Err(_) if !filter.allows(directory) => return SkillReading::Excluded(directory.to_owned()),
        Err(error) => return SkillReading::LeftOut(error.to_string()),
    };
    if !filter.allows(&file.name) {
        return SkillReading::Excluded(file.name);
    }
    match item::item(file, provenance, supporting_files, selection, source_id) {
        Ok((item, warnings)) => SkillReading::Item(Box::new(item), warnings),
        Err(reason) => SkillReading::LeftOut(reason),
    }
}

/// The repositories of a source; none of a source of another type, or with a mistake.
pub(crate) fn repositories(source: &Source) -> &[Repository] {
    match source.skills.as_deref() {
        Some(SkillSettings::Git { repositories, .. }) => repositories,
        _ => &[],
    }
}

/// The first messages, joined into one line, and the number of the others.
pub(crate) fn summary(messages: &[String], most: usize) -> String {
    let mut summary = messages.iter().take(most).map(String::as_str).collect::<Vec<_>>().join("; ");
    if messages.len() > most {
        let _ = write!(summary, "; and {} more", messages.len() - most);
    }
    summary
}

//! Sources of type `directory`: every `SKILL.md` below a local directory.

use std::path::{Path, PathBuf};
use std::time::Duration;

use model_registry_base::files::{self as limited, FileError};

use super::settings::Selection;
use super::{LONGEST_SKILL_FILE, MOST_SKILLS, Provenance, SKILL_FILE, SkillReading, find_skills, is_scanned};
use crate::item_reader::ReadItems;
use crate::problem::Problem;

/// Most files of a directory, and levels of nested directories.
const MOST_FILES: usize = 100_000;
const DEEPEST: usize = 16;
/// Time limit of listing all files.
const LISTING: Duration = Duration::from_mins(2);

/// The files of a directory.
#[derive(Debug, Default)]
pub(crate) struct DirectoryFiles {
    /// Path from the directory with slashes, and where the file is.
    files: Vec<(String, PathBuf)>,
    /// What is left out: symbolic links out of the directory, and what cannot be read.
    problems: Vec<Problem>,
}

impl DirectoryFiles {
    pub(crate) fn into_paths(self) -> impl Iterator<Item = PathBuf> {
        self.files.into_iter().map(|(_, file)| file)
    }
}

/// Lists the files below a directory. Symbolic links are followed inside of it, as mounted `ConfigMap`s have them; names that
/// start with two dots, and Git's own directory, are not searched.
pub(crate) fn files(root: &Path) -> Result<DirectoryFiles, Problem> {
    let owned = root.to_owned();
    let listed = limited::within(root, LISTING, move || list(&owned));
    listed.map_err(|error| Problem::of_file(root, format!("cannot be read: {error}")))?
}

fn list(root: &Path) -> Result<DirectoryFiles, Problem> {
    let unreadable = |error: &std::io::Error| Problem::of_file(root, format!("cannot be read: {error}"));
    let real_root = root.canonicalize().map_err(|error| unreadable(&error))?;
    let mut found = DirectoryFiles::default();
    let mut directories = vec![(String::new(), real_root.clone(), 0)];
    while let Some((prefix, directory, depth)) = directories.pop() {
        let entries = match std::fs::read_dir(&directory) {
            Ok(entries) => entries,
            Err(error) if prefix.is_empty() => return Err(unreadable(&error)),
            Err(error) => {
                found.problems.push(Problem::of_file(&directory, format!("is left out: {error}")));
                continue;
            }
        };
        for entry in entries.flatten() {
            let Ok(name) = entry.file_name().into_string() else { continue };
            if name.starts_with("..") || name == ".git" {
                continue;
            }
            let path = if prefix.is_empty() { name } else { format!("{prefix}/{name}") };
            let Ok(file_type) = entry.file_type() else { continue };
            let target = if file_type.is_symlink() {
                match entry.path().canonicalize() {
                    Ok(target) if target.starts_with(&real_root) => target,
                    Ok(_) => {
                        let reason = "is left out: a symbolic link that leads out of the directory";
                        found.problems.push(Problem::of_file(&entry.path(), reason));
                        continue;
                    }
                    Err(_) => continue,
                }
            } else {
                entry.path()
            };
            if target.is_dir() {
                // A link to a directory that contains it would lead in circles.
                if depth < DEEPEST && !directory.starts_with(&target) {
                    directories.push((path, target, depth + 1));
                }
            } else if target.is_file() || path.ends_with(SKILL_FILE) {
                // If it is not a regular file, reading it says so.
                found.files.push((path, target));
                if found.files.len() > MOST_FILES {
                    return Err(Problem::of_file(root, format!("has more than {MOST_FILES} files, the limit")));
                }
            }
        }
    }
    Ok(found)
}

/// Reads the skills of a directory.
pub(crate) fn read(root: &Path, selection: &Selection, source_id: &str) -> Result<ReadItems, Problem> {
    let DirectoryFiles { files, problems } = files(root)?;
    let mut read = ReadItems::default();
    read.notices.extend(problems);
    let mut found = find_skills(files);
    found.retain(|skill| is_scanned(if skill.directory == "." { "" } else { &skill.directory }, &selection.scan_paths));
    if found.len() > MOST_SKILLS {
        return Err(Problem::of_file(root, format!("has more than {MOST_SKILLS} skills, the limit")));
    }
    let owned = root.to_owned();
    let name_of_root = limited::within(root, LISTING, move || owned.canonicalize().ok()).ok().flatten();
    let name_of_root = name_of_root.as_deref().and_then(Path::file_name).and_then(|name| name.to_str());
    let filter = selection.filter();
    for skill in found {
        let shown = root.join(if skill.directory == "." { "" } else { &skill.directory }).join(SKILL_FILE);
        let bytes = match read_file(&skill.skill_file) {
            Ok(bytes) => bytes,
            Err(error) => {
                read.problems.push(Problem::of_file(&shown, format!("is left out: {error}")));
                continue;
            }
        };
        let name = super::directory_name(&skill.directory, name_of_root.unwrap_or_default()).to_owned();
        let provenance = Provenance { path: &skill.directory, ..Provenance::default() };
        let (files, bytes) = (skill.supporting_files, bytes.as_deref());
        match super::read_skill(bytes, &name, provenance, files, selection, &filter, source_id) {
            SkillReading::Excluded(_) => {}
            SkillReading::Item(item, warnings) => {
                read.items.push(&item);
                read.warnings.extend(warnings.into_iter().map(|warning| Problem::of_file(&shown, warning)));
            }
            SkillReading::LeftOut(reason) => {
                // What was published of it before stays.
                read.kept.push(provenance.key());
                read.problems.push(Problem::of_file(&shown, format!("is left out: {reason}")));
            }
        }
    }
    Ok(read)
}

/// The content of a file; `None` if it is too long.
fn read_file(path: &Path) -> Result<Option<Vec<u8>>, FileError> {
    match limited::read(path, LONGEST_SKILL_FILE as u64) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(FileError::TooLarge { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "---\nname: a\ndescription: d\n---\nText\n";

    fn write(root: &Path, path: &str, text: &str) {
        let file = root.join(path);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(file, text).unwrap();
    }

    fn read_all(root: &Path) -> (usize, Vec<String>) {
        let read = read(root, &Selection::default(), "source").unwrap();
        let lists = [read.problems, read.warnings, read.notices].map(|list| list.into_problems("source"));
        (read.items.len(), lists.into_iter().flatten().map(|problem| problem.to_string()).collect())
    }

    #[test]
    fn skills_that_cannot_be_used_are_left_out_and_the_rest_is_read() {
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path();
        write(root, "a/SKILL.md", TEXT);
        write(root, "a/script.sh", "");
        write(root, "long/SKILL.md", &format!("{TEXT}{}", "x".repeat(LONGEST_SKILL_FILE)));
        write(root, "binary/SKILL.md", "\u{1}\0");
        write(root, ".git/SKILL.md", TEXT);
        std::fs::create_dir(root.join("fifo")).unwrap();
        model_registry_testkit::make_fifo(&root.join("fifo/SKILL.md"));
        let (items, mut problems) = read_all(root);
        let of_fifo = problems.iter().position(|problem| problem.contains("fifo")).map(|index| problems.remove(index));
        let of_fifo = of_fifo.unwrap_or_default();
        assert!(of_fifo.ends_with("is left out: it is a FIFO (named pipe), not a regular file"), "{of_fifo}");
        assert_eq!((items, problems.len()), (1, 2), "{problems:?}");
        assert!(
            problems[0].ends_with("binary/SKILL.md: is left out: SKILL.md has no YAML frontmatter"),
            "{problems:?}"
        );
        assert!(problems[1].contains("larger than 1024 KiB"), "{problems:?}");
    }

    #[cfg(unix)]
    #[test]
    fn symbolic_links_are_followed_inside_of_the_directory_only() {
        use std::os::unix::fs::symlink;
        let (directory, outside) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let root = directory.path();
        write(outside.path(), "SKILL.md", TEXT);
        symlink(outside.path(), root.join("out")).unwrap();
        std::fs::create_dir(root.join("file")).unwrap();
        symlink(outside.path().join("SKILL.md"), root.join("file/SKILL.md")).unwrap();
        // As a ConfigMap is mounted.
        write(root, "..2026/a/SKILL.md", TEXT);
        symlink("..2026", root.join("..data")).unwrap();
        symlink("..data/a", root.join("a")).unwrap();
        symlink(root, root.join("..2026/a/circle")).unwrap();
        let (items, problems) = read_all(root);
        assert_eq!((items, problems.len()), (1, 2), "{problems:?}");
        assert!(problems.iter().all(|problem| problem.contains("leads out of the directory")), "{problems:?}");
    }
}

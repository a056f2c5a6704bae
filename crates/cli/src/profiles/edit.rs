//! Changes of the configuration file. They keep its comments and the order of its keys, and only its owner can read it.

use std::ffi::OsString;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use model_registry_base::files::{self, LARGEST_SETTINGS};
use toml_edit::{DocumentMut, Item, Table, TableLike, value};

use super::Profiles;

/// The table with the profiles.
const PROFILES: &str = "profiles";
const DEFAULT: &str = "default";

pub(crate) struct ProfilesEdit {
    path: PathBuf,
    document: DocumentMut,
}

impl ProfilesEdit {
    /// Reads the file that `profiles` was loaded from, which need not exist.
    pub(crate) fn of(profiles: &Profiles) -> anyhow::Result<Self> {
        let path = &profiles.path;
        if path.as_os_str().is_empty() {
            bail!("the configuration file has no place: set HOME or XDG_CONFIG_HOME");
        }
        // A link, as to a directory with all configuration files of a user, stays a link.
        let path = fs::canonicalize(path).unwrap_or_else(|_| path.clone());
        let text = match files::read_text(&path, LARGEST_SETTINGS) {
            Ok(text) => text,
            Err(error) if error.is_not_found() => String::new(),
            Err(error) => return Err(error).with_context(|| format!("cannot read {}", path.display())),
        };
        let document = text.parse().with_context(|| format!("cannot read {}", path.display()))?;
        Ok(Self { path, document })
    }

    /// Sets a key of a profile, which is created if it does not exist.
    pub(crate) fn set(&mut self, profile: &str, key: &str, text: &str) -> anyhow::Result<()> {
        let profiles = self.profiles()?;
        if profiles.get(profile).is_none() {
            profiles.insert(profile, Item::Table(Table::new()));
        }
        let Some(profile) = profiles.get_mut(profile).and_then(Item::as_table_like_mut) else {
            bail!("profile `{profile}` is not a table");
        };
        profile.insert(key, value(text));
        Ok(())
    }

    /// Removes a key of a profile; false if the profile does not have it.
    pub(crate) fn unset(&mut self, profile: &str, key: &str) -> anyhow::Result<bool> {
        let profile = self.profiles()?.get_mut(profile).and_then(Item::as_table_like_mut);
        Ok(profile.is_some_and(|profile| profile.remove(key).is_some()))
    }

    /// Removes a profile.
    pub(crate) fn remove(&mut self, profile: &str) -> anyhow::Result<()> {
        self.profiles()?.remove(profile);
        Ok(())
    }

    /// Sets the profile to use by default, or none.
    pub(crate) fn set_default(&mut self, profile: Option<&str>) {
        match profile {
            Some(profile) => self.document[DEFAULT] = value(profile),
            None => {
                self.document.remove(DEFAULT);
            }
        }
    }

    fn profiles(&mut self) -> anyhow::Result<&mut dyn TableLike> {
        let profiles = self.document.entry(PROFILES).or_insert_with(|| {
            // Without a header of its own: only those of the profiles are written.
            let mut table = Table::new();
            table.set_implicit(true);
            Item::Table(table)
        });
        profiles.as_table_like_mut().context("`profiles` is not a table")
    }

    /// Writes the file: a complete one under another name, which then replaces it, so that an interruption loses nothing.
    pub(crate) fn save(self) -> anyhow::Result<PathBuf> {
        let Self { path, document } = self;
        let text = document.to_string();
        // What cannot be read again is never written.
        Profiles::parse(&path, &text)?;
        let cannot_write = || format!("cannot write {}", path.display());
        if let Some(directory) = path.parent() {
            create_directory(directory).with_context(cannot_write)?;
        }
        let mut partial = OsString::from(&path);
        partial.push(format!(".{}", std::process::id()));
        let partial = PathBuf::from(partial);
        let written = write(&partial, &text).and_then(|()| fs::rename(&partial, &path));
        if written.is_err() {
            let _ = fs::remove_file(&partial);
        }
        written.with_context(cannot_write)?;
        Ok(path)
    }
}

fn create_directory(path: &Path) -> std::io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

fn write(path: &Path, text: &str) -> std::io::Result<()> {
    let mut file = create_private(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

/// Creates a file that only its owner can read.
fn create_private(path: &Path) -> std::io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn edited(text: &str, change: impl FnOnce(&mut ProfilesEdit)) -> String {
        let mut edit = ProfilesEdit { path: PathBuf::new(), document: text.parse().unwrap() };
        change(&mut edit);
        edit.document.to_string()
    }

    #[test]
    fn changes_keep_comments_and_other_profiles() {
        let text = "# ours\ndefault = \"a\" # the laptop\n\n[profiles.a]\nserver = \"http://a\" # local\n";
        let changed = edited(text, |edit| {
            edit.set("a", "token", "x").unwrap();
            edit.set("b.c", "server", "http://b").unwrap();
            assert!(edit.unset("a", "token").unwrap());
            assert!(!edit.unset("a", "token").unwrap());
            assert!(!edit.unset("none", "token").unwrap());
        });
        assert_eq!(changed, format!("{text}\n[profiles.\"b.c\"]\nserver = \"http://b\"\n"));
        assert_eq!(edited(&changed, |edit| edit.remove("b.c").unwrap()), text);
    }

    #[test]
    fn the_first_profile_makes_a_whole_file() {
        let made = edited("", |edit| {
            edit.set("a", "server", "http://a").unwrap();
            edit.set_default(Some("a"));
        });
        assert_eq!(made, "default = \"a\"\n\n[profiles.a]\nserver = \"http://a\"\n");
        assert!(edited(&made, |edit| edit.set_default(None)).trim_start().starts_with("[profiles.a]"));
    }

    #[test]
    fn only_the_owner_can_read_the_file() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("model-registry/client.toml");
        let profiles = Profiles { path: path.clone(), ..Profiles::default() };
        for server in ["http://a", "http://b"] {
            let mut edit = ProfilesEdit::of(&profiles).unwrap();
            edit.set("a", "server", server).unwrap();
            assert_eq!(edit.save().unwrap(), path);
            assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
            // Another tool may have opened it.
            fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        }
        assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1);
    }
}

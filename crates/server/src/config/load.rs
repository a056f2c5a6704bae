//! Loads settings from flags, environment variables, the file and defaults.

use std::path::{Path, PathBuf};

use clap::{Arg, ArgAction, ArgMatches, Command};
use model_registry_base::files::{self, LARGEST_SETTINGS};
use model_registry_base::{Environment, nearest_name};

use super::declarations::{EMBEDMD_DATABASE_SSL_CERT, EMBEDMD_DATABASE_SSL_CIPHER, EMBEDMD_DATABASE_SSL_KEY};
use super::effective::{EffectiveValue, Origin, Settings};
use super::file::{self, Entry, EntryValue};
use super::setting::{Group, Setting, SettingType};
use super::{ConfigError, value, variables, yaml};

/// The flag that names the file.
const CONFIG: &str = "config";

/// Where settings are loaded from.
pub struct Inputs<'a> {
    /// The arguments of a command whose flags [`Schema::attach`] has added.
    pub arguments: &'a ArgMatches,
    pub environment: &'a Environment,
    /// The file to read if it exists and `--config` names no other.
    pub default_file: Option<&'a Path>,
}

/// All settings: the file may hold any of them, whichever subcommand reads it.
pub struct Schema {
    settings: Vec<&'static Setting>,
    other_variables: &'static [&'static str],
}

impl Schema {
    /// Combines the settings of several places.
    pub fn new(parts: &[&'static [Setting]]) -> Self {
        Self { settings: parts.iter().flat_map(|part| part.iter()).collect(), other_variables: &[] }
    }

    /// Names the environment variables that the program reads in addition to those of settings.
    #[must_use]
    pub fn with_other_variables(self, other_variables: &'static [&'static str]) -> Self {
        Self { other_variables, ..self }
    }

    pub(super) fn other_variables(&self) -> &'static [&'static str] {
        self.other_variables
    }

    /// The settings in the order of declaration.
    pub fn settings(&self) -> &[&'static Setting] {
        &self.settings
    }

    /// Adds the flags of these groups and `--config` to a command.
    #[must_use]
    pub fn attach(&self, command: Command, groups: &[Group]) -> Command {
        let config = Arg::new(CONFIG)
            .short('c')
            .long(CONFIG)
            .value_name("FILE")
            .help("Configuration file: TOML, or the YAML of the Kubeflow Model Registry [env: MR_CONFIG]");
        let settings = self.settings.iter().filter(|setting| groups.contains(&setting.group));
        settings.fold(command.arg(config), |command, setting| command.arg(argument(setting)))
    }

    /// Loads every setting; the error is the first unusable value.
    pub fn load(&self, inputs: &Inputs<'_>) -> Result<Settings, ConfigError> {
        let mut settings =
            Settings { order: self.settings.iter().map(|setting| setting.key).collect(), ..Settings::default() };
        self.defaults(&mut settings);
        if let Some(path) = file_path(inputs) {
            self.file(&path, &mut settings)?;
        }
        self.environment(inputs.environment, &mut settings)?;
        self.flags(inputs.arguments, &mut settings)?;
        add_notices_of_ignored_settings(&mut settings);
        Ok(settings)
    }

    fn defaults(&self, settings: &mut Settings) {
        for setting in &self.settings {
            if let Some(default) = setting.default {
                insert(settings, setting, split(setting.value_type, default), Origin::Default);
            }
        }
    }

    fn file(&self, path: &Path, settings: &mut Settings) -> Result<(), ConfigError> {
        let is_yaml = yaml::is_yaml(path);
        if !is_yaml && path.extension().is_some_and(|extension| extension != "toml") {
            let reason = "the name of a configuration file has to end in .toml (`port = 8080`), or in .yaml, .yml or \
                          .json for a file of the Kubeflow Model Registry (`port: 8080`)";
            return Err(ConfigError::new(path.display().to_string(), reason));
        }
        let text = files::read_text(path, LARGEST_SETTINGS).map_err(|error| {
            ConfigError::new(path.display().to_string(), format!("cannot read the configuration file: {error}"))
        })?;
        let entries = if is_yaml { yaml::entries(path, &text)? } else { file::entries(path, &text)? };
        for entry in entries {
            let flagged = self.settings.iter().find(|setting| is_yaml && setting.flag().to_lowercase() == entry.key);
            let known = flagged.map(|setting| (*setting, false)).or_else(|| self.setting_of(&entry.key));
            let Some((setting, is_secret_file)) = known else {
                return Err(ConfigError::new(&entry.key_place, self.unknown_key(&entry.key)));
            };
            let mut values = entry_values(setting, &entry)?;
            if is_secret_file {
                values = vec![read_secret(&values.concat(), &entry.place)?];
            }
            check_all(setting, &values, &entry.place)?;
            insert(settings, setting, values, Origin::File { place: entry.place });
        }
        Ok(())
    }

    /// Finds the setting of a key, and whether the value is a file with the secret: `database.file` is that of
    /// `database`.
    fn setting_of(&self, key: &str) -> Option<(&'static Setting, bool)> {
        let find = |key: &str| self.settings.iter().find(|setting| setting.key == key).copied();
        if let Some(setting) = find(key) {
            return Some((setting, false));
        }
        let setting = find(key.strip_suffix(".file")?)?;
        setting.value_type.is_secret().then_some((setting, true))
    }

    fn unknown_key(&self, key: &str) -> String {
        let known = self.settings.iter().filter(|setting| setting.group != Group::Ignored).map(|setting| setting.key);
        match nearest_name(key, known) {
            Some(nearest) => format!("unknown key `{key}`: did you mean `{nearest}`?"),
            None => format!("unknown key `{key}`"),
        }
    }

    fn environment(&self, environment: &Environment, settings: &mut Settings) -> Result<(), ConfigError> {
        for setting in self.settings.iter().filter(|setting| setting.group != Group::Ignored) {
            let variable = setting.variable();
            let secret_file = format!("{variable}_FILE");
            if setting.value_type.is_secret()
                && let Some(path) = environment.get(&secret_file)
            {
                let secret = read_secret(path, &secret_file)?;
                insert(settings, setting, vec![secret], Origin::Variable(secret_file));
            }
            let Some(text) = environment.get(&variable) else {
                continue;
            };
            // Kubernetes sets MR_PORT and others in every pod to the address of a Service named `mr`.
            if !setting.value_type.is_secret() && text.starts_with("tcp://") {
                settings.notices.push(format!(
                    "{variable} ignored: its value is the address of a Kubernetes Service; pass --{} instead",
                    setting.flag()
                ));
                continue;
            }
            let values = split(setting.value_type, text);
            check_all(setting, &values, &variable)?;
            insert(settings, setting, values, Origin::Variable(variable));
        }
        settings.notices.extend(variables::check(self, environment)?);
        Ok(())
    }

    fn flags(&self, arguments: &ArgMatches, settings: &mut Settings) -> Result<(), ConfigError> {
        for setting in &self.settings {
            // The command has the flags of its groups only.
            let Ok(Some(texts)) = arguments.try_get_many::<String>(setting.key) else {
                continue;
            };
            let values: Vec<String> = texts.flat_map(|text| split(setting.value_type, text)).collect();
            let flag = setting.flag();
            check_all(setting, &values, &format!("--{flag}"))?;
            insert(settings, setting, values, Origin::Flag(flag));
        }
        Ok(())
    }
}

/// Adds a notice for each setting of the Kubeflow Model Registry that has no effect, or none without another setting.
fn add_notices_of_ignored_settings(settings: &mut Settings) {
    let origin = |setting: &Setting| {
        let value = settings.find(setting).filter(|_| settings.string(setting).is_some());
        value.map(|value| value.origin.to_string())
    };
    let cipher = origin(&EMBEDMD_DATABASE_SSL_CIPHER).map(|origin| {
        format!(
            "{origin} ignored: database connections use TLS 1.2 or 1.3 with the cipher suites of rustls, all of them \
             secure; remove the setting"
        )
    });
    let pair = [&EMBEDMD_DATABASE_SSL_CERT, &EMBEDMD_DATABASE_SSL_KEY];
    let alone = match pair.map(origin) {
        [Some(origin), None] => Some((origin, pair[1])),
        [None, Some(origin)] => Some((origin, pair[0])),
        _ => None,
    };
    let alone = alone.map(|(origin, missing)| {
        format!("{origin} ignored: a client certificate for the database requires --{} as well", missing.flag())
    });
    settings.notices.extend(cipher.into_iter().chain(alone));
}

fn argument(setting: &'static Setting) -> Arg {
    let mut help = setting.help.to_owned();
    if let SettingType::Choice(words) = setting.value_type {
        help.push_str(&format_args!(" [one of: {}]", words.join(", ")).to_string());
    }
    if let Some(default) = setting.default {
        help.push_str(&format_args!(" [default: {default}]").to_string());
    }
    help.push_str(&format_args!(" [env: {}]", setting.variable()).to_string());
    let mut argument = Arg::new(setting.key)
        .long(setting.flag())
        .value_name(setting.value_type.placeholder())
        .help(help)
        .help_heading(setting.group.title())
        .hide(setting.group == Group::Ignored);
    if let Some(letter) = setting.short {
        argument = argument.short(letter);
    }
    match setting.value_type {
        SettingType::List => argument.action(ArgAction::Append),
        // `--flag` and `--flag=false`, like flags in Go; `--flag false` would consume the next argument.
        SettingType::Bool => {
            argument.num_args(0..=1).require_equals(true).default_missing_value("true").overrides_with(setting.key)
        }
        // The last of several values takes effect.
        _ => argument.overrides_with(setting.key),
    }
}

fn file_path(inputs: &Inputs<'_>) -> Option<PathBuf> {
    let named = inputs.arguments.try_get_one::<String>(CONFIG).ok().flatten().map(String::as_str);
    if let Some(path) = named.or_else(|| inputs.environment.get("MR_CONFIG")) {
        return Some(PathBuf::from(path));
    }
    inputs.default_file.filter(|path| path.exists()).map(Path::to_path_buf)
}

fn entry_values(setting: &Setting, entry: &Entry) -> Result<Vec<String>, ConfigError> {
    let is_bare = matches!(
        setting.value_type,
        SettingType::Number(..) | SettingType::Bool | SettingType::Fraction | SettingType::Size
    );
    match (&entry.value, setting.value_type) {
        (EntryValue::List(texts), SettingType::List) => Ok(texts.clone()),
        (EntryValue::Scalar(text), value_type) => Ok(split(value_type, text)),
        (EntryValue::String(text), value_type) if !is_bare || value_type == SettingType::Size => Ok(vec![text.clone()]),
        (EntryValue::Bare(text), _) if is_bare || setting.group == Group::Ignored => Ok(vec![text.clone()]),
        (EntryValue::Date(text), SettingType::Date) => Ok(vec![text.clone()]),
        (actual, value_type) => {
            let actual = match actual {
                EntryValue::String(_) => "a string",
                EntryValue::Date(_) => "a date",
                EntryValue::Bare(_) | EntryValue::Scalar(_) => "a number or boolean",
                EntryValue::List(_) => "an array",
                EntryValue::Unusable(description) => description,
            };
            let expected = match value_type {
                SettingType::Number(..) => "a number",
                SettingType::Fraction => "a number from 0 to 1",
                SettingType::Bool => "true or false",
                SettingType::Date => "a date",
                SettingType::List => "an array of strings",
                _ => "a string",
            };
            Err(ConfigError::new(&entry.place, format!("`{}` must be {expected}, not {actual}", setting.key)))
        }
    }
}

fn split(value_type: SettingType, text: &str) -> Vec<String> {
    match value_type {
        SettingType::List => {
            text.split(',').map(str::trim).filter(|part| !part.is_empty()).map(str::to_owned).collect()
        }
        _ => vec![text.to_owned()],
    }
}

fn check_all(setting: &Setting, values: &[String], place: &str) -> Result<(), ConfigError> {
    for text in values {
        value::check(setting.value_type, text).map_err(|reason| ConfigError::new(place, reason))?;
    }
    Ok(())
}

fn insert(settings: &mut Settings, setting: &'static Setting, values: Vec<String>, origin: Origin) {
    settings.values.insert(setting.key, EffectiveValue { value_type: setting.value_type, values, origin });
}

fn read_secret(path: &str, place: &str) -> Result<String, ConfigError> {
    let text = files::read_text(Path::new(path), LARGEST_SETTINGS)
        .map_err(|error| ConfigError::new(place, format!("cannot read the secret from `{path}`: {error}")))?;
    Ok(text.trim_end_matches(['\r', '\n']).to_owned())
}

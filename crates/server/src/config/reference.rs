//! Generates documentation from the declarations: a Markdown page, an example file, a JSON schema.

use std::fmt::Write;

use serde_json::{Map, Value, json};

use super::load::Schema;
use super::setting::{Group, Setting, SettingType};

/// Formats the settings as Markdown tables, one per group.
pub fn markdown(schema: &Schema) -> String {
    let mut text = String::new();
    for group in Group::ALL {
        let settings: Vec<&Setting> = members(schema, group).collect();
        if settings.is_empty() {
            continue;
        }
        let _ = writeln!(text, "## {}\n", group.title());
        if group == Group::Ignored {
            let flags: Vec<String> = settings.iter().map(|setting| format!("`--{}`", setting.flag())).collect();
            let _ = writeln!(text, "{}\n", flags.join(", "));
            continue;
        }
        text.push_str(
            "| Key in the file | Flag | Environment | Value | Default | Description |\n|---|---|---|---|---|---|\n",
        );
        for setting in settings {
            let short = setting.short.map_or_else(String::new, |letter| format!("`-{letter}`, "));
            let default = setting.default.map_or_else(String::new, |default| format!("`{default}`"));
            let (key, flag, variable) = (setting.key, setting.flag(), setting.variable());
            let (form, help) = (form(setting.value_type), setting.help);
            let _ = writeln!(text, "| `{key}` | {short}`--{flag}` | `{variable}` | {form} | {default} | {help} |");
        }
        text.push('\n');
    }
    text
}

/// Generates a TOML file that sets nothing: every setting is a comment with its default.
pub fn example_file(schema: &Schema) -> String {
    let mut text = String::from("# Every setting with its default. Remove the `#` from those you change.\n");
    let mut section = "";
    let groups = Group::ALL.into_iter().filter(|group| *group != Group::Ignored);
    let settings: Vec<&Setting> = groups.flat_map(|group| members(schema, group)).collect();
    // TOML requires keys without a table before the first table.
    let (tables, top): (Vec<_>, Vec<_>) = settings.into_iter().partition(|setting| setting.key.contains('.'));
    for setting in top.into_iter().chain(tables) {
        let (table, key) = setting.key.split_once('.').unwrap_or(("", setting.key));
        if table != section {
            let _ = write!(text, "\n[{table}]\n");
            section = table;
        }
        let value = example_value(setting);
        let _ = write!(text, "\n# {}\n# {key} = {value}\n", setting.help);
    }
    text
}

fn example_value(setting: &Setting) -> String {
    let default = setting.default.unwrap_or_default();
    match setting.value_type {
        SettingType::Number(..) | SettingType::Bool | SettingType::Fraction => default.to_owned(),
        SettingType::List => {
            let elements = default.split(',').filter(|element| !element.is_empty());
            format!("[{}]", elements.map(|element| format!("{element:?}")).collect::<Vec<_>>().join(", "))
        }
        _ => format!("{default:?}"),
    }
}

/// Generates the JSON schema of the TOML file, which editors use for completion and validation.
pub fn json_schema(schema: &Schema) -> Value {
    let mut top = Map::new();
    for setting in schema.settings() {
        let mut property = property_schema(setting.value_type);
        property["description"] = json!(setting.help);
        if setting.value_type.is_secret() {
            let by_file =
                json!({"type": "object", "properties": {"file": {"type": "string"}}, "additionalProperties": false});
            property = json!({"description": setting.help, "anyOf": [property, by_file]});
        }
        match setting.key.split_once('.') {
            None => {
                top.insert(setting.key.to_owned(), property);
            }
            Some((table, key)) => {
                let empty = json!({"type": "object", "properties": {}, "additionalProperties": false});
                top.entry(table).or_insert(empty)["properties"][key] = property;
            }
        }
    }
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Configuration of model-registry",
        "type": "object",
        "properties": top,
        "additionalProperties": false,
    })
}

fn property_schema(value_type: SettingType) -> Value {
    match value_type {
        SettingType::Number(least, most) => json!({"type": "integer", "minimum": least, "maximum": most}),
        SettingType::Fraction => json!({"type": "number", "minimum": 0, "maximum": 1}),
        SettingType::Bool => json!({"type": "boolean"}),
        SettingType::List => json!({"type": "array", "items": {"type": "string"}}),
        SettingType::Choice(words) => json!({"type": "string", "enum": words}),
        SettingType::Duration => json!({"type": "string", "pattern": r"^[0-9]+$|^([0-9.]+ ?(ms|s|m|h|d) ?)+$"}),
        SettingType::Date => json!({"type": "string", "pattern": r"^([0-9]{4}-[0-9]{2}-[0-9]{2})?$"}),
        SettingType::Size => json!({"type": ["integer", "string"]}),
        SettingType::String | SettingType::File | SettingType::Path | SettingType::Secret | SettingType::SecretUrl => {
            json!({"type": "string"})
        }
    }
}

fn members(schema: &Schema, group: Group) -> impl Iterator<Item = &'static Setting> {
    schema.settings().iter().copied().filter(move |setting| setting.group == group)
}

/// The form of a value, for the documentation.
fn form(value_type: SettingType) -> String {
    match value_type {
        SettingType::String => "string".to_owned(),
        SettingType::Number(least, most) => format!("{least} to {most}"),
        SettingType::Bool => "`true` or `false`".to_owned(),
        SettingType::Duration => "`500ms`, `30s`, `1h30m`, `30d`".to_owned(),
        SettingType::Date => "date, `2027-04-29`".to_owned(),
        SettingType::Size => "bytes, `64KiB`, `16MiB`".to_owned(),
        SettingType::Fraction => "0 to 1".to_owned(),
        SettingType::List => "strings".to_owned(),
        SettingType::Choice(words) => words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", "),
        SettingType::File => "readable file".to_owned(),
        SettingType::Path => "path".to_owned(),
        SettingType::Secret => "secret".to_owned(),
        SettingType::SecretUrl => "URL or DSN, secret".to_owned(),
    }
}

//! The entry of a source in a sources file.

use std::collections::BTreeMap;
use std::fmt::Display;

use model_registry_api::catalog::AssetType;
use model_registry_base::nearest_name;
use serde_json::{Map, Value};

use super::source_properties;
use crate::name_filter::NameFilter;
use crate::problem::{Position, Problem};
use crate::skills::{self, SkillProperties};
use crate::yaml::{Entry, IGNORED, ReadError, StringList};

/// Keys of a source of any asset type.
const SOURCE_KEYS: [&str; 7] = ["id", "name", "type", "enabled", "labels", "assetType", "properties"];
/// Exports of the API have these; the server assigns them.
const STATUS_KEYS: [&str; 2] = ["status", "error"];

/// Parts of keys that limit what a source publishes, in lower case and without separators.
const LIMITS: [&str; 9] =
    ["includ", "exclud", "enabl", "disabl", "filter", "allowlist", "denylist", "blocklist", "blacklist"];

/// A source of one file; fields that are not set come from an earlier file.
#[derive(Clone, Debug)]
pub(super) struct SourceEntry {
    pub(super) id: String,
    pub(super) position: Position,
    /// Why the entry cannot be used; its fields are then those of its last valid content, if any.
    pub(super) problem: Option<Problem>,
    /// Keys and words that are ignored.
    pub(super) notices: Vec<Problem>,
    pub(super) fields: SourceFields,
    pub(super) property_positions: BTreeMap<String, Position>,
}

#[derive(Clone, Debug, Default)]
pub(super) struct SourceFields {
    pub(super) name: Option<String>,
    pub(super) source_type: Option<String>,
    pub(super) enabled: Option<bool>,
    pub(super) labels: Option<Vec<String>>,
    pub(super) included: Option<Vec<String>>,
    pub(super) excluded: Option<Vec<String>>,
    pub(super) states_asset_type: bool,
    pub(super) properties: Option<Map<String, Value>>,
    /// The same, of a source of skills.
    pub(super) skills: Option<Result<SkillProperties, Problem>>,
}

impl SourceEntry {
    pub(super) fn read(source: Entry<'_>, id: &str, asset_type: AssetType) -> Self {
        let properties = source.get("properties").and_then(|properties| properties.node.entries()).unwrap_or_default();
        let property_positions =
            properties.iter().filter_map(|(key, value)| Some((key.as_str()?.to_owned(), value.position))).collect();
        let mut notices = Vec::new();
        let (fields, problem) = match fields(source, id, asset_type, &mut notices) {
            Ok(fields) => (fields, None),
            Err(problem) => (readable_fields(source, asset_type), Some(problem)),
        };
        Self { id: id.to_owned(), position: source.node.position, problem, notices, fields, property_positions }
    }
}

pub(super) fn id(source: Entry<'_>) -> Option<&str> {
    let id = source.node.get("id")?.as_str()?.trim();
    (!id.is_empty()).then_some(id)
}

/// The fields of a source with a mistake that can be read nevertheless, for lists of sources.
fn readable_fields(source: Entry<'_>, asset_type: AssetType) -> SourceFields {
    let strings =
        |key: &str| -> Option<Vec<String>> { source.read_field::<StringList>(key).ok()?.map(|strings| strings.0) };
    let patterns = asset_type.spec().sources.pattern_keys();
    let [included, excluded] = patterns.map_or([None, None], |keys| keys.map(|key| strings(&key)));
    SourceFields {
        name: source.node.get("name").and_then(|name| name.as_str()).map(str::to_owned),
        labels: strings("labels"),
        included,
        excluded,
        ..SourceFields::default()
    }
}

fn fields(
    source: Entry<'_>,
    id: &str,
    asset_type: AssetType,
    notices: &mut Vec<Problem>,
) -> Result<SourceFields, Problem> {
    let spec = &asset_type.spec().sources;
    let pattern_keys = spec.pattern_keys();
    let about = |reason: &dyn Display| format!("source `{id}`: {reason}");
    let failed = |error: ReadError| source.problem_at(error.position(), about(&error));

    let mut known: Vec<&str> = SOURCE_KEYS.into();
    known.extend(pattern_keys.iter().flatten().map(String::as_str));
    known.extend(STATUS_KEYS.into_iter().filter(|_| spec.accepts_status));
    source.check_keys().map_err(failed)?;
    for unknown in source.unknown_keys(&known) {
        if limits(unknown.key()) {
            let reason = unknown.with(", which seems to limit what is published: the source is not read");
            return Err(source.problem_at(Some(unknown.position), about(&reason)));
        }
        notices.push(source.problem_at(Some(unknown.position), about(&unknown.with(IGNORED))));
    }
    let patterns = |index: usize| match &pattern_keys {
        Some(keys) => read_patterns(source, &keys[index]).map_err(failed),
        None => Ok(None),
    };
    let properties = properties(source, asset_type, pattern_keys.as_ref())
        .map_err(|(position, reason)| source.problem_at(position, about(&reason)))?;
    let fields = SourceFields {
        name: source.read_field("name").map_err(failed)?,
        source_type: source.read_field("type").map_err(failed)?,
        enabled: source.read_field("enabled").map_err(failed)?,
        labels: source.read_field::<StringList>("labels").map_err(failed)?.map(|labels| labels.0),
        included: patterns(0)?,
        excluded: patterns(1)?,
        states_asset_type: false,
        properties,
        skills: skill_properties(source, id, asset_type),
    };
    NameFilter::new(
        spec.patterns.unwrap_or_default(),
        fields.included.as_deref().unwrap_or_default(),
        fields.excluded.as_deref().unwrap_or_default(),
    )
    .map_err(|invalid| {
        let list = source.get(&invalid.list).and_then(|list| list.node.elements());
        let position = list.and_then(|list| list.get(invalid.index)).map(|pattern| pattern.position);
        source.problem_at(position, about(&invalid))
    })?;
    let stated = source.read_field::<String>("assetType").map_err(failed)?;
    if let Some(stated) = stated.as_deref().filter(|stated| *stated != asset_type.as_str()) {
        let position = source.get("assetType").map(|value| value.node.position);
        let expected = asset_type.as_str();
        let section = spec.keys.first().copied().unwrap_or_default();
        let reason = format!("invalid assetType '{stated}': sources of the section `{section}` have `{expected}`");
        return Err(source.problem_at(position, about(&reason)));
    }
    Ok(SourceFields { states_asset_type: stated.is_some(), ..fields })
}

fn skill_properties(source: Entry<'_>, id: &str, asset_type: AssetType) -> Option<Result<SkillProperties, Problem>> {
    let properties = source.get("properties").filter(|properties| !properties.node.is_null())?;
    (asset_type == AssetType::Skills).then(|| skills::read_properties(id, properties))
}

/// A list of name patterns. Null is a mistake: it would publish everything.
fn read_patterns(source: Entry<'_>, key: &str) -> Result<Option<Vec<String>>, ReadError> {
    match source.get(key) {
        Some(list) if list.node.is_null() => {
            let reason = format!("`{key}`: expected a list, found nothing: write `{key}: []` for no patterns");
            Err(ReadError::at(list.node.position, reason))
        }
        _ => Ok(source.read_field::<StringList>(key)?.map(|patterns| patterns.0)),
    }
}

/// Why properties cannot be read, and where.
type PropertiesError = (Option<Position>, String);

/// The properties of a source. Strings are read as they are written: `01` is not a number.
///
/// Patterns below `properties` count like those of the source itself; a key that seems to limit the source in another way is an
/// error, because without it everything would be published.
fn properties(
    source: Entry<'_>,
    asset_type: AssetType,
    pattern_keys: Option<&[String; 2]>,
) -> Result<Option<Map<String, Value>>, PropertiesError> {
    let failed = |error: ReadError| (error.position(), error.to_string());
    let mut values: Option<Map<String, Value>> = source.read_field("properties").map_err(failed)?;
    // Those of skills are read strictly, see `skill_properties`.
    if asset_type == AssetType::Skills {
        return Ok(values);
    }
    let (Some(values_of), Some(properties)) = (&mut values, source.get("properties")) else { return Ok(values) };
    for (key, node) in properties.node.entries().unwrap_or_default() {
        let name = key.as_str().unwrap_or_default();
        if let Some(keys) = pattern_keys
            && keys.iter().any(|known| known == name)
        {
            let in_properties = |(position, reason): PropertiesError| (position, format!("property {reason}"));
            let patterns = read_patterns(properties, name).map_err(failed).map_err(in_properties)?;
            let is_included = name == keys[0];
            if is_included && source.get(name).is_some() {
                let reason = format!("`{name}` is below `properties` and in the source itself: remove one of them");
                return Err((Some(key.position), reason));
            }
            values_of.insert(name.to_owned(), patterns.unwrap_or_default().into());
        } else if limits(name) {
            let known: Vec<&str> = pattern_keys.into_iter().flatten().map(String::as_str).collect();
            let hint = match nearest_name(name, known.iter().copied()) {
                Some(nearest) => format!("did you mean `{nearest}`?"),
                None if known.is_empty() => "remove it".to_owned(),
                None => format!("use {} or `enabled` of the source itself", known.join(", ")),
            };
            let reason = format!("property `{name}` is unknown and seems to limit what is published: {hint}");
            return Err((Some(key.position), reason));
        } else if let Some(text) = node.as_str().filter(|_| source_properties::is_string(name)) {
            values_of.insert(name.to_owned(), text.into());
        }
    }
    Ok(values)
}

/// Whether an unknown key seems to limit what a source publishes.
fn limits(key: &str) -> bool {
    let plain = key.to_ascii_lowercase().replace(['_', '-', ' '], "");
    let own: Vec<String> = AssetType::ALL
        .into_iter()
        .filter_map(|asset_type| asset_type.spec().sources.pattern_keys())
        .flatten()
        .collect();
    LIMITS.iter().any(|part| plain.contains(part))
        || nearest_name(key, own.iter().map(String::as_str).chain(["enabled"])).is_some()
}

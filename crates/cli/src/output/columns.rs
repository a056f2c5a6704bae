//! Checks the columns of `--columns`: an unknown one would be an empty column that looks like a missing value.

use model_registry_base::nearest_name;
use serde_json::Value;

use super::Output;
use crate::failure::CommandError;

/// Columns with times, whose names differ from their fields.
const COMMON: [&str; 6] = ["id", "name", "created", "updated", "createTimeSinceEpoch", "lastUpdateTimeSinceEpoch"];
const PROPERTY: &str = "customProperties.";

/// The selected columns that are not known yet: each has to be a custom property of one of the items.
pub(crate) struct ColumnCheck {
    unknown: Vec<String>,
    known: Vec<&'static str>,
    has_items: bool,
}

impl ColumnCheck {
    /// `known` are the names of fields and of further columns.
    pub(crate) fn of(output: &Output, known: impl IntoIterator<Item = &'static str>) -> Self {
        let known: Vec<&str> = COMMON.into_iter().chain(known).collect();
        let selected = output.columns.iter().flatten();
        let is_unknown = |column: &&String| !column.starts_with(PROPERTY) && !known.contains(&column.as_str());
        Self { unknown: selected.filter(is_unknown).cloned().collect(), known, has_items: false }
    }

    /// Removes the columns that an item has, as a field or as a custom property.
    pub(crate) fn see(&mut self, items: &[Value]) {
        self.has_items |= !items.is_empty();
        self.unknown.retain(|column| {
            let has = |item: &Value| {
                item.get(column).is_some()
                    || item.get("customProperties").is_some_and(|properties| properties.get(column).is_some())
            };
            !items.iter().any(has)
        });
    }

    /// The error for a column that no item has. Without items, any name may be that of a custom property, unless it is
    /// similar to a field.
    pub(crate) fn finish(&self) -> Result<(), CommandError> {
        for column in &self.unknown {
            let nearest = nearest_name(column, self.known.iter().copied());
            if !self.has_items && nearest.is_none() {
                continue;
            }
            let error = CommandError::usage(format!(
                "--columns: `{column}` is neither a field nor a custom property of the listed entities"
            ));
            let property = format!("write `{PROPERTY}{column}` for a custom property that none of them has");
            return Err(match nearest {
                Some(nearest) => error.hint(format!("did you mean `{nearest}`? Otherwise, {property}")),
                None => error.hint(property),
            });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::output::{Format, Style};

    fn check(column: &str, items: &[Value]) -> Result<(), CommandError> {
        let output = Output::new(Format::Table, Some(vec![column.to_owned()]), Style::plain(), false);
        let mut check = ColumnCheck::of(&output, ["owner", "description"]);
        check.see(items);
        check.finish()
    }

    #[test]
    fn a_column_is_a_field_or_a_custom_property_of_an_item() {
        let items = [json!({"id": "1"}), json!({"id": "2", "customProperties": {"tier": {}}, "other": 1})];
        for column in ["id", "updated", "owner", "tier", "other", "customProperties.nothing"] {
            assert!(check(column, &items).is_ok(), "{column}");
            assert!(check(column, &[]).is_ok() || column == "other", "{column}");
        }
        for column in ["nme", "ownr", "zzz"] {
            assert!(check(column, &items).is_err(), "{column}");
        }
        assert!(check("ownr", &[]).is_err());
        assert!(check("zzz", &[]).is_ok());
    }
}

//! Documents in the form of a version of the API. They are stored in the form of v1alpha1.

use model_registry_api::catalog::CatalogVersion;
use model_registry_catalog_store::CatalogRecord;

/// The JSON of a record that the responses of a version carry.
pub(super) fn to_wire(record: &CatalogRecord, version: CatalogVersion) -> String {
    let wire = record.to_wire();
    let names: Vec<_> = record.kind.spec().renamed_in(version).collect();
    renamed(&wire, &names).unwrap_or(wire)
}

/// Renames members of the outermost object; `None` if it has none of these. It does not parse the values: most of a document
/// are cards and descriptions.
fn renamed(json: &str, names: &[(&str, &str)]) -> Option<String> {
    if names.is_empty() {
        return None;
    }
    let mut result = String::new();
    let (mut copied, mut depth, mut is_key) = (0, 0_usize, false);
    let mut bytes = json.bytes().enumerate();
    while let Some((place, byte)) = bytes.next() {
        match byte {
            b'"' => {
                let mut is_escaped = false;
                let end = bytes.find(|(_, byte)| {
                    let is_end = *byte == b'"' && !is_escaped;
                    is_escaped = *byte == b'\\' && !is_escaped;
                    is_end
                });
                let end = end.map_or(json.len(), |(end, _)| end);
                let text = json.get(place + 1..end).unwrap_or_default();
                if std::mem::take(&mut is_key)
                    && let Some((_, name)) = names.iter().find(|(known, _)| *known == text)
                {
                    result.push_str(json.get(copied..=place).unwrap_or_default());
                    result.push_str(name);
                    copied = end;
                }
            }
            b'{' | b'[' => {
                depth += 1;
                is_key = depth == 1;
            }
            b'}' | b']' => depth = depth.saturating_sub(1),
            b',' => is_key = depth == 1,
            _ => {}
        }
    }
    if copied == 0 {
        return None;
    }
    result.push_str(json.get(copied..).unwrap_or_default());
    Some(result)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Map, Value, json};

    use super::*;

    const NAMES: [(&str, &str); 2] = [("source_id", "sourceId"), ("license_link", "licenseLink")];

    #[test]
    fn only_members_of_the_outermost_object_are_renamed() {
        let json =
            r#"{"source_id":"source_id","a":{"source_id":[{"license_link":1}]},"license_link":"\"source_id\":\\"}"#;
        let expected =
            r#"{"sourceId":"source_id","a":{"source_id":[{"license_link":1}]},"licenseLink":"\"source_id\":\\"}"#;
        assert_eq!(renamed(json, &NAMES).as_deref(), Some(expected));
        assert_eq!(renamed(r#"{"name":"source_id"}"#, &NAMES), None);
        assert_eq!(renamed(json, &[]), None);
    }

    fn values() -> impl Strategy<Value = Value> {
        let keys = prop_oneof![Just("source_id".to_owned()), Just("license_link".to_owned()), any::<String>()];
        let leaves =
            prop_oneof![any::<i64>().prop_map(Value::from), keys.clone().prop_map(Value::from), Just(json!(null))];
        leaves.prop_recursive(3, 20, 4, move |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                proptest::collection::btree_map(keys.clone(), inner, 0..4)
                    .prop_map(|members| Value::Object(members.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn the_result_is_that_of_parsing_the_document(
            members in proptest::collection::btree_map("source_id|license_link|[a-z\"\\\\é]{0,3}", values(), 0..5),
        ) {
            let members: Map<String, Value> = members.into_iter().collect();
            let name = |key: &str| {
                NAMES.iter().find(|(known, _)| *known == key).map_or_else(|| key.to_owned(), |(_, name)| (*name).to_owned())
            };
            let expected: Map<String, Value> = members.iter().map(|(key, value)| (name(key), value.clone())).collect();
            let json = Value::Object(members).to_string();
            let found: Value = serde_json::from_str(&renamed(&json, &NAMES).unwrap_or(json)).unwrap();
            prop_assert_eq!(found, Value::Object(expected));
        }
    }
}

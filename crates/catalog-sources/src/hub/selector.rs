//! Selectors of models: the entries of `includedModels`.

/// An entry of `includedModels`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Selector {
    /// A model by its full name.
    Name(String),
    /// All models of an organisation whose names start with the prefix.
    Prefix { organization: String, prefix: String },
}

/// Parses the entries. The API lists the models of one organisation at a time, so each pattern needs an organisation.
pub(super) fn parse(included: &[String], organization: Option<&str>) -> Result<Vec<Selector>, String> {
    if included.is_empty() {
        let organization = organization.ok_or("includedModels cannot be empty for Hugging Face catalog")?;
        return Ok(vec![Selector::Prefix { organization: organization.to_owned(), prefix: String::new() }]);
    }
    qualified(included, organization)
        .into_iter()
        .map(|pattern| {
            let pattern = pattern.trim().to_owned();
            let Some(start) = pattern.strip_suffix('*') else {
                return if pattern.contains('*') || pattern.ends_with('/') {
                    Err(unsupported(&pattern))
                } else {
                    Ok(Selector::Name(pattern))
                };
            };
            match start.split_once('/') {
                Some((organization, prefix)) if !organization.is_empty() && !start.contains('*') => {
                    Ok(Selector::Prefix { organization: organization.to_owned(), prefix: prefix.to_owned() })
                }
                _ => Err(unsupported(&pattern)),
            }
        })
        .collect()
}

/// Puts `allowedOrganization` in front of the patterns.
pub(super) fn qualified(patterns: &[String], organization: Option<&str>) -> Vec<String> {
    let qualify = |pattern: &String| match organization {
        Some(organization) => format!("{organization}/{}", pattern.trim()),
        None => pattern.clone(),
    };
    patterns.iter().map(qualify).collect()
}

/// Whether the name after the organisation starts with the prefix, ignoring case.
pub(super) fn has_prefix(name: &str, prefix: &str) -> bool {
    name.split_once('/').is_some_and(|(_, name)| name.to_lowercase().starts_with(&prefix.to_lowercase()))
}

fn unsupported(pattern: &str) -> String {
    format!(
        "wildcard pattern \"{pattern}\" is not supported - Hugging Face requires a specific organization (e.g., \
         'ibm-granite/*' or 'meta-llama/Llama-2-*')"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_need_an_organisation() {
        let one = |pattern: &str| parse(&[pattern.to_owned()], None);
        assert_eq!(one("o/m").unwrap(), [Selector::Name("o/m".into())]);
        assert_eq!(one("o/p*").unwrap(), [Selector::Prefix { organization: "o".into(), prefix: "p".into() }]);
        for wrong in ["*", "*/*", "*/x", "o*/x*", "/x*", "o/", "o/a*b"] {
            assert!(one(wrong).is_err(), "{wrong}");
        }
        let with_organization = parse(&["p*".to_owned()], Some("o")).unwrap();
        assert_eq!(with_organization, [Selector::Prefix { organization: "o".into(), prefix: "p".into() }]);
    }
}

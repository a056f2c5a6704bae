//! What a source wants of a hub: models by name, or all of an organisation with a prefix.

/// One entry of `includedModels`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wanted {
    Exactly(String),
    Listed { organization: String, prefix: String },
}

/// Reads the entries. A hub can be asked for one organisation at a time, so patterns need one.
pub(super) fn wanted(included: &[String], organization: Option<&str>) -> Result<Vec<Wanted>, String> {
    if included.is_empty() {
        let organization = organization.ok_or("includedModels cannot be empty for Hugging Face catalog")?;
        return Ok(vec![Wanted::Listed { organization: organization.to_owned(), prefix: String::new() }]);
    }
    prefixed(included, organization)
        .into_iter()
        .map(|full| {
            let full = full.trim().to_owned();
            let Some(front) = full.strip_suffix('*') else {
                return if full.contains('*') || full.ends_with('/') {
                    Err(unsupported(&full))
                } else {
                    Ok(Wanted::Exactly(full))
                };
            };
            match front.split_once('/') {
                Some((organization, prefix)) if !organization.is_empty() && !front.contains('*') => {
                    Ok(Wanted::Listed { organization: organization.to_owned(), prefix: prefix.to_owned() })
                }
                _ => Err(unsupported(&full)),
            }
        })
        .collect()
}

/// Patterns as they are without `allowedOrganization`.
pub(super) fn prefixed(patterns: &[String], organization: Option<&str>) -> Vec<String> {
    let full = |pattern: &String| match organization {
        Some(organization) => format!("{organization}/{}", pattern.trim()),
        None => pattern.clone(),
    };
    patterns.iter().map(full).collect()
}

/// Whether what follows the organisation begins with the prefix, whatever the case.
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
        let one = |pattern: &str| wanted(&[pattern.to_owned()], None);
        assert_eq!(one("o/m").unwrap(), [Wanted::Exactly("o/m".into())]);
        assert_eq!(one("o/p*").unwrap(), [Wanted::Listed { organization: "o".into(), prefix: "p".into() }]);
        for wrong in ["*", "*/*", "*/x", "o*/x*", "/x*", "o/", "o/a*b"] {
            assert!(one(wrong).is_err(), "{wrong}");
        }
        let own = wanted(&["p*".to_owned()], Some("o")).unwrap();
        assert_eq!(own, [Wanted::Listed { organization: "o".into(), prefix: "p".into() }]);
    }
}

//! What a registry requires for authentication: the header `WWW-Authenticate`.

/// A way to authenticate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Challenge {
    Basic,
    Bearer { realm: String, service: Option<String>, scope: Option<String> },
}

impl Challenge {
    /// The challenge that this client can meet, of all values of the header; tokens before passwords.
    pub(crate) fn choose<'a>(values: impl Iterator<Item = &'a str>) -> Option<Self> {
        let found: Vec<Self> = values.flat_map(parse).collect();
        let bearer = found.iter().find(|one| matches!(one, Self::Bearer { .. }));
        bearer.or_else(|| found.first()).cloned()
    }
}

/// Parses `Bearer realm="…",service="…", Basic realm="…"`.
fn parse(header: &str) -> Vec<Challenge> {
    let mut challenges = Vec::new();
    let mut rest = header;
    while let Some((scheme, after)) = next_token(rest) {
        let (parameters, after) = parameters(after);
        rest = after;
        let get = |name: &str| {
            let found = parameters.iter().find(|(key, _)| key.eq_ignore_ascii_case(name));
            found.map(|(_, value)| value.clone()).filter(|value| !value.is_empty())
        };
        if scheme.eq_ignore_ascii_case("basic") {
            challenges.push(Challenge::Basic);
        } else if scheme.eq_ignore_ascii_case("bearer")
            && let Some(realm) = get("realm")
        {
            challenges.push(Challenge::Bearer { realm, service: get("service"), scope: get("scope") });
        }
    }
    challenges
}

fn next_token(text: &str) -> Option<(&str, &str)> {
    let text = text.trim_start_matches([' ', ',', '\t']);
    let end = text.find([' ', ',', '=', '\t']).unwrap_or(text.len());
    (end > 0).then(|| text.split_at(end))
}

/// Reads `key="value", key=value` up to the next scheme or the end.
fn parameters(text: &str) -> (Vec<(String, String)>, &str) {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some((key, after)) = next_token(rest) {
        // A token that no `=` follows is the next scheme.
        let Some(value) = after.trim_start().strip_prefix('=') else { break };
        let (value, after) = value_of(value.trim_start());
        found.push((key.to_owned(), value));
        rest = after;
    }
    (found, rest)
}

fn value_of(text: &str) -> (String, &str) {
    let Some(quoted) = text.strip_prefix('"') else {
        let end = text.find([',', ' ', '\t']).unwrap_or(text.len());
        return (text[..end].to_owned(), &text[end..]);
    };
    let mut value = String::new();
    let mut characters = quoted.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '"' => return (value, &quoted[at + 1..]),
            '\\' => value.extend(characters.next().map(|(_, escaped)| escaped)),
            other => value.push(other),
        }
    }
    (value, "")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn challenges_are_read_in_every_form_and_tokens_come_before_passwords() {
        let bearer = |scope: Option<&str>| {
            let service = Some("registry.docker.io".to_owned());
            Some(Challenge::Bearer {
                realm: "https://auth.docker.io/token".to_owned(),
                service,
                scope: scope.map(str::to_owned),
            })
        };
        let plain = r#"Bearer realm="https://auth.docker.io/token",service="registry.docker.io""#;
        let scoped = format!(r#"{plain},scope="repository:a/b:pull,push""#);
        let choose = |values: &[&str]| Challenge::choose(values.iter().copied());
        assert_eq!(choose(&[plain]), bearer(None));
        assert_eq!(choose(&[&scoped]), bearer(Some("repository:a/b:pull,push")));
        assert_eq!(choose(&[r#"Basic realm="Registry""#]), Some(Challenge::Basic));
        assert_eq!(choose(&["basic"]), Some(Challenge::Basic));
        assert_eq!(choose(&["Basic realm=x", plain]), bearer(None));
        assert_eq!(choose(&[&format!(r#"Basic realm="a, \"b\"", {plain}"#)]), bearer(None));
        assert_eq!(
            choose(&[r#"BEARER service = "registry.docker.io" , realm = "https://auth.docker.io/token""#]),
            bearer(None)
        );
    }

    #[test]
    fn what_cannot_be_met_is_ignored() {
        for header in
            ["", "Negotiate", "Bearer", r#"Bearer service="x""#, "Digest realm=x, nonce=y", "=", ",,,", "Bearer realm"]
        {
            assert_eq!(Challenge::choose([header].into_iter()), None, "{header}");
        }
        // An open quotation mark ends with the header.
        let open = Challenge::choose([r#"Bearer realm="https://a"#].into_iter());
        assert!(matches!(open, Some(Challenge::Bearer { realm, .. }) if realm == "https://a"));
    }
}

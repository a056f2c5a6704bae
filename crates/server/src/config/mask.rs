//! Redaction of passwords in URLs and DSNs.

/// The replacement for a secret.
pub(super) const MASK: &str = "***";

/// Masks the password in a URL (`scheme://user:password@host`), a Go MySQL DSN (`user:password@tcp(host)/name`),
/// `key=value` pairs, and query parameters whose names suggest a secret. A string of any other form is masked whole.
pub fn mask(text: &str) -> String {
    let (scheme, rest) = match text.split_once("://") {
        Some((scheme, rest)) => (Some(scheme), rest),
        None => (None, text),
    };
    let (rest, query) = match rest.rsplit_once('?') {
        // A `?` may be part of the password; the query starts after the `@`.
        Some((rest, query)) if !query.contains('@') => (rest, Some(query)),
        _ => (rest, None),
    };
    if scheme.is_none() && !rest.contains('@') && rest.contains('=') {
        return mask_pairs(text);
    }
    let mut masked = scheme.map_or_else(String::new, |scheme| format!("{scheme}://"));
    // The last `@`: a password may contain one, a host may not.
    match rest.rsplit_once('@') {
        Some((credentials, host)) => {
            let user = credentials.split_once(':').map_or(credentials, |(user, _)| user);
            let password = if credentials.contains(':') { format!(":{MASK}") } else { String::new() };
            masked.push_str(&format_args!("{user}{password}@{host}").to_string());
        }
        None if scheme.is_some() || rest.starts_with("sqlite:") => masked.push_str(rest),
        None => masked.push_str(MASK),
    }
    if let Some(query) = query {
        let parameters: Vec<String> = query.split('&').map(mask_pair).collect();
        masked.push('?');
        masked.push_str(&parameters.join("&"));
    }
    masked
}

/// `host=db password='a b' sslmode=disable`
fn mask_pairs(text: &str) -> String {
    let mut masked = Vec::new();
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        let end = end_of_pair(rest);
        masked.push(mask_pair(&rest[..end]));
        rest = rest[end..].trim_start();
    }
    masked.join(" ")
}

fn end_of_pair(text: &str) -> usize {
    let mut is_quoted = false;
    let mut is_escaped = false;
    for (position, character) in text.char_indices() {
        match character {
            _ if is_escaped => is_escaped = false,
            '\\' => is_escaped = true,
            '\'' => is_quoted = !is_quoted,
            _ if character.is_whitespace() && !is_quoted => return position,
            _ => {}
        }
    }
    text.len()
}

fn mask_pair(pair: &str) -> String {
    match pair.split_once('=') {
        Some((key, _)) if is_secret(key) => format!("{key}={MASK}"),
        _ => pair.to_owned(),
    }
}

fn is_secret(key: &str) -> bool {
    let key = key.to_ascii_lowercase();
    ["password", "passwd", "pwd", "secret", "token", "key"].iter().any(|word| key.contains(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_of_every_form_are_masked() {
        let cases = [
            ("postgres://u:hunter2@db:5432/name?sslmode=disable", "postgres://u:***@db:5432/name?sslmode=disable"),
            ("postgres://u:hun@ter?2@db/name", "postgres://u:***@db/name"),
            ("postgres://u@db/name", "postgres://u@db/name"),
            (
                "postgres://db/n?user=u&password=hunter2&sslpassword=x",
                "postgres://db/n?user=u&password=***&sslpassword=***",
            ),
            ("root:hunter2@tcp(db:3306)/name?charset=utf8mb4", "root:***@tcp(db:3306)/name?charset=utf8mb4"),
            ("root@tcp(db:3306)/name", "root@tcp(db:3306)/name"),
            ("host=db user=u password=hunter2 dbname=n", "host=db user=u password=*** dbname=n"),
            ("host=db password='hunter2 x\\' y' dbname=n", "host=db password=*** dbname=n"),
            ("sqlite:/var/lib/registry.db", "sqlite:/var/lib/registry.db"),
            ("hunter2", "***"),
        ];
        for (text, masked) in cases {
            assert_eq!(mask(text), masked);
        }
    }
}

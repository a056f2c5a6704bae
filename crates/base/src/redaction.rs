//! Redaction of passwords and tokens in URLs, data source names and any text that contains them: the only one, for
//! settings, errors and logs.
//!
//! Where it is uncertain which part is the password, because it contains `@`, `/` or `?`, everything that may belong to it
//! is replaced.

/// The replacement for a secret.
pub const REDACTED: &str = "***";

/// Stands for a password in our own messages.
const PLACEHOLDER: &str = "PASSWORD";

/// Schemes whose URLs often have a user without a password; with others, such a user is a token.
const SCHEMES_WITH_USERS: [&str; 4] = ["postgres", "postgresql", "mysql", "mariadb"];

/// Redacts a text that is a URL (`scheme://user:password@host`), a DSN of Go's MySQL driver
/// (`user:password@tcp(host)/name`) or `key=value` pairs. A text of any other form is replaced.
pub fn redact_url(text: &str) -> String {
    if let Some((scheme, rest)) = text.split_once("://").filter(|(scheme, _)| is_scheme(scheme)) {
        return format!("{scheme}://{}", after_scheme(scheme, rest));
    }
    if text.starts_with("sqlite:") {
        return text.to_owned();
    }
    let network = ["@tcp(", "@unix("].iter().filter_map(|network| text.rfind(network)).max();
    if let Some(at) = network {
        return format!("{}@{}", user(&text[..at], true), with_query(&text[at + 1..]));
    }
    if text.split_once('=').is_some_and(|(key, _)| is_key(key.trim())) {
        return pairs(text);
    }
    REDACTED.to_owned()
}

/// Redacts every URL, DSN and `password=…` within a text, such as an error message or a line of a log.
pub fn redact(text: &str) -> String {
    let mut redacted = String::with_capacity(text.len());
    let mut rest = text;
    while !rest.is_empty() {
        let end = end_of_word(rest);
        let (word, after) = rest.split_at(end);
        match secret_part(word) {
            Some((start, end)) => {
                redacted.push_str(&word[..start]);
                redacted.push_str(&redact_url(&word[start..end]));
                redacted.push_str(&word[end..]);
            }
            None => redacted.push_str(word),
        }
        let separator = after.char_indices().find(|(_, character)| !is_separator(*character));
        let end = separator.map_or(after.len(), |(end, _)| end);
        redacted.push_str(&after[..end]);
        rest = &after[end..];
    }
    redacted
}

/// Whether [`redact`] may change a text; cheap, for lines of a log.
pub fn may_contain_secret(text: &str) -> bool {
    (text.contains('@') && (text.contains("://") || text.contains("tcp(") || text.contains("unix(")))
        || text.contains("password=")
        || text.contains("passwd=")
        || text.contains("token=")
        || text.contains("secret=")
}

fn is_separator(character: char) -> bool {
    character.is_whitespace() || character == '"'
}

/// The end of a word, which is at a blank or a quotation mark; an escaped one (in JSON) is part of the word, and so is a
/// blank between apostrophes after `=`.
fn end_of_word(text: &str) -> usize {
    let mut previous = ' ';
    let mut is_quoted = false;
    for (position, character) in text.char_indices() {
        match character {
            '\'' if is_quoted => is_quoted = previous == '\\',
            '\'' if previous == '=' => is_quoted = text[position + 1..].contains('\''),
            '"' if previous != '\\' => return position,
            _ if character.is_whitespace() && !is_quoted => return position,
            _ => {}
        }
        previous = character;
    }
    text.len()
}

/// The part of a word that is a DSN, a pair with a secret or a URL with credentials, without the punctuation around it.
fn secret_part(word: &str) -> Option<(usize, usize)> {
    let start = word.len() - word.trim_start_matches(['(', '<', '[', '{', '`', '\'', ',']).len();
    if word.contains("@tcp(") || word.contains("@unix(") {
        // The closing parenthesis belongs to it.
        return Some((start, word.len()));
    }
    let end = word.trim_end_matches([')', '>', ']', '}', '`', ',', ';', ':', '.']).len().max(start);
    let pair = word[start..end].split_once('=');
    if pair.is_some_and(|(key, value)| is_key(key) && is_secret(key) && !value.is_empty()) {
        return Some((start, end));
    }
    let scheme_end = word[..end].find("://")?;
    let before_scheme = word[..scheme_end].rfind(|character: char| !is_of_scheme(character));
    let start = before_scheme.map_or(0, |at| at + word[at..].chars().next().map_or(1, char::len_utf8));
    word[start..end].contains(['@', '?']).then_some((start, end))
}

fn is_scheme(scheme: &str) -> bool {
    !scheme.is_empty() && scheme.chars().all(is_of_scheme)
}

fn is_of_scheme(character: char) -> bool {
    character.is_ascii_alphanumeric() || "+-.".contains(character)
}

fn after_scheme(scheme: &str, rest: &str) -> String {
    let end_of_authority = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (Some(first_at), Some(last_at)) = (rest.find('@'), rest.rfind('@')) else { return with_query(rest) };
    if last_at < end_of_authority {
        let is_user_shown = SCHEMES_WITH_USERS.contains(&scheme);
        return format!("{}@{}", user(&rest[..last_at], is_user_shown), with_query(&rest[last_at + 1..]));
    }
    if first_at < end_of_authority && rest[..first_at].contains(':') {
        // The password contains `/` or `?`, or a parameter contains `@`.
        return user(&rest[..first_at], true);
    }
    REDACTED.to_owned()
}

/// The user of `user:password`, or of `user` alone if it may be shown.
fn user(credentials: &str, is_user_shown: bool) -> String {
    match credentials.split_once(':') {
        Some((_, PLACEHOLDER)) => credentials.to_owned(),
        Some((user, _)) => format!("{user}:{REDACTED}"),
        None if is_user_shown => credentials.to_owned(),
        None => REDACTED.to_owned(),
    }
}

/// `host/path?name=value&…`
fn with_query(text: &str) -> String {
    match text.split_once('?') {
        Some((place, query)) => {
            let parameters: Vec<String> = query.split('&').map(pair).collect();
            format!("{place}?{}", parameters.join("&"))
        }
        None => text.to_owned(),
    }
}

/// `host=db password='a b' sslmode=disable`
fn pairs(text: &str) -> String {
    let mut redacted = Vec::new();
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        let end = end_of_pair(rest);
        redacted.push(pair(&rest[..end]));
        rest = rest[end..].trim_start();
    }
    redacted.join(" ")
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

/// A part without a key may be the rest of a password with a blank or `&`.
fn pair(pair: &str) -> String {
    match pair.split_once('=') {
        Some((key, _)) if is_key(key) && is_secret(key) => format!("{key}={REDACTED}"),
        Some((key, _)) if is_key(key) => pair.to_owned(),
        None if pair.is_empty() => String::new(),
        _ => REDACTED.to_owned(),
    }
}

fn is_key(key: &str) -> bool {
    !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte))
}

fn is_secret(key: &str) -> bool {
    let key = key.to_ascii_lowercase();
    ["password", "passwd", "pwd", "secret", "token", "key", "signature"].iter().any(|word| key.contains(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_of_every_form_are_redacted() {
        for (text, redacted) in [
            ("postgres://u:hunter2@db:5432/name?sslmode=disable", "postgres://u:***@db:5432/name?sslmode=disable"),
            ("postgres://u:hun@ter@db/name", "postgres://u:***@db/name"),
            ("postgres://u:hun@ter?2@db/name", "postgres://u:***"),
            ("postgres://u:hun/ter2@db/name", "postgres://***"),
            ("postgres://u:12/34@db/name", "postgres://***"),
            ("postgres://u@db/name", "postgres://u@db/name"),
            (
                "postgres://db/n?user=u&password=hunter2&sslpassword=x",
                "postgres://db/n?user=u&password=***&sslpassword=***",
            ),
            ("postgres://db/n?user=u&password=hun@ter2", "postgres://***"),
            ("postgres://db/n?password=hun&ter2", "postgres://db/n?password=***&***"),
            ("https://hf_hunter2@hub.example/x", "https://***@hub.example/x"),
            ("https://u:hunter2@hub.example/x", "https://u:***@hub.example/x"),
            ("http://127.0.0.1:8080/x?a=b", "http://127.0.0.1:8080/x?a=b"),
            ("root:hunter2@tcp(db:3306)/name?charset=utf8mb4", "root:***@tcp(db:3306)/name?charset=utf8mb4"),
            ("root:hu/n@te?r=2@tcp(db:3306)/name", "root:***@tcp(db:3306)/name"),
            ("root:hunter2@unix(/run/db.sock)/name", "root:***@unix(/run/db.sock)/name"),
            ("root@tcp(db:3306)/name", "root@tcp(db:3306)/name"),
            ("host=db user=u password=hunter2 dbname=n", "host=db user=u password=*** dbname=n"),
            ("host=db user=u password=hun@ter/2 dbname=n", "host=db user=u password=*** dbname=n"),
            ("host=db password=hun ter2 dbname=n", "host=db password=*** *** dbname=n"),
            ("host=db password='hunter2 x\\' y' dbname=n", "host=db password=*** dbname=n"),
            ("sqlite:/var/lib/registry.db", "sqlite:/var/lib/registry.db"),
            ("hunter2", "***"),
            ("u:hun=ter2@db/name", "***"),
        ] {
            assert_eq!(redact_url(text), redacted);
        }
    }

    #[test]
    fn secrets_within_a_text_are_redacted_and_the_rest_is_kept() {
        for (text, redacted) in [
            (
                "unexpected argument 'postgres://u:hunter2@db/n' found",
                "unexpected argument 'postgres://u:***@db/n' found",
            ),
            ("cannot fetch https://u:hun@ter2@host/x: refused", "cannot fetch https://u:***@host/x: refused"),
            ("error for url (https://hub/x?token=hunter2)", "error for url (https://hub/x?token=***)"),
            (r#"{"url":"postgres://u:hun\"ter2@db/n","n":1}"#, r#"{"url":"postgres://u:***@db/n","n":1}"#),
            ("invalid `host=db password=hunter2 dbname=n`", "invalid `host=db password=*** dbname=n`"),
            ("dsn password='hun ter2' x", "dsn password=*** x"),
            ("root:hunter2@tcp(db:1)/n failed", "root:***@tcp(db:1)/n failed"),
            ("see https://example.org/docs, or http://a/b.", "see https://example.org/docs, or http://a/b."),
            ("from 127.0.0.1:80 to user@example.org  x", "from 127.0.0.1:80 to user@example.org  x"),
            ("use postgres://USER:PASSWORD@HOST/NAME", "use postgres://USER:PASSWORD@HOST/NAME"),
            ("größe: 5 µs\n  next", "größe: 5 µs\n  next"),
        ] {
            assert_eq!(redact(text), redacted);
            assert!(text == redacted || may_contain_secret(text), "{text}");
        }
    }

    #[test]
    fn no_password_survives_in_any_form() {
        let special = ["@", "/", "?", "#", ":", "=", "&", "%", "'", "+", "@/", "/@", "?@", "@?", "&@", ":@/", "://"];
        for mark in special {
            let password = format!("qqaa{mark}qqbb{mark}qqcc");
            for text in [
                format!("postgres://user:{password}@host:5432/name?sslmode=disable"),
                format!("mysql://user:{password}@host/name"),
                format!("https://user:{password}@host"),
                format!("https://{}@host", password.replace(':', "")),
                format!("postgres://host/name?user=u&password={}", password.replace('&', "%26")),
                format!("user:{password}@tcp(host:3306)/name?charset=utf8mb4"),
                format!("host=h password={} dbname=n", password.replace('\'', "")),
            ] {
                let inside = redact(&format!("error: `{text}` (x)"));
                for redacted in [redact_url(&text), redact(&text), inside] {
                    assert!(!redacted.contains("qq"), "{text}: {redacted}");
                }
            }
        }
    }
}

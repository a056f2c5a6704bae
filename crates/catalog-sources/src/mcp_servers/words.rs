//! The words of enumerated fields, as publishers write them: in any case.

use model_registry_api::catalog::{ACCESS_TYPES, DEPLOYMENT_MODES, TRANSPORTS};

/// The transport `http` under its name in the protocol, without separators.
const STREAMABLE_HTTP: &str = "streamablehttp";

pub(super) fn deployment_mode(word: &str) -> Option<&'static str> {
    known(word, DEPLOYMENT_MODES)
}

pub(super) fn access_type(word: &str) -> Option<&'static str> {
    known(word, ACCESS_TYPES)
}

pub(super) fn transport(word: &str) -> Option<&'static str> {
    let plain = word.trim().to_ascii_lowercase().replace(['-', '_', ' '], "");
    if plain == STREAMABLE_HTTP { known("http", TRANSPORTS) } else { known(word, TRANSPORTS) }
}

/// The known transports, each once.
pub(super) fn transports(words: &[String]) -> Vec<String> {
    let mut transports: Vec<String> = Vec::new();
    for transport in words.iter().filter_map(|word| transport(word)) {
        if !transports.iter().any(|known| known == transport) {
            transports.push(transport.to_owned());
        }
    }
    transports
}

/// The careful access type: a tool of which nothing is known may do anything.
pub(super) fn most_careful_access() -> &'static str {
    ACCESS_TYPES.last().copied().unwrap_or_default()
}

fn known(word: &str, words: &[&'static str]) -> Option<&'static str> {
    words.iter().copied().find(|known| known.eq_ignore_ascii_case(word.trim()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_read_in_any_case_and_streamable_http_is_http() {
        let words = ["Streamable-HTTP", "http", "streamable_http", "streamableHttp", "STDIO", "pigeon", ""];
        assert_eq!(transports(&words.map(str::to_owned)), ["http", "stdio"]);
        assert_eq!(access_type(" Read_Only"), Some("read_only"));
        assert_eq!(
            (access_type("read-only"), access_type(""), deployment_mode("Remote")),
            (None, None, Some("remote"))
        );
        assert_eq!(most_careful_access(), "execute");
    }
}

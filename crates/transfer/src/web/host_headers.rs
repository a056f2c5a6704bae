//! Headers for one host, as KServe sets them from a secret: the variable `HOST-headers` has a JSON object of strings.

use std::collections::BTreeMap;

use http::{HeaderMap, HeaderName, HeaderValue};
use model_registry_base::Environment;
use reqwest::redirect::{Attempt, Policy};
use url::Url;

use crate::endpoint::Result;
use crate::error::TransferError;

const MOST_REDIRECTS: usize = 10;

/// The headers for the host of a URL; none if there is no variable for it.
pub(crate) fn of(environment: &Environment, url: &Url) -> Result<HeaderMap> {
    let variable = format!("{}-headers", url.host_str().unwrap_or_default());
    let Some(text) = environment.get(&variable) else { return Ok(HeaderMap::new()) };
    // Without the words of the parsers, which quote values.
    let invalid = |what: &str| TransferError::invalid(format!("the variable {variable} is not {what}"));
    let pairs: BTreeMap<String, String> =
        serde_json::from_str(text).map_err(|_| invalid("a JSON object of strings"))?;
    let mut headers = HeaderMap::new();
    for (name, value) in pairs {
        let name =
            HeaderName::try_from(name.trim()).map_err(|_| invalid("an object of headers: a name is not valid"))?;
        let mut value =
            HeaderValue::try_from(value.trim()).map_err(|_| invalid("an object of headers: a value is not valid"))?;
        value.set_sensitive(true);
        headers.insert(name, value);
    }
    Ok(headers)
}

/// Follows redirects on the same host only: another one would get the headers, too, which may be secrets.
pub(crate) fn same_host_only() -> Policy {
    Policy::custom(|attempt: Attempt<'_>| {
        let Some(first) = attempt.previous().first() else { return attempt.follow() };
        let is_same = first.host_str() == attempt.url().host_str() && first.scheme() == attempt.url().scheme();
        match (attempt.previous().len() > MOST_REDIRECTS, is_same) {
            (true, _) => attempt.error("too many redirects"),
            (false, true) => attempt.follow(),
            (false, false) => attempt
                .error("a redirect to another host is not followed, because it would get the headers for this one"),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(variables: &[(&str, &str)]) -> std::result::Result<HeaderMap, String> {
        let environment = variables.iter().copied().collect();
        of(&environment, &"https://models.example.com:8443/a".parse().unwrap()).map_err(|error| error.to_string())
    }

    #[test]
    fn the_headers_of_the_host_are_read() {
        let variable = "models.example.com-headers";
        let found = headers(&[(variable, r#"{"Authorization": "Bearer a\n", "x-key": "b"}"#)]).unwrap();
        assert_eq!((&found["authorization"], &found["x-key"]), (&"Bearer a".parse().unwrap(), &"b".parse().unwrap()));
        assert!(headers(&[("other.example.com-headers", "{\"x-key\": \"b\"}")]).unwrap().is_empty());
        for wrong in [r#"["hunter2"]"#, r#"{"a b": "hunter2"}"#, "{\"a\": \"hun\\u0000ter2\"}", "hunter2"] {
            let error = headers(&[(variable, wrong)]).unwrap_err();
            assert!(error.contains(variable) && !error.contains("hunter"), "{error}");
        }
    }
}

//! The allow list of locations, `ALLOWED_ARTIFACT_URI_PREFIXES`: compared by scheme, host, port and whole segments of the path, so that
//! `https://trusted.example.com` allows neither `https://trusted.example.com.evil.org/` nor `https://trusted.example.com@evil.org/`.

use std::fmt;

use percent_encoding::percent_decode_str;
use url::{Host, Url};

/// The variable with the prefixes, separated by commas.
pub(crate) const VARIABLE: &str = "ALLOWED_ARTIFACT_URI_PREFIXES";

/// The prefixes that locations must have; everything is allowed if the variable is not set.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AllowedPrefixes(Option<Vec<Place>>);

/// A location or a prefix of locations.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Place {
    scheme: String,
    /// Empty: any host, in an entry such as `s3://`.
    host: String,
    port: Option<u16>,
    segments: Vec<String>,
    has_user: bool,
    text: String,
}

/// A value of the variable that cannot be used. Nothing is allowed then.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{VARIABLE}: {0}")]
pub struct InvalidPrefixes(String);

impl AllowedPrefixes {
    /// Parses the value of the variable; `None` if it is not set.
    pub fn parse(value: Option<&str>) -> Result<Self, InvalidPrefixes> {
        let Some(value) = value else { return Ok(Self(None)) };
        let entries = value.split(',').map(str::trim).filter(|entry| !entry.is_empty());
        let mut places = Vec::new();
        for entry in entries {
            let place = Place::parse(entry).map_err(|reason| InvalidPrefixes(format!("`{entry}` {reason}")))?;
            if place.has_user {
                return Err(InvalidPrefixes(format!("`{entry}` has a user: write SCHEME://HOST/PATH")));
            }
            places.push(place);
        }
        if places.is_empty() {
            return Err(InvalidPrefixes(
                "it has no entry: write prefixes such as s3://models/, separated by commas, or remove the variable"
                    .to_owned(),
            ));
        }
        Ok(Self(Some(places)))
    }

    pub fn is_configured(&self) -> bool {
        self.0.is_some()
    }

    /// Whether one of the entries names this scheme.
    pub fn names_scheme(&self, scheme: &str) -> bool {
        self.0.iter().flatten().any(|place| place.scheme == scheme)
    }

    /// Checks a location; the error is the reason.
    pub fn check(&self, location: &str) -> Result<(), String> {
        let Some(places) = &self.0 else { return Ok(()) };
        let refused = |reason: &str| format!("URI \"{}\" {reason}", crate::pod::shown(location));
        let place = Place::parse(location).map_err(|reason| refused(&reason))?;
        if place.has_user {
            return Err(refused("has a user in front of its host"));
        }
        if places.iter().any(|prefix| prefix.contains(&place)) {
            return Ok(());
        }
        Err(refused(&format!("does not match any entry in allowlist [{self}]")))
    }
}

impl fmt::Display for AllowedPrefixes {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let texts: Vec<&str> = self.0.iter().flatten().map(|place| place.text.as_str()).collect();
        formatter.write_str(&texts.join(" "))
    }
}

impl Place {
    fn parse(text: &str) -> Result<Self, String> {
        let (scheme, rest) = text.split_once("://").ok_or("has no scheme: write SCHEME://HOST/PATH")?;
        let scheme = scheme.to_ascii_lowercase();
        let is_name = |character: char| character.is_ascii_alphanumeric() || "+-.".contains(character);
        if scheme.is_empty() || !scheme.chars().all(is_name) {
            return Err("has an invalid scheme".to_owned());
        }
        if text.chars().any(char::is_control) {
            return Err("contains a control character".to_owned());
        }
        if matches!(scheme.as_str(), "http" | "https") && !rest.is_empty() {
            return Self::of_url(&scheme, text);
        }
        let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
        let path = path.split(['?', '#']).next().unwrap_or_default();
        let authority = authority.split(['?', '#']).next().unwrap_or_default();
        // In `abfs://container@account` the part before the sign is a container.
        let has_user = authority.contains('@') && !scheme.starts_with("abfs");
        let host = authority.rsplit_once('@').filter(|_| has_user).map_or(authority, |(_, host)| host);
        let (host, port) = match host.rsplit_once(':').map(|(host, port)| (host, port.parse())) {
            Some((host, Ok(port))) => (host, Some(port)),
            _ => (host, None),
        };
        let segments = segments(path)?;
        let host = normalized(host);
        Ok(Self { scheme, host, port, segments, has_user, text: text.to_owned() })
    }

    fn of_url(scheme: &str, text: &str) -> Result<Self, String> {
        let url = Url::parse(text).map_err(|error| format!("is not a URL: {error}"))?;
        let host = normalized(url.host_str().unwrap_or_default());
        let has_user = !url.username().is_empty() || url.password().is_some();
        let segments = segments(url.path().trim_start_matches('/'))?;
        Ok(Self {
            scheme: scheme.to_owned(),
            host,
            port: url.port_or_known_default(),
            segments,
            has_user,
            text: text.to_owned(),
        })
    }

    /// Whether a location is this place or below it.
    fn contains(&self, location: &Self) -> bool {
        self.scheme == location.scheme
            && (self.host.is_empty() && self.segments.is_empty()
                || self.host == location.host
                    && self.port == location.port
                    && location.segments.starts_with(&self.segments))
    }
}

/// The decoded segments of a path; an empty last one says only that the path ends with `/`.
fn segments(path: &str) -> Result<Vec<String>, String> {
    let path = path.trim_end_matches('/');
    if path.is_empty() {
        return Ok(Vec::new());
    }
    let decoded: Vec<String> =
        path.split('/').map(|segment| percent_decode_str(segment).decode_utf8_lossy().into_owned()).collect();
    // Of one segment, several may be made by a server that decodes it.
    let leaves = decoded.iter().any(|segment| segment.split(['/', '\\']).any(|part| part == ".."));
    if leaves { Err("contains `..`".to_owned()) } else { Ok(decoded) }
}

fn normalized(host: &str) -> String {
    let name = host.trim_end_matches('.');
    Host::parse(name).map_or_else(|_| name.to_ascii_lowercase(), |host| host.to_string())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn is_allowed(prefixes: &str, location: &str) -> bool {
        AllowedPrefixes::parse(Some(prefixes)).unwrap().check(location).is_ok()
    }

    #[test]
    fn everything_is_allowed_only_without_the_variable() {
        assert!(AllowedPrefixes::parse(None).unwrap().check("ftp://anything").is_ok());
        for unusable in
            ["", " ", ",", " , ,", "trusted.example.com/", "https://user@host/", "s3://a/../b", "://a", "https://["]
        {
            let error = AllowedPrefixes::parse(Some(unusable)).expect_err(unusable).to_string();
            assert!(error.starts_with(VARIABLE), "{error}");
            // One unusable entry is not left out: it may have been the important one.
            let mixed = format!("s3://models/,{unusable}");
            let is_blank = unusable.trim_matches([',', ' ']).is_empty();
            assert_eq!(AllowedPrefixes::parse(Some(&mixed)).is_ok(), is_blank, "{unusable}");
        }
    }

    #[test]
    fn a_location_matches_by_components() {
        for (prefixes, location, expected) in [
            ("s3://my-bucket/", "s3://my-bucket/m", true),
            ("s3://my-bucket", "s3://my-bucket/m", true),
            ("s3://my-bucket", "s3://my-bucket-evil/m", false),
            ("s3://my-bucket/", "s3://my-bucket-evil/m", false),
            ("s3://my-bucket/team-a", "s3://my-bucket/team-a/x", true),
            ("s3://my-bucket/team-a", "s3://my-bucket/team-a", true),
            ("s3://my-bucket/team-a", "s3://my-bucket/team-a-evil/x", false),
            ("s3://my-bucket/team-a/", "s3://my-bucket/team-b/x", false),
            ("s3://my-bucket/team-a", "s3://my-bucket/team-a/../team-b/x", false),
            ("s3://my-bucket/team-a", "s3://my-bucket/team-a/%2e%2e/team-b/x", false),
            ("s3://", "s3://any/m", true),
            ("s3://", "gs://x/m", false),
            ("s3://a/,gs://x/", "gs://x/m", true),
            (" s3://a/ , gs://x/ ,", "gs://x/m", true),
            ("https://trusted.example.com", "https://trusted.example.com/a", true),
            ("https://trusted.example.com", "https://TRUSTED.example.com./a", true),
            ("https://trusted.example.com", "https://trusted.example.com:443/a", true),
            ("https://trusted.example.com", "https://trusted.example.com:8443/a", false),
            ("https://trusted.example.com", "http://trusted.example.com/a", false),
            ("https://trusted.example.com", "https://trusted.example.com.evil.org/a", false),
            ("https://trusted.example.com", "https://trusted.example.com@evil.org/a", false),
            ("https://trusted.example.com", "https://user@trusted.example.com/a", false),
            ("https://trusted.example.com", "https://evil.org/https://trusted.example.com/", false),
            ("https://trusted.example.com", r"https://evil.org\@trusted.example.com/", false),
            ("https://trusted.example.com/models", "https://trusted.example.com/models/../private", false),
            ("https://trusted.example.com/models", "https://trusted.example.com/models%2f..%2fprivate", false),
            ("oci://quay.io/org", "oci://quay.io/org/model:1", true),
            ("oci://quay.io/org", "oci://quay.io/organisation/model:1", false),
            ("oci://host:5000/a", "oci://host:5000/a/b", true),
            ("oci://host:5000/a", "oci://host:5001/a/b", false),
            ("hf://org", "hf://org/model", true),
            ("hf://org", "hf://organisation/model", false),
            ("abfs://container@account.dfs.core.windows.net", "abfs://container@account.dfs.core.windows.net/a", true),
            ("abfs://container@account.dfs.core.windows.net", "abfs://other@account.dfs.core.windows.net/a", false),
            ("s3://b", "relative/path", false),
            ("file:///mnt/models", "file:///mnt/models/a", true),
            ("file:///mnt/models", "file:///etc/passwd", false),
        ] {
            assert_eq!(is_allowed(prefixes, location), expected, "{prefixes} {location}");
        }
    }

    #[test]
    fn a_refusal_names_the_location_without_its_secrets_and_the_list() {
        let prefixes = AllowedPrefixes::parse(Some("s3://a/,gs://x/")).unwrap();
        assert_eq!(
            prefixes.check("s3://b/m").unwrap_err(),
            "URI \"s3://b/m\" does not match any entry in allowlist [s3://a/ gs://x/]"
        );
        let error = prefixes.check("https://user:hunter2@host/?sig=hunter3").unwrap_err();
        assert!(!error.contains("hunter"), "{error}");
    }

    proptest! {
        #[test]
        fn another_host_or_sibling_is_never_allowed(
            host in "[a-z]{1,8}(\\.[a-z]{1,5}){0,2}",
            path in "[a-z]{1,5}(/[a-z]{1,5}){0,2}",
            more in "[A-Z]{1,5}",
        ) {
            let prefixes = format!("https://{host}/{path}");
            prop_assert!(is_allowed(&prefixes, &format!("https://{host}/{path}/{more}")), "below");
            for other in [
                format!("https://{host}{more}/{path}/a"),
                format!("https://{host}.{more}x/{path}/a"),
                format!("https://{host}@{more}x/{path}/a"),
                format!("https://{host}/{path}{more}/a"),
                format!("https://{host}/{path}/../{more}"),
                format!("http://{host}/{path}/a"),
            ] {
                prop_assert!(!is_allowed(&prefixes, &other), "{}", other);
            }
        }
    }
}

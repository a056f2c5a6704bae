//! Static tokens: a TOML file with their hashes, reloaded when it changes:
//!
//! ```toml
//! [[tokens]]
//! user = "ci"
//! groups = ["automation"]
//! sha256 = "5e884898da28047151d0e56f8dc6292773603d0d6aabbdd62a11ef721d1542d8"
//! ```
//!
//! The hash is plain SHA-256: tokens are random, so a slow hash would not make guessing harder, only requests slower.
//! `model-registry token create` generates a token and its entry.

use std::path::Path;

use model_registry_base::hex;
use serde::Deserialize;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use super::{Caller, Rejection};
use crate::config::TomlFile;
use crate::reload::{ReloadError, Reloading};

/// The tokens of a file; cheap to clone.
#[derive(Clone)]
pub struct TokenFile(Reloading<Vec<Token>>);

/// The hash of a token as written in the file.
pub fn hash_token(token: &str) -> String {
    hex(&hash(token))
}

/// Generates a token: 256 random bits, with a prefix by which scanners of source code find leaked ones.
pub fn generate_token() -> Result<String, NoRandomness> {
    let mut bytes = [0; 32];
    let provider = rustls::crypto::aws_lc_rs::default_provider();
    provider.secure_random.fill(&mut bytes).map_err(|_| NoRandomness)?;
    Ok(format!("mr_{}", hex(&bytes)))
}

/// The operating system provides no random numbers.
#[derive(Debug, thiserror::Error)]
#[error("the operating system provides no random numbers")]
pub struct NoRandomness;

/// The entry of a token in the file. The user and the groups may be any strings.
pub fn token_entry(caller: &Caller, hash: &str) -> String {
    let quoted = |text: &str| toml::Value::String(text.to_owned()).to_string();
    let groups: Vec<String> = caller.groups.iter().map(|group| quoted(group)).collect();
    let groups = if groups.is_empty() { String::new() } else { format!("groups = [{}]\n", groups.join(", ")) };
    format!("[[tokens]]\nuser = {}\n{groups}sha256 = \"{hash}\"\n", quoted(&caller.user))
}

impl TokenFile {
    /// Loads a token file and reloads it when it changes. Requires a Tokio runtime.
    pub fn load(path: &Path) -> Result<Self, ReloadError> {
        let tokens = Self::read(path)?;
        tokens.0.watch();
        Ok(tokens)
    }

    /// Loads a token file once.
    pub fn read(path: &Path) -> Result<Self, ReloadError> {
        let owned = path.to_path_buf();
        Ok(Self(Reloading::load(&[path], move |contents| parse(&owned, &contents[0]))?))
    }

    /// The callers of all tokens, in the order of the file.
    pub fn callers(&self) -> Vec<Caller> {
        self.0.current().iter().map(|token| token.caller.clone()).collect()
    }

    /// The caller whom a token identifies.
    pub fn find(&self, token: &str) -> Option<Caller> {
        self.identify(token).ok()
    }

    pub(super) fn identify(&self, token: &str) -> Result<Caller, Rejection> {
        let hash = hash(token);
        let tokens = self.0.current();
        // Compares with every token, so that the time taken does not reveal a match.
        let mut found = None;
        for token in tokens.iter() {
            if bool::from(token.hash.ct_eq(&hash)) {
                found = Some(&token.caller);
            }
        }
        found.cloned().ok_or_else(|| Rejection::token("unknown token"))
    }
}

struct Token {
    hash: [u8; 32],
    caller: Caller,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    #[serde(default)]
    tokens: Vec<Entry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    user: String,
    #[serde(default)]
    groups: Vec<String>,
    sha256: toml::Spanned<String>,
}

fn hash(token: &str) -> [u8; 32] {
    Sha256::digest(token.as_bytes()).into()
}

fn parse(path: &Path, content: &[u8]) -> Result<Vec<Token>, String> {
    let text = std::str::from_utf8(content).map_err(|_| format!("{}: not UTF-8", path.display()))?;
    let file = TomlFile::new(path, text);
    let document: Document = toml::from_str(text).map_err(|error| file.error(&error).to_string())?;
    // Not validated by serde, which quotes rejected values: a token written here by mistake must not be logged.
    let tokens = document.tokens.into_iter().map(|entry| {
        let hash = unhex(entry.sha256.get_ref())
            .ok_or_else(|| format!("{}: `sha256` must be 64 hexadecimal digits", file.place(&entry.sha256.span())))?;
        Ok(Token { hash, caller: Caller { user: entry.user, groups: entry.groups } })
    });
    tokens.collect()
}

fn unhex(text: &str) -> Option<[u8; 32]> {
    if !text.is_ascii() || text.len() != 64 {
        return None;
    }
    let mut bytes = [0; 32];
    for (position, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&text[2 * position..2 * position + 2], 16).ok()?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens(text: &str) -> Result<TokenFile, String> {
        parse(Path::new("t.toml"), text.as_bytes()).map(|tokens| TokenFile(Reloading::fixed(tokens)))
    }

    #[test]
    fn a_known_token_identifies_its_user() {
        let text = format!("[[tokens]]\nuser = \"ci\"\ngroups = [\"bots\"]\nsha256 = \"{}\"", hash_token("s3cret"));
        let tokens = tokens(&text).unwrap();
        let caller = tokens.identify("s3cret").unwrap();
        assert_eq!(caller, Caller { user: "ci".to_owned(), groups: vec!["bots".to_owned()] });
        assert!(tokens.identify("s3cre").is_err());
        assert!(tokens.identify(&hash_token("s3cret")).is_err());
    }

    #[test]
    fn mistakes_are_reported_with_their_position_and_without_the_value() {
        let error = tokens("[[tokens]]\nuser = \"ci\"\nsha256 = \"plain-token\"").err().unwrap();
        assert_eq!(error, "t.toml:3:10: `sha256` must be 64 hexadecimal digits");
        let error = tokens("[[tokens]]\nuser = \"ci\"\ntoken = \"plain-token\"").err().unwrap();
        assert!(error.starts_with("t.toml:3:1: unknown field `token`") && !error.contains("plain-token"), "{error}");
    }

    #[test]
    fn a_generated_entry_is_read_back_whatever_the_names_are() {
        for (user, groups) in [("ci", vec![]), ("a \"b\"\n", vec!["x", "[[tokens]]\nuser = 'root'"])] {
            let groups = groups.into_iter().map(str::to_owned).collect();
            let caller = Caller { user: user.to_owned(), groups };
            let token = generate_token().unwrap();
            let file = tokens(&token_entry(&caller, &hash_token(&token))).unwrap();
            assert_eq!(file.callers(), std::slice::from_ref(&caller));
            assert_eq!(file.find(&token), Some(caller));
        }
    }

    #[test]
    fn generated_tokens_are_long_and_differ() {
        let (first, second) = (generate_token().unwrap(), generate_token().unwrap());
        assert!(first != second && first.len() == 67 && first.starts_with("mr_"), "{first}");
    }

    #[test]
    fn hashes_like_sha256sum() {
        assert_eq!(hash_token("password"), "5e884898da28047151d0e56f8dc6292773603d0d6aabbdd62a11ef721d1542d8");
    }
}

//! Digests of blobs and manifests: `sha256:HEX`.

use std::fmt;
use std::str::FromStr;

use model_registry_base::hex;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::digest::common::hazmat::{SerializableState, SerializedState};
use sha2::{Digest as _, Sha256, Sha512};

/// A hash function that registries use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Algorithm {
    Sha256,
    Sha512,
}

/// The digest of a blob or a manifest.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Digest {
    algorithm: Algorithm,
    hex: String,
}

/// Why a text is not a digest.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a digest: write `sha256:` (or `sha512:`) and the hexadecimal digits in lower case")]
pub struct InvalidDigest(String);

impl Digest {
    /// The SHA-256 digest of these bytes.
    pub fn of(bytes: &[u8]) -> Self {
        let mut hasher = Hasher::new(Algorithm::Sha256);
        hasher.update(bytes);
        hasher.finish()
    }

    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// The hexadecimal digits.
    pub fn hex(&self) -> &str {
        &self.hex
    }

    /// The digest as a part of a tag, where a colon is not allowed.
    pub(crate) fn as_tag(&self) -> String {
        self.to_string().replace(':', "-")
    }
}

impl Algorithm {
    fn name(self) -> &'static str {
        match self {
            Self::Sha256 => "sha256",
            Self::Sha512 => "sha512",
        }
    }

    fn digits(self) -> usize {
        match self {
            Self::Sha256 => 64,
            Self::Sha512 => 128,
        }
    }
}

impl FromStr for Digest {
    type Err = InvalidDigest;

    fn from_str(text: &str) -> Result<Self, InvalidDigest> {
        let parsed = text.split_once(':').and_then(|(name, digits)| {
            let algorithm = [Algorithm::Sha256, Algorithm::Sha512].into_iter().find(|one| one.name() == name)?;
            let is_hex = digits.bytes().all(|digit| digit.is_ascii_digit() || (b'a'..=b'f').contains(&digit));
            (is_hex && digits.len() == algorithm.digits()).then(|| Self { algorithm, hex: digits.to_owned() })
        });
        parsed.ok_or_else(|| InvalidDigest(text.chars().take(160).collect()))
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}:{}", self.algorithm.name(), self.hex)
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

impl Serialize for Digest {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Digest {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// Computes a digest while bytes pass by.
#[derive(Clone)]
pub struct Hasher(State);

#[derive(Clone)]
enum State {
    Sha256(Sha256),
    Sha512(Box<Sha512>),
}

impl Hasher {
    pub fn new(algorithm: Algorithm) -> Self {
        Self(match algorithm {
            Algorithm::Sha256 => State::Sha256(Sha256::new()),
            Algorithm::Sha512 => State::Sha512(Box::new(Sha512::new())),
        })
    }

    pub fn update(&mut self, bytes: &[u8]) {
        match &mut self.0 {
            State::Sha256(hasher) => hasher.update(bytes),
            State::Sha512(hasher) => hasher.update(bytes),
        }
    }

    pub fn finish(self) -> Digest {
        let (algorithm, hex) = match self.0 {
            State::Sha256(hasher) => (Algorithm::Sha256, hex(&hasher.finalize())),
            State::Sha512(hasher) => (Algorithm::Sha512, hex(&hasher.finalize())),
        };
        Digest { algorithm, hex }
    }

    /// The state of a SHA-256 computation, to continue it in another process; `None` for another hash function.
    pub(crate) fn save(&self) -> Option<Vec<u8>> {
        match &self.0 {
            State::Sha256(hasher) => Some(SerializableState::serialize(hasher).to_vec()),
            State::Sha512(_) => None,
        }
    }

    /// Continues the computation that [`Hasher::save`] described.
    pub(crate) fn restore(saved: &[u8]) -> Option<Self> {
        let saved = SerializedState::<Sha256>::try_from(saved).ok()?;
        Sha256::deserialize(&saved).ok().map(|hasher| Self(State::Sha256(hasher)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_is_an_algorithm_and_its_hexadecimal_digits() {
        let empty = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        assert_eq!(Digest::of(b"").to_string(), empty);
        assert_eq!(empty.parse::<Digest>().unwrap(), Digest::of(b""));
        assert_eq!(Digest::of(b"").as_tag(), empty.replace(':', "-"));
        let long = format!("sha512:{}", "a".repeat(128));
        assert_eq!(long.parse::<Digest>().unwrap().to_string(), long);
        for wrong in ["", "sha256:", "sha256:ab", "md5:0123", &empty.to_uppercase(), &empty.replace("e3", "E3")] {
            assert!(wrong.parse::<Digest>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_computation_continues_from_its_saved_state() {
        let mut whole = Hasher::new(Algorithm::Sha256);
        for length in [0_usize, 1, 63, 64, 65, 1000] {
            let part = vec![7; length];
            let mut continued = Hasher::restore(&whole.save().unwrap()).unwrap();
            continued.update(&part);
            whole.update(&part);
            assert_eq!(continued.finish(), whole.clone().finish());
        }
        assert!(Hasher::restore(b"short").is_none());
        assert!(Hasher::new(Algorithm::Sha512).save().is_none());
    }
}

//! Digests: SHA-256 over several parts, and FNV-1a where a digest must be cheap and stable but need not resist attacks.

use sha2::{Digest, Sha256};

/// SHA-256 over several parts. Every part is preceded by its length, so that `["ab", ""]` and `["a", "b"]` differ.
///
/// Digests are stored (idempotency keys) and given to clients (page tokens): another scheme makes them stale.
pub fn digest_of_parts<'a>(parts: impl IntoIterator<Item = &'a [u8]>) -> [u8; 32] {
    let mut digest = Sha256::new();
    for part in parts {
        digest.update(part.len().to_le_bytes());
        digest.update(part);
    }
    digest.finalize().into()
}

/// FNV-1a with 64 bits, the same on every machine and in every release.
#[derive(Clone, Copy, Debug)]
pub struct Fnv1a(u64);

impl Fnv1a {
    pub const fn new() -> Self {
        Self(0xCBF2_9CE4_8422_2325)
    }

    pub fn update(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01B3);
        }
    }

    pub const fn finish(self) -> u64 {
        self.0
    }
}

impl Default for Fnv1a {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_boundaries_of_parts_count() {
        let digest = |parts: &[&str]| digest_of_parts(parts.iter().map(|part| part.as_bytes()));
        assert_eq!(digest(&["a", "b"]), digest(&["a", "b"]));
        assert_ne!(digest(&["a", "b"]), digest(&["ab", ""]));
        assert_ne!(digest(&["a"]), digest(&["a", ""]));
    }

    #[test]
    fn fnv_1a_has_the_published_values() {
        let hash = |bytes: &[u8]| {
            let mut hash = Fnv1a::new();
            hash.update(bytes);
            hash.finish()
        };
        assert_eq!(hash(b""), 0xCBF2_9CE4_8422_2325);
        assert_eq!(hash(b"a"), 0xAF63_DC4C_8601_EC8C);
        assert_eq!(hash(b"foobar"), 0x8594_4171_F739_67E8);
    }
}

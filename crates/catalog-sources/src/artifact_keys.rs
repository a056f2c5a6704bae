//! Keys that identify the artifacts of a model, so that they keep their ids when the source is loaded again. They are stored
//! in the database: artifacts whose keys change get new ids.

use std::collections::HashMap;

use model_registry_base::hex;
use sha2::{Digest, Sha256};

/// Longer keys are replaced by a checksum.
const LONGEST_KEY: usize = 200;
const CHECKSUM_BYTES: usize = 16;

/// The keys of the artifacts of one model.
#[derive(Default)]
pub(crate) struct ArtifactKeys(HashMap<String, usize>);

impl ArtifactKeys {
    /// A key that no other artifact of the model has: repeated keys get a number.
    pub(crate) fn unique(&mut self, key: String) -> String {
        let key = if key.len() <= LONGEST_KEY {
            key
        } else {
            let checksum = Sha256::digest(key.as_bytes());
            hex(checksum.get(..CHECKSUM_BYTES).unwrap_or_default())
        };
        let count = self.0.entry(key.clone()).and_modify(|count| *count += 1).or_insert(1);
        if *count == 1 { key } else { format!("{key} #{count}") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repeated_keys_get_a_number_and_long_ones_a_checksum() {
        let mut keys = ArtifactKeys::default();
        assert_eq!(["a", "b", "a"].map(|key| keys.unique(key.to_owned())), ["a", "b", "a #2"]);
        let long = "x".repeat(LONGEST_KEY + 1);
        let key = keys.unique(long.clone());
        assert_eq!(key.len(), 2 * CHECKSUM_BYTES);
        assert_eq!(keys.unique(long), format!("{key} #2"));
    }
}

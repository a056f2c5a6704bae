//! The seed of random tests.

use std::hash::{BuildHasher, RandomState};

/// Names the seed of random tests: a number of 64 bits.
pub const SEED_VARIABLE: &str = "MR_TEST_SEED";

/// Returns the seed for a random test: the value of `MR_TEST_SEED`, or a new one.
///
/// Prints it, so that the output of a failed test shows how to repeat it.
///
/// # Panics
///
/// If `MR_TEST_SEED` is not a number of 64 bits.
pub fn seed() -> u64 {
    let seed = match std::env::var_os(SEED_VARIABLE).filter(|value| !value.is_empty()) {
        Some(value) => {
            let seed = value.to_str().and_then(|value| value.parse().ok());
            seed.unwrap_or_else(|| panic!("{SEED_VARIABLE} must be a number from 0 to {}", u64::MAX))
        }
        None => RandomState::new().hash_one(std::process::id()),
    };
    eprintln!("repeat with {SEED_VARIABLE}={seed}");
    seed
}

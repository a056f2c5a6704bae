//! The seed of random tests: printed, and taken from `MR_TEST_SEED` to repeat a failure.

use std::hash::{BuildHasher, RandomState};

use proptest::test_runner::{Config, RngSeed};

/// A configuration with a seed that is printed for failed tests.
pub(crate) fn seeded() -> Config {
    let given = std::env::var_os("MR_TEST_SEED").and_then(|seed| seed.to_str()?.parse().ok());
    let seed = given.unwrap_or_else(|| RandomState::new().hash_one(std::process::id()));
    println!("repeat with MR_TEST_SEED={seed}");
    Config { rng_seed: RngSeed::Fixed(seed), ..Config::default() }
}

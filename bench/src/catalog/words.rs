//! What generated data is made of: words, scrambled numbers, and files that are replaced at once.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

use anyhow::Result;

pub(crate) const WORDS: [&str; 26] = [
    "amber", "basalt", "cedar", "dune", "ember", "fjord", "grove", "harbor", "iris", "juniper", "kelp", "lagoon",
    "meadow", "nimbus", "ochre", "pine", "quartz", "reef", "sable", "tundra", "umber", "vale", "willow", "xenon",
    "yarrow", "zephyr",
];

/// Scrambles a number, so that neighbours in a file differ.
pub(crate) fn mixed(number: usize) -> usize {
    number.wrapping_mul(2_654_435_761) % 1_000_003
}

/// A word that depends on a scrambled number.
pub(crate) fn word(mixed: usize, step: usize) -> &'static str {
    WORDS[mixed / step % WORDS.len()]
}

/// A sentence of words that depend on a scrambled number.
pub(crate) fn sentence(mixed: usize) -> String {
    let words = [1, 7, 11, 13, 17].map(|step| word(mixed, step));
    format!("Works with {} and {} for {} teams that need {} or {}.", words[0], words[1], words[2], words[3], words[4])
}

/// Writes a new file and renames it over the old one, like a `ConfigMap` or an editor. Returns its size in bytes.
pub(crate) fn write_file(path: &Path, write: impl FnOnce(&mut BufWriter<File>) -> Result<()>) -> Result<u64> {
    let temporary = path.with_extension("new");
    let mut out = BufWriter::with_capacity(1 << 20, File::create(&temporary)?);
    write(&mut out)?;
    out.flush()?;
    let length = std::fs::metadata(&temporary)?.len();
    std::fs::rename(temporary, path)?;
    Ok(length)
}

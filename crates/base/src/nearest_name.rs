//! Suggestions for misspelt names: "did you mean …?".

/// How similar two names have to be at least, from 0 (nothing in common) to 1 (equal).
const LEAST_SIMILARITY: f64 = 0.8;

/// Longer names are not compared: comparing takes time in proportion to the product of both lengths.
const LONGEST: usize = 200;

/// Returns the known name that is most similar to `name`; `None` if none is similar enough to suggest.
pub fn nearest_name<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    if name.len() > LONGEST {
        return None;
    }
    known
        .into_iter()
        .map(|candidate| (strsim::jaro_winkler(candidate, name), candidate))
        .filter(|(similarity, _)| *similarity > LEAST_SIMILARITY)
        .max_by(|left, right| left.0.total_cmp(&right.0))
        .map(|(_, candidate)| candidate)
}

/// Returns the known name that differs from `name` by the fewest edits (a character inserted, left out or replaced, or two
/// swapped); `None` if each differs by more than `most`.
pub fn nearest_by_edits<'a>(name: &str, known: impl IntoIterator<Item = &'a str>, most: usize) -> Option<&'a str> {
    if name.len() > LONGEST {
        return None;
    }
    let distances = known.into_iter().map(|candidate| (strsim::damerau_levenshtein(candidate, name), candidate));
    let near = distances.filter(|(distance, _)| *distance <= most).min_by_key(|(distance, _)| *distance);
    near.map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_few_edits_finds_the_known_one() {
        assert_eq!(nearest_by_edits("MR_PROT", ["MR_PORT", "MR_HOST"], 1), Some("MR_PORT"));
        assert_eq!(nearest_by_edits("MR_PRTO", ["MR_HOST"], 2), None);
    }

    #[test]
    fn a_misspelt_name_finds_the_known_one() {
        assert_eq!(nearest_name("descripton", ["owner", "description", "state"]), Some("description"));
    }

    #[test]
    fn an_unrelated_name_finds_none() {
        assert_eq!(nearest_name("zzz", ["owner", "description"]), None);
        assert_eq!(nearest_name("owner", []), None);
        assert_eq!(nearest_name(&"owner".repeat(1_000_000), ["owner"]), None);
    }
}

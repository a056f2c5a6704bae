//! Suggestions for misspelt names: "did you mean …?".

/// How similar two names have to be at least, from 0 (nothing in common) to 1 (equal).
const LEAST_SIMILARITY: f64 = 0.8;

/// Returns the known name that is most similar to `name`; `None` if none is similar enough to suggest.
pub fn nearest_name<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    known
        .into_iter()
        .map(|candidate| (strsim::jaro_winkler(candidate, name), candidate))
        .filter(|(similarity, _)| *similarity > LEAST_SIMILARITY)
        .max_by(|left, right| left.0.total_cmp(&right.0))
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::nearest_name;

    #[test]
    fn a_misspelt_name_finds_the_known_one() {
        assert_eq!(nearest_name("descripton", ["owner", "description", "state"]), Some("description"));
    }

    #[test]
    fn an_unrelated_name_finds_none() {
        assert_eq!(nearest_name("zzz", ["owner", "description"]), None);
        assert_eq!(nearest_name("owner", []), None);
    }
}

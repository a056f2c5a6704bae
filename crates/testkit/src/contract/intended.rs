//! Intended differences from a contract.

/// A group of intended differences that share a reason.
pub struct Intended {
    /// Matches lines returned by `compare`; `*` matches any characters.
    pub pattern: &'static str,
    pub reason: &'static str,
}

/// Creates an entry from its pattern and reason.
pub const fn because(pattern: &'static str, reason: &'static str) -> Intended {
    Intended { pattern, reason }
}

impl Intended {
    /// Whether the pattern matches the line of a difference.
    pub fn covers(&self, difference: &str) -> bool {
        let mut rest = difference;
        let mut parts = self.pattern.split('*').peekable();
        let first = parts.next().unwrap_or_default();
        let Some(after) = rest.strip_prefix(first) else { return false };
        if parts.peek().is_none() {
            return after.is_empty();
        }
        rest = after;
        while let Some(part) = parts.next() {
            if parts.peek().is_none() {
                return rest.ends_with(part);
            }
            let Some(position) = rest.find(part) else { return false };
            rest = &rest[position + part.len()..];
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_in_a_pattern_matches_any_characters() {
        assert!(because("a *: x", "").covers("a b c: x"));
        assert!(because("a: x", "").covers("a: x"));
        assert!(!because("a: x", "").covers("a: xy"));
        assert!(!because("a *: x", "").covers("a b: y"));
        assert!(because("* b *", "").covers("a b c"));
    }
}

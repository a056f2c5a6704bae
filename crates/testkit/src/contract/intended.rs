//! What differs from a contract on purpose.

/// Differences that share a reason.
pub struct Intended {
    /// The line of the difference; `*` stands for any text.
    pub pattern: &'static str,
    pub reason: &'static str,
}

/// A pattern and its reason.
pub const fn because(pattern: &'static str, reason: &'static str) -> Intended {
    Intended { pattern, reason }
}

impl Intended {
    /// Whether this is the difference that is meant.
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
    fn a_pattern_covers_what_its_stars_allow() {
        assert!(because("a *: x", "").covers("a b c: x"));
        assert!(because("a: x", "").covers("a: x"));
        assert!(!because("a: x", "").covers("a: xy"));
        assert!(!because("a *: x", "").covers("a b: y"));
        assert!(because("* b *", "").covers("a b c"));
    }
}

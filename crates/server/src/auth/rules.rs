//! The right that a request requires: a table of methods and path prefixes; the first match applies.

use http::Method;

use super::policy::Right;

/// The access to a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Open without a token.
    Public,
    /// Open to callers with this right.
    Requires(Right),
}

/// A rule of the table.
#[derive(Clone, Copy, Debug)]
pub struct Rule {
    methods: Methods,
    /// A path, or its prefix up to a `/`.
    prefix: &'static str,
    access: Access,
}

#[derive(Clone, Copy, Debug)]
enum Methods {
    /// GET, HEAD and OPTIONS.
    Reading,
    All,
}

impl Rule {
    /// The access of every method.
    pub const fn all(prefix: &'static str, access: Access) -> Self {
        Self { methods: Methods::All, prefix, access }
    }

    /// The access of GET, HEAD and OPTIONS.
    pub const fn reading(prefix: &'static str, access: Access) -> Self {
        Self { methods: Methods::Reading, prefix, access }
    }

    fn matches(&self, method: &Method, path: &str) -> bool {
        let is_method = match self.methods {
            Methods::Reading => matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS),
            Methods::All => true,
        };
        let rest = path.strip_prefix(self.prefix);
        is_method && rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/') || self.prefix.ends_with('/'))
    }
}

/// The rules for the paths that all servers share. The rules of a server precede them.
pub const DEFAULT_RULES: &[Rule] = &[
    Rule::reading("/openapi.json", Access::Public),
    Rule::reading("/docs", Access::Public),
    // Metrics describe load, not content, and scrapers rarely have tokens.
    Rule::reading("/metrics", Access::Public),
    Rule::reading("/api", Access::Requires(Right::Read)),
    Rule::all("/api", Access::Requires(Right::Write)),
];

/// The rules of a server.
#[derive(Clone, Debug)]
pub struct Rules(Vec<Rule>);

impl Rules {
    /// Concatenates tables.
    pub fn new(parts: &[&[Rule]]) -> Self {
        Self(parts.concat())
    }

    /// The access of a request; `None` without a matching rule.
    pub fn find(&self, method: &Method, path: &str) -> Option<Access> {
        self.0.iter().find(|rule| rule.matches(method, path)).map(|rule| rule.access)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_match_applies_and_a_prefix_ends_at_a_slash() {
        const OWN: &[Rule] = &[Rule::all("/api/admin", Access::Requires(Right::Administer))];
        let rules = Rules::new(&[OWN, DEFAULT_RULES]);
        let access = |method, path| rules.find(&method, path);
        assert_eq!(access(Method::GET, "/api/things"), Some(Access::Requires(Right::Read)));
        assert_eq!(access(Method::HEAD, "/api/things/1"), Some(Access::Requires(Right::Read)));
        assert_eq!(access(Method::PATCH, "/api/things/1"), Some(Access::Requires(Right::Write)));
        assert_eq!(access(Method::GET, "/api/admin"), Some(Access::Requires(Right::Administer)));
        assert_eq!(access(Method::GET, "/api/administrators"), Some(Access::Requires(Right::Read)));
        assert_eq!(access(Method::GET, "/apis"), None);
        assert_eq!(access(Method::POST, "/metrics"), None);
        assert_eq!(access(Method::GET, "/metrics"), Some(Access::Public));
    }
}

//! Which right a request needs: one table of methods and path prefixes, read from the top; the first match counts.

use http::Method;

use super::policy::{Right, Role};

/// What stands before a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Anybody, without a token.
    Public,
    /// Callers who have the right.
    Needs(Right),
}

/// A line of the table.
#[derive(Clone, Copy, Debug)]
pub struct Rule {
    methods: Methods,
    /// A path, or the beginning of one up to a `/`.
    prefix: &'static str,
    access: Access,
}

#[derive(Clone, Copy, Debug)]
enum Methods {
    /// GET, HEAD and OPTIONS.
    Reading,
    Every,
}

impl Rule {
    /// Declares what every method on a path needs.
    pub const fn every(prefix: &'static str, access: Access) -> Self {
        Self { methods: Methods::Every, prefix, access }
    }

    /// Declares what GET, HEAD and OPTIONS on a path need.
    pub const fn reading(prefix: &'static str, access: Access) -> Self {
        Self { methods: Methods::Reading, prefix, access }
    }

    fn matches(&self, method: &Method, path: &str) -> bool {
        let is_method = match self.methods {
            Methods::Reading => matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS),
            Methods::Every => true,
        };
        let rest = path.strip_prefix(self.prefix);
        is_method && rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/') || self.prefix.ends_with('/'))
    }
}

/// The table for everything the servers have in common. What a server adds stands before it.
pub const DEFAULT_RULES: &[Rule] = &[
    Rule::reading("/openapi.json", Access::Public),
    Rule::reading("/docs", Access::Public),
    // The numbers tell about load, not about content, and scrapers rarely have tokens.
    Rule::reading("/metrics", Access::Public),
    Rule::reading("/api", Access::Needs(Right::Read)),
    Rule::every("/api", Access::Needs(Right::Write)),
];

/// A complete table.
#[derive(Clone, Debug)]
pub struct Rules(Vec<Rule>);

impl Rules {
    /// Puts tables behind each other.
    pub fn new(parts: &[&[Rule]]) -> Self {
        Self(parts.concat())
    }

    /// Returns what a request needs; none when no rule is about it.
    pub fn find(&self, method: &Method, path: &str) -> Option<Access> {
        self.0.iter().find(|rule| rule.matches(method, path)).map(|rule| rule.access)
    }

    /// Walks routes (`GET /api/things/{id}`) and tells for each which roles may take it. The error lists those without
    /// a rule: a test of every server fails on them.
    pub fn walk<'a>(
        &self,
        routes: impl IntoIterator<Item = (Method, &'a str)>,
    ) -> Result<Vec<Walked<'a>>, Vec<String>> {
        let mut walked = Vec::new();
        let mut uncovered = Vec::new();
        for (method, path) in routes {
            let includes = |role: &Role, access| match access {
                Access::Public => true,
                Access::Needs(right) => role.includes(right),
            };
            match self.find(&method, path) {
                Some(access) => {
                    let roles = Role::ALL.into_iter().filter(|role| includes(role, access)).collect();
                    walked.push(Walked { method, path, access, roles });
                }
                None => uncovered.push(format!("{method} {path}")),
            }
        }
        if uncovered.is_empty() { Ok(walked) } else { Err(uncovered) }
    }
}

/// A route and who may take it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Walked<'a> {
    /// Its method.
    pub method: Method,
    /// Its path or pattern.
    pub path: &'a str,
    /// What it needs.
    pub access: Access,
    /// The roles that have it.
    pub roles: Vec<Role>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_match_counts_and_a_prefix_ends_at_a_slash() {
        const OWN: &[Rule] = &[Rule::every("/api/admin", Access::Needs(Right::Administer))];
        let rules = Rules::new(&[OWN, DEFAULT_RULES]);
        let needs = |method, path| rules.find(&method, path);
        assert_eq!(needs(Method::GET, "/api/things"), Some(Access::Needs(Right::Read)));
        assert_eq!(needs(Method::HEAD, "/api/things/1"), Some(Access::Needs(Right::Read)));
        assert_eq!(needs(Method::PATCH, "/api/things/1"), Some(Access::Needs(Right::Write)));
        assert_eq!(needs(Method::GET, "/api/admin"), Some(Access::Needs(Right::Administer)));
        assert_eq!(needs(Method::GET, "/api/administrators"), Some(Access::Needs(Right::Read)));
        assert_eq!(needs(Method::GET, "/apis"), None);
        assert_eq!(needs(Method::POST, "/metrics"), None);
        assert_eq!(needs(Method::GET, "/metrics"), Some(Access::Public));
    }

    #[test]
    fn walks_every_route_and_role() {
        let rules = Rules::new(&[DEFAULT_RULES]);
        let walked = rules.walk([(Method::GET, "/api/x/{id}"), (Method::POST, "/api/x")]).unwrap();
        assert_eq!(walked[0].roles, Role::ALL);
        assert_eq!(walked[1].roles, [Role::Writer, Role::Admin]);
        let uncovered = rules.walk([(Method::GET, "/api/x"), (Method::DELETE, "/secret")]).unwrap_err();
        assert_eq!(uncovered, ["DELETE /secret"]);
    }
}

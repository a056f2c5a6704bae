//! The rights of callers. The policy is a TOML file, reloaded when it changes:
//!
//! ```toml
//! [[grants]]
//! role = "reader"              # reader, writer or admin; each includes the previous ones
//! users = ["*"]                # every authenticated caller
//!
//! [[grants]]
//! role = "writer"
//! workspace = "default"        # the only one until workspaces are served; without it: every workspace
//! groups = ["data-science"]
//! ```
//!
//! A right without a grant is denied.

use std::path::Path;

use serde::Deserialize;

use super::{Caller, DEFAULT_WORKSPACE};
use crate::ApiError;
use crate::config::TomlFile;
use crate::reload::{ReloadError, Reloading};

/// A right that a request requires.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Right {
    /// Reading.
    Read,
    /// Creating and updating.
    Write,
    /// Operating the server.
    Administer,
}

impl Right {
    /// The name in messages.
    pub fn name(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
            Self::Administer => "administer",
        }
    }
}

/// A set of rights.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// May read.
    Reader,
    /// May read and write.
    Writer,
    /// Has every right: may also see how the server reads its database.
    Admin,
}

impl Role {
    /// Every role, in ascending order of rights.
    pub const ALL: [Self; 3] = [Self::Reader, Self::Writer, Self::Admin];

    /// Whether the role includes a right.
    pub fn includes(self, right: Right) -> bool {
        match self {
            Self::Reader => right == Right::Read,
            Self::Writer => right <= Right::Write,
            Self::Admin => true,
        }
    }
}

/// A right exercised in a workspace.
#[derive(Clone, Copy, Debug)]
pub struct Action<'a> {
    pub right: Right,
    pub workspace: &'a str,
}

/// The rights of callers.
#[derive(Clone)]
pub enum Policy {
    /// Every caller has this role in every workspace.
    Uniform(Role),
    /// Grants of a file.
    File(PolicyFile),
}

/// A policy file; cheap to clone.
#[derive(Clone)]
pub struct PolicyFile(Reloading<Vec<Grant>>);

impl Policy {
    /// Loads a policy file and reloads it when it changes. Requires a Tokio runtime.
    pub fn load(path: &Path) -> Result<Self, ReloadError> {
        let owned = path.to_path_buf();
        let grants = Reloading::load(&[path], move |contents| parse(&owned, &contents[0]))?;
        grants.watch();
        Ok(Self::File(PolicyFile(grants)))
    }

    /// Decides whether a caller may perform an action; the error is `Forbidden` and names the missing right.
    pub fn authorize(&self, caller: &Caller, action: Action<'_>) -> Result<(), ApiError> {
        let is_allowed = match self {
            Self::Uniform(role) => role.includes(action.right),
            Self::File(file) => file.0.current().iter().any(|grant| grant.allows(caller, action)),
        };
        if is_allowed {
            return Ok(());
        }
        let (right, workspace, user) = (action.right.name(), action.workspace, &caller.user);
        Err(ApiError::Forbidden(format!("`{user}` lacks the right `{right}` in workspace `{workspace}`")))
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    #[serde(default)]
    grants: Vec<Grant>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Grant {
    role: Role,
    workspace: Option<toml::Spanned<String>>,
    #[serde(default)]
    users: Vec<String>,
    #[serde(default)]
    groups: Vec<String>,
}

impl Grant {
    fn allows(&self, caller: &Caller, action: Action<'_>) -> bool {
        let applies_here = self.workspace.as_ref().is_none_or(|workspace| workspace.get_ref() == action.workspace);
        let applies_to_caller = self.users.iter().any(|user| user == "*" || *user == caller.user)
            || self.groups.iter().any(|group| caller.groups.contains(group));
        applies_here && applies_to_caller && self.role.includes(action.right)
    }
}

fn parse(path: &Path, content: &[u8]) -> Result<Vec<Grant>, String> {
    let text = std::str::from_utf8(content).map_err(|_| format!("{}: not UTF-8", path.display()))?;
    let file = TomlFile::new(path, text);
    let document: Document = toml::from_str(text).map_err(|error| file.error(&error).to_string())?;
    // A grant in another workspace would never apply, which its author would not notice.
    let mut workspaces = document.grants.iter().filter_map(|grant| grant.workspace.as_ref());
    if let Some(other) = workspaces.find(|workspace| workspace.get_ref() != DEFAULT_WORKSPACE) {
        return Err(format!(
            "{}: there is no workspace `{}`: the only one is `{DEFAULT_WORKSPACE}` until workspaces are served; remove the \
             line",
            file.place(&other.span()),
            other.get_ref()
        ));
    }
    Ok(document.grants)
}

#[cfg(test)]
mod tests {
    use super::*;

    const POLICY: &str = r#"
        [[grants]]
        role = "reader"
        users = ["*"]
        [[grants]]
        role = "writer"
        workspace = "default"
        groups = ["science"]
        [[grants]]
        role = "admin"
        users = ["root"]
    "#;

    fn decide(user: &str, groups: &[&str], right: Right, workspace: &str) -> Result<(), String> {
        let grants = parse(Path::new("p.toml"), POLICY.as_bytes()).unwrap();
        let policy = Policy::File(PolicyFile(Reloading::fixed(grants)));
        let caller = Caller { user: user.to_owned(), groups: groups.iter().map(ToString::to_string).collect() };
        policy.authorize(&caller, Action { right, workspace }).map_err(|error| error.to_string())
    }

    #[test]
    fn a_grant_applies_to_a_user_or_a_group_in_its_workspace() {
        assert_eq!(decide("ann", &[], Right::Read, "other"), Ok(()));
        assert_eq!(decide("ann", &["science"], Right::Write, "default"), Ok(()));
        assert_eq!(decide("root", &[], Right::Administer, "other"), Ok(()));
        let missing = Err("`ann` lacks the right `write` in workspace `other`".to_owned());
        assert_eq!(decide("ann", &["science"], Right::Write, "other"), missing);
        assert!(decide("ann", &["science"], Right::Administer, "default").is_err());
        assert!(decide("ann", &[], Right::Write, "default").is_err());
    }

    #[test]
    fn mistakes_are_reported_with_their_position() {
        let rejected = |text: &str| parse(Path::new("p.toml"), text.as_bytes()).unwrap_err();
        let error = rejected("[[grants]]\nrole = \"owner\"");
        assert!(error.starts_with("p.toml:2:8: unknown variant `owner`"), "{error}");
        let error = rejected("[[grants]]\nrole = \"admin\"\nworkspace = \"research\"\nusers = [\"x\"]");
        assert!(
            error.starts_with("p.toml:3:13: there is no workspace `research`: the only one is `default`"),
            "{error}"
        );
        let error = rejected("[[grants]]\nrole = \"admin\"\nuser = [\"x\"]");
        assert!(error.starts_with("p.toml:3:1: unknown field `user`"), "{error}");
    }
}

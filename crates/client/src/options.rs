//! Options of lists and finds.

use model_registry_api::{Kind, SortOrder};

use crate::call::Query;

/// Options of a list.
pub trait ListQuery: Send + Sync + 'static {
    /// The query parameters, without the page token.
    fn query(&self) -> Vec<(&'static str, String)>;
}

/// What a list is ordered by; equal values are ordered by id.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub enum OrderBy {
    #[default]
    Id,
    CreateTime,
    LastUpdateTime,
    /// A field or custom property, named as in a filter: `name`, `accuracy.double_value`. Entities without a value come last.
    Value(String),
}

/// Selection and order of a list. A list ignores options that it does not have; see the documentation of the API.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ListOptions {
    /// `filterQuery`, such as `name ILIKE 'fraud%' AND accuracy > 0.9`.
    pub filter: Option<String>,
    pub order_by: OrderBy,
    pub sort_order: SortOrder,
    /// Maximum number of items per request; the default of the server if absent.
    pub page_size: Option<u32>,
    /// Selects entities with this name.
    pub name: Option<String>,
    /// Selects the entity with this external id.
    pub external_id: Option<String>,
    /// Selects artifacts of this kind.
    pub artifact_type: Option<Kind>,
    /// Selects points of these steps, in metric histories.
    pub steps: Vec<i64>,
    /// Requests [`Page::total`](crate::Page::total).
    pub total: bool,
}

impl ListOptions {
    /// Options with a filter.
    pub fn filtered(filter: impl Into<String>) -> Self {
        Self { filter: Some(filter.into()), ..Self::default() }
    }
}

impl ListQuery for ListOptions {
    fn query(&self) -> Query {
        let mut query = Vec::new();
        let mut add = |name, value: Option<String>| query.extend(value.map(|value| (name, value)));
        add("filterQuery", self.filter.clone());
        add("name", self.name.clone());
        add("externalId", self.external_id.clone());
        // The server rejects kinds other than artifacts.
        add(
            "artifactType",
            self.artifact_type.map(|kind| kind.spec().artifact_type.unwrap_or(kind.spec().schema).to_owned()),
        );
        if !self.steps.is_empty() {
            add("stepIds", Some(self.steps.iter().map(i64::to_string).collect::<Vec<_>>().join(",")));
        }
        let order_by = match &self.order_by {
            OrderBy::Id => None,
            OrderBy::CreateTime => Some("CREATE_TIME".to_owned()),
            OrderBy::LastUpdateTime => Some("LAST_UPDATE_TIME".to_owned()),
            OrderBy::Value(name) => Some(name.clone()),
        };
        add("orderBy", order_by);
        add("sortOrder", (self.sort_order == SortOrder::Descending).then(|| "DESC".to_owned()));
        add("pageSize", self.page_size.map(|size| size.to_string()));
        add("total", self.total.then(|| "true".to_owned()));
        query
    }
}

/// A search over entities of all kinds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SearchOptions {
    /// An id, or a text in the name, or at the beginning of the external id or a label.
    pub text: String,
    /// Selects entities of these kinds; of all kinds if empty.
    pub kinds: Vec<Kind>,
    /// Maximum number of results; the default of the server if absent.
    pub page_size: Option<u32>,
}

impl SearchOptions {
    /// A search over all kinds.
    pub fn of(text: impl Into<String>) -> Self {
        Self { text: text.into(), ..Self::default() }
    }

    pub(crate) fn query(&self) -> Query {
        let mut query = vec![("q", self.text.clone())];
        if !self.kinds.is_empty() {
            let names: Vec<&str> = self.kinds.iter().map(|kind| kind.name()).collect();
            query.push(("kinds", names.join(",")));
        }
        query.extend(self.page_size.map(|size| ("pageSize", size.to_string())));
        query
    }
}

/// The key by which to find one entity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FindBy<'a> {
    /// The name of a model, serving environment or experiment.
    Name(&'a str),
    /// The name of a version, run, inference service or artifact within its parent.
    NameIn { name: &'a str, parent_id: &'a str },
    /// The external id of an entity of any kind.
    ExternalId(&'a str),
}

impl FindBy<'_> {
    pub(crate) fn query(self) -> Query {
        match self {
            Self::Name(name) => vec![("name", name.to_owned())],
            Self::NameIn { name, parent_id } => {
                vec![("name", name.to_owned()), ("parentResourceId", parent_id.to_owned())]
            }
            Self::ExternalId(external_id) => vec![("externalId", external_id.to_owned())],
        }
    }
}

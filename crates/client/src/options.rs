//! What can be asked of lists and finds.

use model_registry_api::{Kind, OrderBy, SortOrder};

use crate::call::Query;

/// Options of a list.
pub trait ListQuery: Send + Sync + 'static {
    /// The parameters of the query, without the page's token.
    fn query(&self) -> Vec<(&'static str, String)>;
}

/// What a list is to contain, in which order. Not every list knows every option; see the API's documentation.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ListOptions {
    /// `filterQuery`, such as `name ILIKE 'fraud%' AND accuracy > 0.9`.
    pub filter: Option<String>,
    pub order_by: OrderBy,
    pub sort_order: SortOrder,
    /// Items fetched with one request at most; the server's default without one.
    pub page_size: Option<u32>,
    /// Only those of this name.
    pub name: Option<String>,
    /// Only the one of this external id.
    pub external_id: Option<String>,
    /// Only artifacts of this kind.
    pub artifact_type: Option<Kind>,
    /// Only points of these steps, in metric histories.
    pub steps: Vec<i64>,
}

impl ListOptions {
    /// A list that `filter` selects from.
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
        // A kind that is no artifact's is for the server to refuse.
        add(
            "artifactType",
            self.artifact_type.map(|kind| kind.spec().artifact_type.unwrap_or(kind.spec().schema).to_owned()),
        );
        if !self.steps.is_empty() {
            add("stepIds", Some(self.steps.iter().map(i64::to_string).collect::<Vec<_>>().join(",")));
        }
        let order_by = match self.order_by {
            OrderBy::Id => None,
            OrderBy::CreateTime => Some("CREATE_TIME"),
            OrderBy::LastUpdateTime => Some("LAST_UPDATE_TIME"),
        };
        add("orderBy", order_by.map(str::to_owned));
        add("sortOrder", (self.sort_order == SortOrder::Descending).then(|| "DESC".to_owned()));
        add("pageSize", self.page_size.map(|size| size.to_string()));
        query
    }
}

/// What one entity is looked for by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FindBy<'a> {
    /// The name of a model, serving environment or experiment.
    Name(&'a str),
    /// The name below a parent: of a version, run, inference service or artifact.
    NameIn {
        name: &'a str,
        parent_id: &'a str,
    },
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

//! Search over entities of all kinds by name, id, external id and label, whose effort does not grow with the registry.
//!
//! A label is a custom property whose value is the empty string, as in the web application of Kubeflow. Ids, and what begins
//! with the text, are found in indexes. Only if these are fewer than requested are words and substrings of names looked for: in the names of
//! all entities without a parent up to [`NAMES`], and in those of the newest [`NEWEST`] entities of every other kind.

mod rank;
mod statements;

use std::collections::HashMap;

use model_registry_api::{EntityTable, Kind};

use crate::db::Database;
use crate::error::Result;
use crate::store::Store;
use rank::Text;
use statements::{DetailRow, FoundRow, LabelRow};

pub use rank::Rank;

/// Names of a kind without a parent in which words and substrings are looked for, in their order.
const NAMES: u64 = 100_000;
/// Entities of another kind in whose names words and substrings are looked for, the newest ones.
const NEWEST: u64 = 2_000;
/// Names of labels whose entities are read, at most.
const MAX_LABELS: usize = 24;

/// A search.
#[derive(Clone, Debug)]
pub struct SearchRequest<'a> {
    /// Not empty.
    pub text: &'a str,
    pub kinds: &'a [Kind],
    /// Entities in the result, at most.
    pub limit: usize,
}

/// What of an entity matches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum MatchedField {
    Id,
    Name,
    ExternalId,
    Label,
}

impl MatchedField {
    pub const NAMES: [&'static str; 4] = ["id", "name", "externalId", "label"];

    pub const fn name(self) -> &'static str {
        Self::NAMES[self as usize]
    }
}

/// An entity that matches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hit {
    pub kind: Kind,
    pub id: i64,
    pub name: String,
    pub external_id: Option<String>,
    pub state: Option<String>,
    pub field: MatchedField,
    pub rank: Rank,
    /// The label that matches.
    pub label: Option<String>,
    /// The parents, the highest first: the model of a version; the model and version of an artifact.
    pub parents: Vec<ParentName>,
}

/// An entity above another one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParentName {
    pub kind: Kind,
    pub id: i64,
    pub name: String,
}

/// The result of a search, the best first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SearchResults {
    pub hits: Vec<Hit>,
    /// Whether there are more than requested.
    pub has_more: bool,
}

/// An entity that matches, before its details are read.
#[derive(Clone, Debug)]
struct Match {
    kind: Kind,
    id: i64,
    field: MatchedField,
    rank: Rank,
    found: String,
}

impl Store {
    pub async fn search(&self, request: &SearchRequest<'_>) -> Result<SearchResults> {
        self.database()?.search(request).await
    }
}

impl Database {
    async fn search(&self, request: &SearchRequest<'_>) -> Result<SearchResults> {
        let kinds: Vec<Kind> =
            request.kinds.iter().copied().filter(|kind| kind.spec().table != EntityTable::MetricPoint).collect();
        let text = Text::of(request.text);
        if kinds.is_empty() || text.is_empty() {
            return Ok(SearchResults::default());
        }
        let most = request.limit as u64 + 1;
        let mut matches = Matches::default();
        let indexed = statements::indexed(&text, &kinds, most, self.dialect());
        for row in self.fetch_all::<FoundRow>(&indexed).await? {
            matches.add(&text, row);
        }
        for row in self.labelled(&text, &kinds, most).await? {
            matches.add(&text, row);
        }
        if matches.0.len() <= request.limit && text.has_substrings() {
            let within = statements::within_names(&text, &kinds, most, self.dialect());
            for row in self.fetch_filtered::<FoundRow>(&within).await? {
                matches.add(&text, row);
            }
        }
        let mut best = matches.sorted();
        let has_more = best.len() > request.limit;
        best.truncate(request.limit);
        Ok(SearchResults { hits: self.with_details(best).await?, has_more })
    }

    /// Entities with a label that begins with the text.
    async fn labelled(&self, text: &Text, kinds: &[Kind], most: u64) -> Result<Vec<FoundRow>> {
        let mut labels: Vec<LabelRow> =
            self.fetch_all(&statements::property_names(text, kinds, self.dialect())).await?;
        labels.retain(|label| label.name.is_some());
        labels.sort_by_key(|label| text.rank(label.name.as_deref().unwrap_or_default()));
        labels.truncate(MAX_LABELS);
        if labels.is_empty() {
            return Ok(Vec::new());
        }
        self.fetch_filtered(&statements::labelled(&labels, most, self.dialect())).await
    }

    /// Reads names, states and parents.
    async fn with_details(&self, matches: Vec<Match>) -> Result<Vec<Hit>> {
        if matches.is_empty() {
            return Ok(Vec::new());
        }
        let ids = |is_resource: bool| -> Vec<i64> {
            let of_table =
                matches.iter().filter(|found| (found.kind.spec().table == EntityTable::Resource) == is_resource);
            of_table.map(|found| found.id).collect()
        };
        let statement = statements::details(&ids(true), &ids(false));
        let rows: Vec<DetailRow> = self.fetch_filtered(&statement).await?;
        let mut by_key: HashMap<(i16, i64), DetailRow> =
            rows.into_iter().map(|row| ((row.kind, row.id), row)).collect();
        let hits = matches.into_iter().filter_map(|found| {
            // One that was changed meanwhile may be gone.
            let row = by_key.remove(&(found.kind.code(), found.id))?;
            let parents = row.parents();
            Some(Hit {
                kind: found.kind,
                id: found.id,
                name: row.name,
                external_id: row.external_id,
                state: row.state,
                field: found.field,
                rank: found.rank,
                label: (found.field == MatchedField::Label).then_some(found.found),
                parents,
            })
        });
        Ok(hits.collect())
    }
}

/// The best match of each entity.
#[derive(Default)]
struct Matches(HashMap<(Kind, i64), Match>);

impl Matches {
    fn add(&mut self, text: &Text, row: FoundRow) {
        let Some(kind) = Kind::from_code(row.kind) else { return };
        let (field, rank) = match row.field {
            statements::ID => (MatchedField::Id, Some(Rank::Exact)),
            statements::NAME => (MatchedField::Name, text.rank(&row.found)),
            statements::NAME_IN_PARENT => (MatchedField::Name, text.rank_below_parent(&row.found)),
            statements::EXTERNAL_ID => (MatchedField::ExternalId, text.rank(&row.found)),
            _ => (MatchedField::Label, text.rank(&row.found)),
        };
        // The database may find more: its functions know other letters.
        let Some(rank) = rank else { return };
        let found = Match { kind, id: row.id, field, rank, found: row.found };
        match self.0.entry((kind, row.id)) {
            std::collections::hash_map::Entry::Occupied(mut known) => {
                if (found.rank, found.field) < (known.get().rank, known.get().field) {
                    known.insert(found);
                }
            }
            std::collections::hash_map::Entry::Vacant(free) => {
                free.insert(found);
            }
        }
    }

    fn sorted(self) -> Vec<Match> {
        let mut all: Vec<Match> = self.0.into_values().collect();
        all.sort_by(|one, other| {
            let key = |found: &Match| (found.rank, found.field, found.kind);
            key(one).cmp(&key(other)).then_with(|| one.found.cmp(&other.found)).then_with(|| other.id.cmp(&one.id))
        });
        all
    }
}

#[cfg(test)]
mod tests;

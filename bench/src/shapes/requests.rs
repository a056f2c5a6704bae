//! The requests that are measured in addition to the filters: orders, totals, filter options and searches.

use crate::connection::Call;

/// A request with a name for the table.
pub(super) struct Request {
    pub(super) name: &'static str,
    path: &'static str,
    /// A statement of plain SQL that does the same.
    pub(super) sql: Option<&'static str>,
}

impl Request {
    pub(super) fn call(&self) -> Call {
        Call::get(self.path)
    }
}

const fn request(name: &'static str, path: &'static str) -> Request {
    Request { name, path, sql: None }
}

/// The first request for filter options after the data were made; later ones get a copy.
pub(super) const OPTIONS: Request = request("filter options of versions", "model_versions/filter_options");

pub(super) const REQUESTS: &[Request] = &[
    request("page of 10,000", "model_versions?pageSize=10000"),
    // Orders.
    Request {
        sql: Some(
            "SELECT r.id, r.document FROM resource r WHERE r.workspace_id = 1 AND r.kind = 2 ORDER BY r.update_time DESC, r.id DESC LIMIT 101;\n",
        ),
        ..request("newest first", "model_versions?pageSize=100&orderBy=LAST_UPDATE_TIME&sortOrder=DESC")
    },
    Request {
        sql: Some(
            "SELECT r.id, r.document FROM resource r WHERE r.workspace_id = 1 AND r.kind = 1 ORDER BY r.name, r.id LIMIT 101;\n",
        ),
        ..request("models by name", "registered_models?pageSize=100&orderBy=name")
    },
    request("greatest accuracy first", "model_versions?pageSize=100&orderBy=accuracy.double_value&sortOrder=DESC"),
    request(
        "greatest accuracy first, `stage = 'production'`",
        "model_versions?pageSize=100&orderBy=accuracy.double_value&sortOrder=DESC&filterQuery=stage+%3D+%27production%27",
    ),
    // Totals.
    Request {
        sql: Some("SELECT COUNT(*) FROM resource r WHERE r.workspace_id = 1 AND r.kind = 2;\n"),
        ..request("total of all", "model_versions?pageSize=1&total=true")
    },
    request("page of 100 with the total", "model_versions?pageSize=100&total=true"),
    request("total of `accuracy > 0.5`", "model_versions?pageSize=1&total=true&filterQuery=accuracy+%3E+0.5"),
    request("total of `accuracy > 0.999`", "model_versions?pageSize=1&total=true&filterQuery=accuracy+%3E+0.999"),
    request(
        "total of `stage = 'production' AND accuracy > 0.99`",
        "model_versions?pageSize=1&total=true&filterQuery=stage+%3D+%27production%27+AND+accuracy+%3E+0.99",
    ),
    request("total of `missing IS NULL`", "model_versions?pageSize=1&total=true&filterQuery=missing+IS+NULL"),
    // Searches.
    request("search: a name", "search?q=model-77"),
    request("search: a prefix", "search?q=model-7"),
    request("search: a version of a model", "search?q=model-77%2Fv3"),
    request("search: a part of a name", "search?q=odel-99"),
    request("search: nothing found", "search?q=nothing-of-this"),
];

//! Which path of v1 replaces a path of v1alpha3.

use std::collections::HashSet;
use std::sync::LazyLock;

use model_registry_api::ApiVersion;

use crate::operations;

/// What the paths of v1alpha3 begin with.
pub(crate) const ALPHA: &str = "/api/model_registry/v1alpha3/";

/// The paths of v1 below its base path, with `{id}` for ids.
static V1_PATHS: LazyLock<HashSet<String>> =
    LazyLock::new(|| operations::all(ApiVersion::V1).into_iter().map(|operation| operation.path).collect());

/// Finds the path of v1 that replaces a path of v1alpha3: v1 as a whole where the path has no route, and nothing for
/// experiments, which v1 does not have.
pub(crate) fn of_alpha(route: Option<&str>, path: &str) -> Option<String> {
    let (alpha, v1) = (ApiVersion::V1Alpha3.base_path(), ApiVersion::V1.base_path());
    let Some(route) = route.and_then(|route| route.strip_prefix(alpha)) else {
        return Some(format!("{v1}/"));
    };
    let rest = path.strip_prefix(alpha).filter(|_| V1_PATHS.contains(route))?;
    Some(format!("{v1}{rest}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_replaced_by_the_same_path_of_v1_where_it_exists() {
        assert!(ALPHA.strip_suffix('/') == Some(ApiVersion::V1Alpha3.base_path()));
        for (route, path, expected) in [
            (Some("registered_models/{id}"), "registered_models/7", Some("registered_models/7")),
            (Some("experiments/{id}"), "experiments/7", None),
            (Some("experiment_runs/metric_history"), "experiment_runs/metric_history", None),
            (None, "nothing", Some("")),
        ] {
            let route = route.map(|route| format!("{ALPHA}{route}"));
            let expected = expected.map(|path| format!("/api/model_registry/v1/{path}"));
            assert_eq!(of_alpha(route.as_deref(), &format!("{ALPHA}{path}")), expected);
        }
    }
}

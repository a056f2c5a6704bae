//! Lists of the metric values that one run or all runs logged.

use axum::response::Response;
use model_registry_api::Kind;
use model_registry_server::ApiError;
use model_registry_store::ListScope;

use super::entity::load;
use super::list;
use super::request::{PathParameter, Request, path_id};

const POINTS: &[Kind] = &[Kind::MetricPoint];
const STEPS_LIMIT: usize = 1_000;

pub(crate) async fn of_all_runs(request: Request) -> Result<Response, ApiError> {
    let steps = steps(&request)?;
    let (_, response) = list::page(&request, POINTS, ListScope::Everything, steps.as_deref()).await?;
    Ok(response)
}

pub(crate) async fn of_run(request: Request, id: PathParameter) -> Result<Response, ApiError> {
    let run_id = path_id(request.context.version, Kind::ExperimentRun, &id)?;
    let steps = steps(&request)?;
    let (page, response) = list::page(&request, POINTS, ListScope::HistoryOf(run_id), steps.as_deref()).await?;
    if page.size == 0 {
        load(&request, &[Kind::ExperimentRun], run_id).await?;
    }
    Ok(response)
}

/// Parses `stepIds`: a comma-separated list in which blanks and empty parts are ignored (parity).
fn steps(request: &Request) -> Result<Option<Vec<i64>>, ApiError> {
    let Some(value) = request.query.get("stepIds") else { return Ok(None) };
    let parts = value.split(',').map(str::trim).filter(|part| !part.is_empty());
    let steps: Vec<i64> = parts
        .map(|part| {
            part.parse().map_err(|_| ApiError::Invalid(format!("invalid step ID '{part}': must be a valid integer")))
        })
        .collect::<Result<_, _>>()?;
    if steps.len() > STEPS_LIMIT {
        return Err(ApiError::Invalid(format!("`stepIds` has more than {STEPS_LIMIT} elements")));
    }
    Ok((!steps.is_empty()).then_some(steps))
}

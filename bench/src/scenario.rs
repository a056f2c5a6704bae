//! The scenarios: each generates a sequence of requests.

use serde_json::json;

use crate::connection::Call;
use crate::data::{Data, FRAMEWORKS, REGISTRATIONS, page, registration};

/// Number of the page that is compared with the first one, or of the last page if there are fewer.
const DEEP_PAGE: usize = 1_000;

pub(crate) const DEEP: &str = "page 1,000 of 100 or the last";

/// Number of pages before [`DEEP`]. The last page is not used, because it is not full.
pub(crate) fn deep_page(data: &Data) -> usize {
    (DEEP_PAGE - 1).min(data.page_tokens.len().saturating_sub(2))
}

fn filtered(filter: &str) -> Call {
    Call::get(format!("model_versions?pageSize=100&filterQuery={filter}"))
}

pub(crate) struct Scenario {
    pub(crate) name: &'static str,
    /// Returns the request with a number, which is unique in the run.
    pub(crate) call: Box<dyn Fn(usize) -> Call + Send + Sync>,
}

impl Scenario {
    pub(crate) fn new(name: &'static str, call: impl Fn(usize) -> Call + Send + Sync + 'static) -> Self {
        Self { name, call: Box::new(call) }
    }

    pub(crate) fn all(data: &Data) -> Vec<Self> {
        let (ids, runs) = (data.version_ids.clone(), data.experiment_run_ids.clone());
        let version = move |number: usize| ids[number.wrapping_mul(7_919) % ids.len()];
        let mixed = version.clone();
        let models = data.size.models;
        let pages = data.page_tokens.clone();
        let deep = pages[deep_page(data)].clone();
        let (random_pages, all_pages) = (pages.clone(), pages);
        let mut all = vec![
            Self::new("get by id", move |number| Call::get(format!("model_versions/{}", version(number)))),
            Self::new("list 100", move |number| page(&random_pages[number.wrapping_mul(7_919) % random_pages.len()])),
            Self::new("first page of 100", |_| page("")),
            Self::new(DEEP, move |_| page(&deep)),
            Self::new("full page walk", move |number| page(&all_pages[number % all_pages.len()])),
            Self::new("filter, 3 properties", |number| {
                filtered(&format!("stage='production'%20AND%20team='team-{}'%20AND%20accuracy%3E0.5", number % 50))
            }),
            // Matches enough versions to fill a page, however many there are.
            Self::new("filter, 3 common properties", |number| {
                let framework = FRAMEWORKS[number % FRAMEWORKS.len()];
                filtered(&format!("stage='production'%20AND%20framework='{framework}'%20AND%20accuracy%3E0.5"))
            }),
            Self::new("register", move |number| Call::post(REGISTRATIONS, &registration(models + number, 1_000))),
            Self::new("create version", move |number| {
                let mut body = registration(number, 1)["modelVersion"].clone();
                body["name"] = json!(format!("created-{number}"));
                body["registeredModelId"] = json!("1");
                Call::post("model_versions", &body)
            }),
            Self::new("metric log", move |number| {
                let run = runs[number % runs.len()];
                let body = json!({"artifactType": "metric", "name": "loss", "value": 0.5, "step": number,
                                  "timestamp": "1700000000000"});
                Call::post(format!("experiment_runs/{run}/artifacts"), &body)
            }),
            Self::new("mixed, 90 % reads", move |number| match number % 10 {
                0 => Call::post(REGISTRATIONS, &registration(models + number, 2_000)),
                1 | 2 => page(""),
                _ => Call::get(format!("model_versions/{}", mixed(number))),
            }),
        ];
        if !data.has_registration {
            eprintln!("the server has no {REGISTRATIONS}: scenarios that need it are left out");
            all.retain(|scenario| !["register", "mixed, 90 % reads"].contains(&scenario.name));
        }
        all
    }
}

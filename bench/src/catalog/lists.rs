//! Files of 10,000 agents and 10,000 skills: loaded and searched.

use anyhow::Result;

use super::list_data::{self, CATEGORIES, FRAMEWORKS};
use super::words::{WORDS, mixed};
use super::{Database, FirstLoad, Started, filtered};
use crate::Arguments;
use crate::connection::Call;
use crate::load::Measured;
use crate::scenario::Scenario;

pub(crate) const SUBJECT: &str = "agents and skills";
/// Of each asset type.
const ITEMS: usize = 10_000;
const AGENTS: &str = "/api/agent_catalog/v1alpha1/agents";
const SKILLS: &str = "/api/skill_catalog/v1alpha1/skills";
const SOURCES: &str = "\
agent_catalogs:
- {id: agents, name: Agents, type: yaml, properties: {yamlCatalogPath: agents.yaml}}
skill_catalogs:
- {id: skills, name: Skills, type: yaml, properties: {yamlCatalogPath: skills.yaml}}
";

/// The measurements on one database.
pub(crate) struct Outcome {
    /// Of as many items of each asset type.
    pub(crate) first_load: FirstLoad,
    pub(crate) queries: Vec<Measured>,
}

pub(super) async fn measure(arguments: &Arguments, database: &Database) -> Result<Outcome> {
    let directory = tempfile::tempdir()?;
    let sources = directory.path().join("sources.yaml");
    std::fs::write(&sources, SOURCES)?;
    let bytes = list_data::write_agents(&directory.path().join("agents.yaml"), ITEMS)?
        + list_data::write_skills(&directory.path().join("skills.yaml"), ITEMS)?;
    eprintln!("{}: {ITEMS} agents and skills, first load", database.name);
    let started = Started::start(arguments, database, &sources, &[]).await?;
    let queries = started.query(arguments, scenarios()).await?;
    Ok(Outcome { first_load: started.first_load(database, ITEMS, bytes), queries })
}

fn scenarios() -> Vec<Scenario> {
    let word = |number: usize| WORDS[number % WORDS.len()];
    let part = move |number: usize| format!("{}-{}", word(number), mixed(number) % 1_000);
    vec![
        Scenario::new("agents, first page", |_| Call::get(AGENTS)),
        Scenario::new("agents, page of 100 by name", |_| Call::get(format!("{AGENTS}?orderBy=NAME&pageSize=100"))),
        Scenario::new("agents, q, one word", move |number| Call::get(format!("{AGENTS}?q={}", word(number)))),
        Scenario::new("agents, q, part of a name", move |number| Call::get(format!("{AGENTS}?q={}", part(number)))),
        Scenario::new("agents, filter, 3 properties", move |number| {
            let framework = FRAMEWORKS[number % FRAMEWORKS.len()];
            filtered(AGENTS, &format!("framework='{framework}' AND labels='{}' AND seats>50", word(number)))
        }),
        Scenario::new("agents, filter_options", |_| Call::get(format!("{AGENTS}/filter_options"))),
        Scenario::new("skills, first page", |_| Call::get(SKILLS)),
        Scenario::new("skills, page of 100 by name", |_| Call::get(format!("{SKILLS}?orderBy=NAME&pageSize=100"))),
        Scenario::new("skills, q, one word", move |number| Call::get(format!("{SKILLS}?q={}", word(number)))),
        Scenario::new("skills, q, part of a name", move |number| Call::get(format!("{SKILLS}?q={}", part(number)))),
        Scenario::new("skills, filter, 3 properties", move |number| {
            let category = CATEGORIES[number % CATEGORIES.len()];
            filtered(SKILLS, &format!("category='{category}' AND labels='{}' AND rank>50", word(number)))
        }),
        Scenario::new("skills, filter_options", |_| Call::get(format!("{SKILLS}/filter_options"))),
    ]
}

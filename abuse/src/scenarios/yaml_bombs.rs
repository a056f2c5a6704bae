//! YAML that expands to far more than its size.

use std::fmt::Write;

use anyhow::Result;

use crate::abused::Abused;
use crate::scenario::{EVERY, Group, Limits, Measured, NONE, Scenario};
use crate::stage::Stage;

pub(crate) const SCENARIO: Scenario = Scenario {
    name: "yaml-bombs",
    about: "previews of YAML with nested aliases, deep nesting, a million keys and a huge scalar",
    group: Group::Abuse,
    databases: EVERY,
    short: NONE,
    limits: Limits::unserved(5),
    run: |stage| Box::pin(run(stage)),
};

const PREVIEW: &str = "/api/model_catalog/v1alpha1/sources/preview";

async fn run(stage: Stage) -> Result<Measured> {
    let mut abused = Abused::start_with_catalog(&stage).await?;
    abused.begin();
    for (what, text) in bombs() {
        for (config, data) in
            [("type: yaml\n".to_owned(), text.clone()), (format!("type: yaml\n{text}"), "models: []".to_owned())]
        {
            let response = abused.api.post_form(PREVIEW, &[("config", &config), ("catalogData", &data)]).await?;
            // A key that is not known is ignored with what is below it.
            if response.status != 200 {
                abused.expect_rejection(response.status, what);
            }
            abused.expect(response.body.len() < 8 << 10, || {
                format!("{what}: a response of {} bytes", response.body.len())
            });
        }
    }
    abused.finish().await
}

fn bombs() -> Vec<(&'static str, String)> {
    let mut aliases = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..12 {
        let below = vec![format!("*a{}", level - 1); 10].join(", ");
        let _ = writeln!(aliases, "a{level}: &a{level} [{below}]");
    }
    aliases.push_str("models: [{name: m, tasks: *a11}]\n");
    let mut merges = "a0: &a0 {k: v}\n".to_owned();
    for level in 1..30 {
        let _ =
            writeln!(merges, "a{level}: &a{level} {{<<: [*a{0}, *a{0}], b{level}: *a{0}, c{level}: *a{0}}}", level - 1);
    }
    merges.push_str("models: [*a29]\n");
    let deep = format!("models: {}", "[".repeat(1_000_000));
    let deep_blocks = (0..2_000).map(|level| format!("{}a:\n", " ".repeat(level))).collect::<Vec<_>>().concat();
    let keys = (0..500_000).map(|number| format!("k{number}: v\n")).collect::<Vec<_>>().concat();
    vec![
        ("nested aliases", aliases),
        ("nested merges", merges),
        ("a million brackets", deep),
        ("2,000 nested blocks", deep_blocks),
        ("half a million unknown keys", format!("{keys}models: {{}}\n")),
        ("a scalar of 8 MB instead of a list", format!("models: {}\n", "x".repeat(8 << 20))),
        ("an alias of itself", "models: &m [*m]\n".to_owned()),
    ]
}

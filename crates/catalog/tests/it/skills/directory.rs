//! Sources of type `directory`, and YAML lists of skills.

use std::time::Duration;

use model_registry_testkit::Backend;
use model_registry_testkit::git::skill as text;
use serde_json::json;

use super::{LIST, names, settings, skill, state, status};
use crate::support::{Api, Files, eventually};

const DIRECTORY: &str = "skill_catalogs:\n- {id: ops, name: O, type: directory, properties: {path: skills, trustTier: platformProvided, provider: Acme, labels: [ops], excludedSkills: ['*-draft'], skillOverrides: [{name: scale, category: Scaling}]}}\n";

fn write(files: &Files, path: &str, text: &str) {
    let file = files.path(path);
    std::fs::create_dir_all(file.parent().unwrap()).unwrap();
    std::fs::write(file, text).unwrap();
}

#[tokio::test]
async fn every_skill_below_a_directory_is_published() {
    let files = Files::new(&[("sources.yaml", DIRECTORY)]);
    write(&files, "skills/rollback/SKILL.md", &text("rollback", "Undo a release."));
    write(&files, "skills/rollback/scripts/undo.sh", "");
    write(&files, "skills/deep/er/scale/SKILL.md", &text("scale", "Adds replicas."));
    write(&files, "skills/x-draft/SKILL.md", &text("x-draft", "Not ready."));
    let api = Api::on(Backend::Sqlite, settings(&files)).await;
    assert_eq!(
        (names(&api).await, status(&api).await.0.as_str()),
        (vec!["rollback".to_owned(), "scale".to_owned()], "available")
    );
    let rollback = skill(&api, "rollback").await;
    for (field, expected) in [
        ("path", json!("rollback")),
        ("trustTier", json!("platformProvided")),
        ("provider", json!("Acme")),
        ("labels", json!(["ops"])),
        ("supportingFiles", json!(["scripts/undo.sh"])),
        ("repository", json!(null)),
    ] {
        assert_eq!(rollback[field], expected, "{field}");
    }
    assert_eq!(skill(&api, "scale").await["category"], "Scaling");

    // One that breaks is left out with a reason; a warning does not leave out.
    write(&files, "skills/rollback/SKILL.md", "no front matter\n");
    write(&files, "skills/deep/er/scale/SKILL.md", &text("other", "Another name."));
    api.catalog.load().await.unwrap();
    let (shown, error) = status(&api).await;
    let both = vec!["other".to_owned(), "rollback".to_owned()];
    assert_eq!((names(&api).await, shown.as_str()), (both, "partially-available"), "the last valid version stays");
    for part in [
        "rollback/SKILL.md: is left out: SKILL.md has no YAML frontmatter",
        "1 warning(s): ",
        "does not match directory",
    ] {
        assert!(error.contains(part), "{part}: {error}");
    }

    // A directory that is gone is an error, and what was published stays.
    std::fs::rename(files.path("skills"), files.path("moved")).unwrap();
    api.catalog.load().await.unwrap();
    assert_eq!((names(&api).await.len(), status(&api).await.0.as_str()), (2, "error"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_in_a_directory_is_published_while_the_server_runs() {
    let files = Files::new(&[("sources.yaml", DIRECTORY)]);
    write(&files, "skills/a/SKILL.md", &text("a", "A."));
    let api = Api::on(Backend::Sqlite, settings(&files)).await;
    let running = tokio::spawn(api.catalog.clone().run());
    write(&files, "skills/new/b/SKILL.md", &text("b", "B."));
    eventually("a new skill is published", async || names(&api).await == ["a", "b"]).await;
    std::fs::remove_dir_all(files.path("skills/a")).unwrap();
    eventually("a deleted skill disappears", async || names(&api).await == ["b"]).await;
    running.abort();
    tokio::time::timeout(Duration::from_secs(10), running).await.unwrap().unwrap_err();
}

#[tokio::test]
async fn a_yaml_list_has_the_fields_of_the_api() {
    let files = Files::new(&[
        (
            "sources.yaml",
            "skill_catalogs:\n- {id: ops, name: O, type: yaml, labels: [Listed], properties: {yamlCatalogPath: skills.yaml}}\n",
        ),
        (
            "skills.yaml",
            "source: Example\nskills:\n- {name: rollback, description: Undo., version: 1.10, trustTier: partnerVerified, labels: [ops], \
             allowedTools: [Read], bodyLineCount: 3, createTimeSinceEpoch: '1000', customProperties: {n: {metadataType: MetadataIntValue, int_value: '3'}}}\n\
             - {name: rollback, version: '1.10'}\n- {name: rollback}\n- {name: odd, trustTier: blessed, futureKey: 1}\n- {description: nameless}\n",
        ),
    ]);
    let api = Api::on(Backend::Sqlite, settings(&files)).await;
    assert_eq!(names(&api).await, ["odd", "rollback", "rollback"]);
    let (shown, error) = status(&api).await;
    assert_eq!(shown, "partially-available");
    for part in ["skills.yaml:4:", "duplicate of line 3", "the name is empty"] {
        assert!(error.contains(part), "{part}: {error}");
    }
    let found = api.get(&format!("{LIST}?filterQuery=version = '1.10'")).await.json();
    let rollback = &found["items"][0];
    assert_eq!((&rollback["trustTier"], &rollback["allowedTools"]), (&json!("partnerVerified"), &json!(["Read"])));
    assert_eq!((&rollback["bodyLineCount"], &rollback["createTimeSinceEpoch"]), (&json!(3), &json!("1000")));
    assert_eq!(skill(&api, "odd").await.get("trustTier"), None);
    assert_eq!(state(&api, "ops").await["assetType"], "skills");
}

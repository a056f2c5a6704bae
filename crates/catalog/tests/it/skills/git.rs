//! Sources of type `git-skills-plugin`, against `git http-backend`.

use model_registry_testkit::git::skill as text;
use model_registry_testkit::{Backend, GitServer, on_each_database};
use serde_json::json;

use super::{LIST, api, names, skill, source, state, status};

on_each_database!(skills_of_a_repository_are_published_and_follow_its_branch, a_thousand_skills_are_read_once);

const NO_CHANGE: (usize, usize) = (0, 0);

async fn skills_of_a_repository_are_published_and_follow_its_branch(backend: Backend) {
    let server = GitServer::start().await.unwrap();
    let repository = server.create("ops.git").unwrap();
    repository
        .write(
            "skills/rollback/SKILL.md",
            "---\nname: rollback\ndescription: Undo a release.\nlicense: MIT\ncompatibility: needs helm\n\
             allowed-tools: Bash(helm:*) Read\nmetadata: {n: 3, owner: ops}\n---\n\n# Steps\n1. Stop.\n",
        )
        .unwrap();
    repository.write("skills/rollback/scripts/undo.sh", "exit 0\n").unwrap();
    repository.write_skill("scale", "Adds replicas.").unwrap();
    repository.write_skill("scale-draft", "Not ready.").unwrap();
    repository.write("docs/SKILL.md", text("docs", "Outside of the paths to search.")).unwrap();
    let first = repository.commit().unwrap();
    let more = ", canonicalUrl: 'https://github.com/acme/ops.git', scanPaths: [skills/], provider: Acme, category: Operations, \
                labels: [ops], excludedSkills: ['*-draft'], skillOverrides: [{name: scale, category: Scaling, labels: [load]}]";
    let (_files, api) = api(backend, &source(&repository, more, "")).await;
    assert_eq!(state(&api, "ops").await.get("status"), None, "no status before the first sync");
    let report = api.catalog.sync("ops").await.unwrap();
    assert_eq!((report.written, status(&api).await), (2, ("available".to_owned(), String::new())));
    assert_eq!(names(&api).await, ["rollback", "scale"]);
    let rollback = skill(&api, "rollback").await;
    for (field, expected) in [
        ("description", json!("Undo a release.")),
        ("license", json!("MIT")),
        ("compatibility", json!("needs helm")),
        ("allowedTools", json!(["Bash(helm:*)", "Read"])),
        ("readme", json!("# Steps\n1. Stop.")),
        ("bodyLineCount", json!(2)),
        ("repository", json!("https://github.com/acme/ops.git")),
        ("path", json!("skills/rollback")),
        ("version", json!("latest")),
        ("resolvedCommit", json!(first)),
        ("source_id", json!("ops")),
        ("trustTier", json!("organizationApproved")),
        ("provider", json!("Acme")),
        ("category", json!("Operations")),
        ("labels", json!(["ops"])),
        ("supportingFiles", json!(["scripts/undo.sh"])),
    ] {
        assert_eq!(rollback[field], expected, "{field}");
    }
    assert_eq!(rollback["customProperties"]["n"], json!({"metadataType": "MetadataIntValue", "int_value": "3"}));
    let scale = skill(&api, "scale").await;
    assert_eq!((&scale["category"], &scale["labels"]), (&json!("Scaling"), &json!(["load"])));

    // Nothing has moved: nothing is fetched.
    server.requests();
    let report = api.catalog.sync("ops").await.unwrap();
    assert_eq!(((report.written, report.removed), report.unchanged), (NO_CHANGE, 2));
    assert_eq!(server.requests().len(), 2, "the capabilities and the list of references");

    // The branch moves: a skill changes, another is deleted.
    let id = rollback["id"].clone();
    repository.write_skill("rollback", "Undo any release.").unwrap();
    std::fs::remove_dir_all(repository.directory().join("skills/scale")).unwrap();
    let second = repository.commit().unwrap();
    let report = api.catalog.sync("ops").await.unwrap();
    assert_eq!((report.written, report.removed), (1, 1));
    let rollback = skill(&api, "rollback").await;
    assert_eq!((&rollback["description"], &rollback["resolvedCommit"]), (&json!("Undo any release."), &json!(second)));
    assert_eq!(rollback["id"], id, "the same skill");
    assert_eq!(names(&api).await, ["rollback"]);

    // A force push to an earlier commit.
    repository.git(&["reset", "--quiet", "--hard", &first]).unwrap();
    api.catalog.sync("ops").await.unwrap();
    assert_eq!((names(&api).await.len(), &skill(&api, "rollback").await["resolvedCommit"]), (2, &json!(first)));

    // A load of the files keeps the skills.
    api.catalog.load().await.unwrap();
    assert_eq!(names(&api).await, ["rollback", "scale"]);
}

#[tokio::test]
async fn branches_tags_and_commits_are_versions_of_their_own() {
    let server = GitServer::start().await.unwrap();
    let repository = server.create("ops").unwrap();
    repository.write_skill("rollback", "One.").unwrap();
    let pinned = repository.commit().unwrap();
    repository.write_skill("rollback", "Two.").unwrap();
    let tagged = repository.commit().unwrap();
    repository.git(&["tag", "--annotate", "--message", "release", "v2.1"]).unwrap();
    repository.git(&["branch", "next"]).unwrap();
    repository.write_skill("rollback", "Three.").unwrap();
    let newest = repository.commit().unwrap();
    let refs = format!(", refs: [main, v2.1, {pinned}, next, gone]");
    let (_files, api) = api(Backend::Sqlite, &source(&repository, &refs, "")).await;
    api.catalog.sync("ops").await.unwrap();
    let (status, error) = status(&api).await;
    assert_eq!(status, "partially-available");
    assert!(error.ends_with("ops gone: no branch or tag `gone`"), "{error}");
    let found = api.get(&format!("{LIST}?orderBy=ID")).await.json();
    let mut versions: Vec<_> = found["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|skill| {
            let text = |key: &str| skill[key].as_str().unwrap().to_owned();
            (text("version"), text("description"), text("resolvedCommit"))
        })
        .collect();
    versions.sort();
    let expected = |version: &str, description: &str, commit: &str| {
        (version.to_owned(), description.to_owned(), commit.to_owned())
    };
    let mut all = vec![
        expected(&pinned, "One.", &pinned),
        expected("v2.1", "Two.", &tagged),
        expected("next", "Two.", &tagged),
        expected("latest", "Three.", &newest),
    ];
    all.sort();
    assert_eq!(versions, all);

    // A tag that is moved is read again; what was published of a branch that is gone stays.
    repository.git(&["tag", "--force", "v2.1", &newest]).unwrap();
    repository.git(&["branch", "--delete", "--force", "next"]).unwrap();
    let report = api.catalog.sync("ops").await.unwrap();
    assert_eq!((report.written, report.removed, report.unchanged), (1, 0, 3));
    assert_eq!(api.names(&format!("{LIST}?filterQuery=version='v2.1' AND resolvedCommit='{newest}'")).await.len(), 1);
    assert_eq!(api.names(&format!("{LIST}?filterQuery=version='next'")).await.len(), 1);
}

#[tokio::test]
async fn a_server_that_is_away_keeps_what_was_published() {
    let server = GitServer::start().await.unwrap();
    let (good, bad) = (server.create("good").unwrap(), GitServer::start().await.unwrap());
    good.write_skill("a", "A.").unwrap();
    good.commit().unwrap();
    let other = bad.create("other").unwrap();
    other.write_skill("b", "B.").unwrap();
    other.commit().unwrap();
    let sources = source(&good, &format!("}}, {{url: '{}'", other.url()), "");
    let (_files, api) = api(Backend::Sqlite, &sources).await;
    api.catalog.sync("ops").await.unwrap();
    assert_eq!((names(&api).await, status(&api).await.0.as_str()), (vec!["a".to_owned(), "b".to_owned()], "available"));

    bad.respond_with(Some(http::StatusCode::BAD_GATEWAY));
    good.write_skill("c", "C.").unwrap();
    good.commit().unwrap();
    api.catalog.sync("ops").await.unwrap();
    assert_eq!(names(&api).await, ["a", "b", "c"]);
    let (shown, error) = status(&api).await;
    assert_eq!(shown, "partially-available");
    assert!(error.ends_with("/other: the server responded with 502 Bad Gateway"), "{error}");

    // All are away.
    server.respond_with(Some(http::StatusCode::NOT_FOUND));
    api.catalog.sync("ops").await.unwrap();
    assert_eq!((names(&api).await.len(), status(&api).await.0.as_str()), (3, "partially-available"));

    bad.respond_with(None);
    server.respond_with(None);
    std::fs::remove_dir_all(other.directory().join("skills")).unwrap();
    other.commit().unwrap();
    let report = api.catalog.sync("ops").await.unwrap();
    assert_eq!((report.removed, status(&api).await), (1, ("available".to_owned(), String::new())));
    assert_eq!(names(&api).await, ["a", "c"]);
}

#[tokio::test]
async fn what_is_unchanged_is_not_fetched_after_a_restart_either() {
    let server = GitServer::start().await.unwrap();
    let repository = server.create("ops").unwrap();
    repository.write_skill("a", "A.").unwrap();
    repository.commit().unwrap();
    let (files, api) = api(Backend::Sqlite, &source(&repository, "", "")).await;
    api.catalog.sync("ops").await.unwrap();
    let restarted = model_registry_catalog::Catalog::new(api.store.clone(), super::settings(&files));
    restarted.load().await.unwrap();
    server.requests();
    let report = restarted.sync("ops").await.unwrap();
    assert_eq!(((report.written, report.removed), report.unchanged), (NO_CHANGE, 1));
    assert_eq!(server.requests().len(), 2);

    // Another configuration reads again what is published.
    files.write("sources.yaml", &source(&repository, ", category: New", ""));
    restarted.load().await.unwrap();
    restarted.sync("ops").await.unwrap();
    assert_eq!(skill(&api, "a").await["category"], "New");
}

async fn a_thousand_skills_are_read_once(backend: Backend) {
    let server = GitServer::start().await.unwrap();
    let repository = server.create("many").unwrap();
    for number in 0..1_000 {
        repository.write_skill(&format!("skill-{number:04}"), &format!("Skill {number}.")).unwrap();
    }
    repository.commit().unwrap();
    let (_files, api) = api(backend, &source(&repository, "", "")).await;
    let report = api.catalog.sync("ops").await.unwrap();
    assert_eq!(report.written, 1_000);
    let report = api.catalog.sync("ops").await.unwrap();
    assert_eq!((report.written, report.unchanged), (0, 1_000));
    assert_eq!(api.names(&format!("{LIST}?q=SKILL 99&pageSize=100")).await.len(), 11);
}

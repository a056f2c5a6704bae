//! Previews of sources of skills.

use model_registry_catalog::Settings;
use model_registry_testkit::{Backend, GitServer};
use serde_json::json;

use super::access;
use crate::preview::preview;
use crate::support::Api;

#[tokio::test]
async fn names_in_a_list_and_in_repositories_are_previewed() {
    let server = GitServer::start().await.unwrap();
    let repository = server.create("ops").unwrap();
    repository.write_skill("scale", "Adds replicas.").unwrap();
    repository.write_skill("x-draft", "Not ready.").unwrap();
    repository.commit().unwrap();
    let api = Api::on(Backend::Sqlite, Settings { hubs: access(), ..Settings::default() }).await;
    let of_git = |more: &str| {
        format!(
            "assetType: skills\ntype: git-skills-plugin\nproperties: {{repositories: [{{url: '{}', excludedSkills: ['*-draft']{more}}}]}}\n",
            repository.url()
        )
    };
    let list = ("catalogData", "skills: [{name: scale}, {name: x-draft}]");
    let of_list = "assetType: skills\ntype: yaml\nexcludedSkills: ['*-draft']\n";
    for parts in [vec![("config", of_git("").as_str())], vec![("config", of_list), list]] {
        let response = preview(&api, "", &parts).await;
        assert_eq!(response.status, 200, "{}", String::from_utf8_lossy(&response.bytes));
        let body = response.json();
        assert_eq!(body["items"], json!([{"included": true, "name": "scale"}, {"included": false, "name": "x-draft"}]));
        assert_eq!((&body["assetType"], &body["summary"]["totalAssets"]), (&json!("skills"), &json!(2)));
    }
    server.requests();
    for (config, expected) in [
        (of_git(", authSecretName: ops-git"), "a preview reads no variable of the server"),
        (of_git(", refs: [gone]"), "no branch or tag `gone`"),
        ("assetType: skills\ntype: git-skills-plugin\n".to_owned(), "no repositories configured"),
        (
            "assetType: skills\ntype: git-skills-plugin\nproperties: {yamlCatalogPath: /etc/passwd}\n".to_owned(),
            "files of the server are not read for a preview",
        ),
        (
            "assetType: skills\ntype: directory\nproperties: {path: /etc}\n".to_owned(),
            "files of the server are not read",
        ),
        ("assetType: skills\ntype: hf\n".to_owned(), "unsupported source type: hf"),
    ] {
        let response = preview(&api, "", &[("config", config.as_str())]).await;
        assert_eq!(response.status, 422, "{config}");
        assert!(response.message().contains(expected), "{config}: {}", response.message());
    }
    assert!(server.requests().iter().all(|request| request.authorization.is_none()));
    let strict = Api::on(Backend::Sqlite, Settings::default()).await;
    let config = of_git("");
    let response = preview(&strict, "", &[("config", config.as_str())]).await;
    assert!(response.message().contains("--allow-private-hubs"), "{}", response.message());
}

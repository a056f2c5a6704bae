//! What sources of type `git-skills-plugin` do not read, and what they never send.

use model_registry_testkit::git::skill as text;
use model_registry_testkit::{Backend, GitServer};

use super::{api, names, settings, source, state, status};
use crate::support::{Api, Files};

#[tokio::test]
async fn files_that_are_not_usable_skills_are_left_out_with_a_reason() {
    let server = GitServer::start().await.unwrap();
    for filters in ["true", "false"] {
        let repository = server.create(&format!("ops-{filters}")).unwrap();
        repository.git(&["config", "uploadpack.allowFilter", filters]).unwrap();
        repository.write_skill("good", "Good.").unwrap();
        repository.write("skills/mismatch/SKILL.md", text("other", "Another name.")).unwrap();
        repository.write("skills/binary/SKILL.md", [0_u8, 159, 146, 150]).unwrap();
        repository.write("skills/long/SKILL.md", text("long", &"x".repeat(1 << 20))).unwrap();
        repository
            .write("skills/pointer/SKILL.md", "version https://git-lfs.github.com/spec/v1\noid sha256:0\n")
            .unwrap();
        repository.write("secret.md", text("secret", "Elsewhere.")).unwrap();
        std::fs::create_dir_all(repository.directory().join("skills/link")).unwrap();
        std::os::unix::fs::symlink("../../secret.md", repository.directory().join("skills/link/SKILL.md")).unwrap();
        std::os::unix::fs::symlink("../skills", repository.directory().join("skills/again")).unwrap();
        // A submodule, and hooks and filters that would run in a working tree.
        let commit = repository.commit().unwrap();
        repository.git(&["update-index", "--add", "--cacheinfo", &format!("160000,{commit},skills/module")]).unwrap();
        repository.write(".gitattributes", "*.md filter=lfs diff=lfs\n").unwrap();
        repository
            .write(".gitmodules", format!("[submodule \"m\"]\npath = skills/module\nurl = {}\n", server.address()))
            .unwrap();
        repository.git(&["add", ".gitattributes", ".gitmodules"]).unwrap();
        repository.git(&["commit", "--quiet", "--message", "module"]).unwrap();
        server.requests();
        let (_files, api) = api(Backend::Sqlite, &source(&repository, "", "")).await;
        api.catalog.sync("ops").await.unwrap();
        assert_eq!(names(&api).await, ["good", "other"], "filters: {filters}");
        let (shown, error) = status(&api).await;
        assert_eq!(shown, "partially-available");
        for part in [
            "skills/binary/SKILL.md: SKILL.md has no YAML frontmatter",
            "skills/long/SKILL.md: larger than 1024 KiB, the limit of a SKILL.md",
            "skills/pointer/SKILL.md: SKILL.md has no YAML frontmatter",
            "skills/link/SKILL.md is left out: it is a symbolic link",
            "skills/mismatch/SKILL.md: frontmatter name \"other\" does not match directory \"mismatch\"",
        ] {
            assert!(error.contains(part), "{part}: {error}");
        }
        assert!(!error.contains("module"), "{error}");
        assert_eq!(server.requests().len(), 3, "capabilities, references and one fetch");
        // An unchanged sync reports the same.
        api.catalog.sync("ops").await.unwrap();
        assert_eq!(status(&api).await, (shown, error));
    }
}

#[tokio::test]
async fn credentials_are_sent_to_the_configured_host_only() {
    let (server, other) = (GitServer::start().await.unwrap(), GitServer::start().await.unwrap());
    let authorization = "Basic b3BzOmdlaGVpbQ==";
    for git in [&server, &other] {
        let repository = git.create("ops").unwrap();
        repository.write_skill("a", "A.").unwrap();
        repository.commit().unwrap();
    }
    let repository = server.create("ops").unwrap();
    server.require_authorization(authorization);
    let secret = ", authSecretName: ops-git";

    let (_files, without) = api(Backend::Sqlite, &source(&repository, "", "")).await;
    without.catalog.sync("ops").await.unwrap();
    let (shown, error) = status(&without).await;
    assert!(shown == "error" && error.contains("name its credentials with authSecretName"), "{error}");

    let (_files, missing) = api(Backend::Sqlite, &source(&repository, ", authSecretName: lost", "")).await;
    missing.catalog.sync("ops").await.unwrap();
    let error = status(&missing).await.1;
    assert!(error.contains("the variable GIT_CREDENTIALS_LOST is not set"), "{error}");

    let (_files, api) = api(Backend::Sqlite, &source(&repository, secret, "")).await;
    api.catalog.sync("ops").await.unwrap();
    assert_eq!((names(&api).await, status(&api).await.1), (vec!["a".to_owned()], String::new()));
    assert!(server.requests().iter().any(|request| request.authorization.as_deref() == Some(authorization)));

    // A redirect to another host is followed without them.
    server.redirect_to(&format!("http://{}", other.address()));
    api.catalog.sync("ops").await.unwrap();
    let requests = other.requests();
    assert!(!requests.is_empty(), "the redirect was followed");
    assert!(requests.iter().all(|request| request.authorization.is_none()), "{requests:?}");
    other.require_authorization(authorization);
    api.catalog.sync("ops").await.unwrap();
    let error = status(&api).await.1;
    assert!(error.contains("redirects to another host, which gets no credentials"), "{error}");
    assert!(!error.contains("geheim") && !error.contains("b3Bz"), "{error}");
    assert_eq!(names(&api).await, ["a"]);
}

#[tokio::test]
async fn only_allowed_addresses_are_read() {
    let (server, other) = (GitServer::start().await.unwrap(), GitServer::start().await.unwrap());
    let repository = server.create("ops").unwrap();
    repository.write_skill("a", "A.").unwrap();
    repository.commit().unwrap();
    let files = Files::new(&[("sources.yaml", &source(&repository, "", ""))]);
    let strict = model_registry_catalog::HubAccess::default();
    let listed =
        model_registry_catalog::HubAccess { repository_hosts: vec!["git.example".to_owned()], ..super::access() };
    for (access, expected) in [
        (strict, "repositories need https, or http with --allow-private-hubs"),
        (listed, "repositories of the host `127.0.0.1` are not allowed: add it to --git-hosts"),
    ] {
        let api = Api::on(Backend::Sqlite, model_registry_catalog::Settings { hubs: access, ..settings(&files) }).await;
        api.catalog.sync("ops").await.unwrap();
        let (shown, error) = status(&api).await;
        assert!(shown == "error" && error.contains(expected), "{error}");
    }
    assert_eq!(server.requests().len(), 0);

    // Redirects are checked, too.
    server.redirect_to(&format!("http://localhost:{}", other.address().port()));
    let listed =
        model_registry_catalog::HubAccess { repository_hosts: vec!["127.0.0.1".to_owned()], ..super::access() };
    let api = Api::on(Backend::Sqlite, model_registry_catalog::Settings { hubs: listed, ..settings(&files) }).await;
    api.catalog.sync("ops").await.unwrap();
    let error = status(&api).await.1;
    assert!(error.contains("a redirect: repositories of the host `localhost` are not allowed"), "{error}");
    assert_eq!(other.requests().len(), 0);
    server.redirect_to(&format!("http://{}/elsewhere?x=", server.address()));
    api.catalog.sync("ops").await.unwrap();
    assert!(status(&api).await.1.contains("redirects to something else"), "{}", status(&api).await.1);
}

#[tokio::test]
async fn mistakes_in_the_configuration_are_reported_with_their_place() {
    let properties = |properties: &str| {
        format!("skill_catalogs:\n- {{id: ops, name: O, type: git-skills-plugin, properties: {{{properties}}}}}\n")
    };
    let url = "url: 'https://git.example/x'";
    for (given, expected) in [
        ("", "no repositories configured: set \"repositories\" inline or \"yamlCatalogPath\""),
        ("repositories: []", "no repositories configured"),
        (
            &format!("trustTier: blessed, repositories: [{{{url}}}]"),
            "invalid trustTier \"blessed\": valid values are [platformProvided partnerVerified organizationApproved communityContributed]",
        ),
        (&format!("syncIntervalMinutes: -1, repositories: [{{{url}}}]"), "syncIntervalMinutes must not be negative"),
        (
            &format!("yamlCatalogPath: r.yaml, repositories: [{{{url}}}]"),
            "specify either \"repositories\" (inline) or \"yamlCatalogPath\" (file), not both",
        ),
        ("yamlCatalogPath: lost.yaml", "reading repositories file \"lost.yaml\""),
        ("repositories: [{refs: [main]}]", "repository[0]: url is required"),
        (
            &format!("repositories: [{{{url}}}, {{url: 'https://GIT.example/x.git/'}}]"),
            "duplicate repository url \"https://GIT.example/x.git/\" (equivalent to \"https://git.example/x\")",
        ),
        (
            &format!("repositories: [{{{url}, includedSkils: [a]}}]"),
            "invalid properties: unknown key `repositories[0].includedSkils`",
        ),
        (&format!("repositories: [{{{url}, includedSkills: ['']}}]"), "includedSkills[0]: pattern cannot be empty"),
        ("repositories: [{url: 'file:///etc'}]", "has no host"),
        ("repositories: [{url: 'https://me:geheim@git.example/x'}]", "has credentials in it"),
        (&format!("includedSkills: [a], repositories: [{{{url}}}]"), "unknown key `includedSkills`"),
    ] {
        let (_files, api) = api(Backend::Sqlite, &properties(given)).await;
        let state = state(&api, "ops").await;
        let error = state["error"].as_str().unwrap_or_default();
        assert!(state["status"] == "error" && error.contains(expected), "{given}: {state}");
        assert!(error.contains("sources.yaml:2:") && error.contains("skill source \"ops\": "), "{error}");
        assert!(!error.contains("geheim"), "{error}");
    }
    let (_files, disabled) =
        api(Backend::Sqlite, &properties("trustTier: blessed").replace("name: O", "enabled: false")).await;
    assert_eq!(state(&disabled, "ops").await["status"], "disabled");
}

#[tokio::test]
async fn repositories_of_a_file_are_read_like_those_of_the_sources_file() {
    let server = GitServer::start().await.unwrap();
    let repository = server.create("ops").unwrap();
    repository.write_skill("a", "A.").unwrap();
    repository.commit().unwrap();
    let inline = source(&repository, ", provider: Acme", "");
    let of_file = "skill_catalogs:\n- {id: ops, name: O, type: git-skills-plugin, properties: {trustTier: organizationApproved, yamlCatalogPath: repositories.yaml}}\n";
    let files = Files::new(&[
        ("sources.yaml", of_file),
        ("repositories.yaml", &format!("repositories:\n- {{url: '{}', provider: Acme}}\n", repository.url())),
    ]);
    let (_files, first) = api(Backend::Sqlite, &inline).await;
    let second = Api::on(Backend::Sqlite, settings(&files)).await;
    for api in [&first, &second] {
        api.catalog.sync("ops").await.unwrap();
    }
    let shown = async |api: &Api| {
        let mut skill = super::skill(api, "a").await;
        for member in ["id", "createTimeSinceEpoch", "lastUpdateTimeSinceEpoch"] {
            skill.as_object_mut().unwrap().remove(member);
        }
        skill
    };
    assert_eq!(shown(&first).await, shown(&second).await);

    for (text, expected) in [
        ("repositories: []\n", "at least one repository is required"),
        ("", "at least one repository is required"),
        ("repositories: [{url: 'https://x/y'}]\nother: 1\n", "parsing repositories file \"repositories.yaml\""),
    ] {
        files.write("repositories.yaml", text);
        second.catalog.load().await.unwrap();
        let (shown, error) = status(&second).await;
        assert!(shown == "error" && error.contains(expected), "{text}: {error}");
        assert_eq!(names(&second).await, ["a"], "what was published stays");
    }
}

#[tokio::test]
async fn a_server_of_an_older_protocol_is_named_with_what_to_do() {
    let server = GitServer::start().await.unwrap();
    let repository = server.create("ops").unwrap();
    repository.write_skill("good", "Good.").unwrap();
    repository.commit().unwrap();
    let (_files, api) = api(Backend::Sqlite, &source(&repository, "", "")).await;
    for (header, version) in [("", "0"), ("version=1", "1")] {
        server.override_protocol(header);
        api.catalog.sync("ops").await.unwrap();
        let (status, error) = status(&api).await;
        assert_eq!(status, "error", "{error}");
        let expected =
            format!("the server uses version {version} of the Git protocol, and only version 2 is supported");
        assert!(error.contains(&expected) && error.contains("2.18"), "{error}");
    }
    server.override_protocol("version=2");
    api.catalog.sync("ops").await.unwrap();
    assert_eq!(names(&api).await, ["good"]);
}

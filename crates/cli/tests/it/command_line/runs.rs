//! Every command, run once.

use model_registry_testkit::{Backend, TestDatabase, find_program};
use regex::Regex;

use crate::command_line::support::{Registry, command, shown};
use crate::support::{Client, MODELS, add_models, print_skipped, start_on};

#[tokio::test]
async fn models() {
    let registry = Registry::start().await;
    insta::assert_snapshot!(registry.transcript(
        r#"
        model-registry models create fraud-detector --owner risk --language en,de --property tier=gold --property n=5
        model-registry models create org/llm --description 'a large one' --output json
        model-registry models list
        model-registry models list --columns name,owner,tier
        model-registry models list --output name
        model-registry models list --output json --limit 1
        model-registry models list --output yaml --filter "owner = 'risk'"
        model-registry models list --order-by created --descending --limit 1 --output name
        model-registry models get fraud-detector
        model-registry models get id:2 --output name
        model-registry models update fraud-detector --property tier=silver --remove-property n --clear owner
        model-registry models get fraud-detector --columns name,owner,tier,customProperties.n
        model-registry models archive fraud-detector --yes
        model-registry models list --state archived --output name
        model-registry models update fraud-detector --state live --output yaml
        "#
    ));
}

#[tokio::test]
async fn versions_and_artifacts() {
    let registry = Registry::start().await;
    insta::assert_snapshot!(registry.transcript(
        r"
        model-registry register org/llm v1 --uri s3://models/llm/1 --model-format-name onnx --property accuracy=0.93
        model-registry register org/llm v2 --output name
        model-registry register org/llm v3 --author ada --archived --output yaml
        model-registry versions create org/llm/v4 --author ada
        model-registry versions create v/5 --model org/llm
        model-registry versions list
        model-registry versions list --model org/llm --filter 'accuracy > 0.9' --output name
        model-registry versions list --state ARCHIVED --columns parent,name,state
        model-registry versions get v/5 --model org/llm --output name
        model-registry versions update org/llm/v2 --description 'the second' --output json
        model-registry versions archive org/llm/v2 -y
        model-registry artifacts create card --type doc-artifact --version org/llm/v1 --uri https://example.com/card
        model-registry artifacts create org/llm/v1/seed --type parameter --value 5 --parameter-type number
        model-registry artifacts create loose --uri s3://elsewhere
        model-registry artifacts list
        model-registry artifacts list --version org/llm/v1 --type doc-artifact --output name
        model-registry artifacts get org/llm/v1/model
        model-registry artifacts update card --version org/llm/v1 --property reviewed=true
        model-registry artifacts archive org/llm/v1/card --yes --output yaml
        "
    ));
}

#[tokio::test]
async fn experiments_runs_and_metrics() {
    let registry = Registry::start().await;
    insta::assert_snapshot!(registry.transcript(
        r#"
        model-registry experiments create tuning --owner ada
        model-registry experiments list
        model-registry experiments get tuning --output yaml
        model-registry experiments update tuning --description 'learning rates'
        model-registry runs create tuning/first --owner ada --start-time 1700000000000
        model-registry runs create --experiment tuning --status scheduled
        model-registry runs list --experiment tuning --filter "status = 'RUNNING'"
        model-registry runs update tuning/first --status finished --end-time 1700000001000
        model-registry runs get tuning/first
        model-registry metrics log tuning/first loss 1 --step 0 --timestamp 1700000000000
        model-registry metrics log tuning/first loss 0.25 --step 1
        model-registry metrics log tuning/first loss -.5 --step 2 --output json
        model-registry metrics list tuning/first
        model-registry metrics plot tuning/first loss --width 20 --height 5
        model-registry metrics plot tuning/first loss --output yaml | grep -c step
        model-registry runs archive tuning/first --yes
        model-registry experiments archive tuning --yes
        "#
    ));
}

#[tokio::test]
async fn environments_and_services() {
    let registry = Registry::start().await;
    insta::assert_snapshot!(registry.transcript(
        r"
        model-registry register fraud v1 --output name
        model-registry environments create production --external-id cluster-1
        model-registry environments list
        model-registry environments get production
        model-registry environments update production --clear external-id
        model-registry services create production/fraud --model fraud --version fraud/v1 --runtime onnxruntime
        model-registry services create --environment production --model fraud --output json
        model-registry services list --environment production --columns id,parent,desiredState,modelVersionId
        model-registry services get production/fraud
        model-registry services update production/fraud --clear runtime --version fraud/v1
        model-registry services archive production/fraud --yes
        model-registry services list --state undeployed --output name
        "
    ));
}

#[tokio::test]
async fn search_open_and_completion() {
    let registry = Registry::start().await;
    insta::assert_snapshot!(registry.transcript(
        r"
        model-registry register Fraud-50% v1 --uri s3://models/fraud --artifact-name fraud-weights --output name
        model-registry experiments create fraud --output name
        model-registry models create frauds --output name
        model-registry search FRAUD
        model-registry search 0% --output name
        model-registry search fraud --kind experiments,models --limit 1 --output yaml
        model-registry search nothing
        model-registry open models frauds
        model-registry open versions 'Fraud-50%/v1' --print
        model-registry completion bash | grep -o 'complete -F [^ ]*' | head -1
        model-registry completion zsh | head -1
        model-registry completion fish | grep -c no-files
        "
    ));
}

#[tokio::test]
async fn export_import_and_watch() {
    let registry = Registry::start().await;
    let database = registry.server.directory().join("registry.db");
    let export = |file: &str| format!("model-registry export {file} --database sqlite:{}", database.display());
    let transcript = registry.transcript(&format!(
        "
        model-registry register fraud v1 --uri s3://models/fraud --output name
        model-registry models update fraud --description changed --output name
        {watch}
        model-registry watch --after many
        {export}
        {export}
        {export} --force
        model-registry import all.jsonl --database sqlite:copy.db
        model-registry import all.jsonl --database sqlite:copy.db
        model-registry register other v1 --output name
        {export_other}
        model-registry import other.jsonl --database sqlite:copy.db
        model-registry import nothing.jsonl --database sqlite:copy.db
        model-registry export - --database sqlite:copy.db | wc -l
        model-registry export nothing/all.jsonl --database sqlite:copy.db
        model-registry export all.jsonl --database sqlite:nothing.db
        ",
        watch = ": > seen; model-registry watch --after 0 >> seen & \
                 for n in $(seq 600); do [ $(wc -l < seen) -ge 4 ] && break; sleep 0.1; done; kill $!; cat seen",
        export = export("all.jsonl"),
        export_other = export("other.jsonl"),
    ));
    let transcript = transcript.replace(&registry.server.directory().display().to_string(), "~");
    insta::assert_snapshot!(Regex::new("[0-9a-f]{64}").unwrap().replace_all(&transcript, "DIGEST"));
}

#[tokio::test]
async fn config() {
    let registry = Registry::start().await;
    insta::assert_snapshot!(registry.transcript(
        r"
        model-registry config show | grep -e KEY -e ^port -e ^limits -e ^client.server | tr -s ' '
        MR_LIMITS_MAX_BODY=1MiB model-registry config show --output yaml | grep -A2 limits.max-body
        MR_LIMTS_MAX_BODY=1MiB model-registry config show --output name | grep ^cors
        MR_PORT=tcp://10.0.0.1:80 model-registry config show | grep ^port | tr -s ' '
        model-registry config reference | sed -n '/^## Change feed/,/^## Cross/p'
        model-registry config reference --format example | grep -B2 'port ='
        model-registry config reference --format schema | head -4
        model-registry config reference --format word
        "
    ));
}

#[tokio::test]
async fn names_that_look_like_ids_or_terminal_codes_are_handled_as_names() {
    let registry = Registry::start().await;
    insta::assert_snapshot!(registry.transcript(
        r#"
        model-registry models create name:7
        model-registry models create name:id:8
        model-registry models create "$(printf 'red\033[31m\nname')"
        model-registry models list --columns name
        model-registry models list --output name
        model-registry models get name:7 --output name
        model-registry models get 7
        "#
    ));
}

#[tokio::test]
async fn a_list_is_complete_and_a_closed_pipe_ends_it() {
    let registry = Registry::start().await;
    let create = "for n in 1 2 3 4 5 6 7; do model-registry models create model-$n --output name; done | wc -l";
    insta::assert_snapshot!(registry.transcript(&format!(
        "{create}
        model-registry models list --output name | head -2
        model-registry models list --output name --limit 3
        model-registry models list --output json | grep -c '\"name\"'
        model-registry versions list --output json
        model-registry versions list"
    )));
}

#[tokio::test]
async fn a_list_longer_than_a_server_page_is_complete_without_duplicates() {
    let home = tempfile::tempdir().unwrap();
    let database = TestDatabase::create(Backend::Sqlite).await.unwrap();
    let server = start_on(&database).await;
    add_models(&database, &Client::of(&server)).await;
    let list = |arguments: &[&str]| {
        let list = ["models", "list", "--server", &server.base_url(), "--output", "name"];
        let output = command(home.path()).args(list).args(arguments).output().unwrap();
        assert!(output.status.success(), "{}", shown(&output));
        String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect::<Vec<_>>()
    };
    let expected: Vec<String> =
        std::iter::once("seed".to_owned()).chain((1..MODELS).map(|n| format!("m{n}"))).collect();
    assert_eq!(list(&[]), expected);
    assert_eq!(list(&["--limit", "1001"]), expected[..1_001]);
    let reversed: Vec<String> = expected.iter().rev().cloned().collect();
    assert_eq!(list(&["--order-by", "created", "--descending"]), reversed);
    let filtered: Vec<&String> = expected.iter().filter(|name| name.starts_with("m1")).collect();
    assert_eq!(list(&["--filter", "name LIKE 'm1%'"]).iter().collect::<Vec<_>>(), filtered);
    assert!(filtered.len() > 1_000);
}

#[test]
fn shells_accept_the_completion_scripts() {
    let home = tempfile::tempdir().unwrap();
    for (shell, check) in [("bash", "-n"), ("zsh", "-n"), ("fish", "--no-execute")] {
        let script = command(home.path()).args(["completion", shell]).output().unwrap();
        assert!(script.status.success() && !script.stdout.is_empty(), "{shell}");
        let file = home.path().join(shell);
        std::fs::write(&file, script.stdout).unwrap();
        if find_program(shell, &[]).is_none() {
            print_skipped(&format!("the completion script for {shell} is not checked: it is not installed here"));
            continue;
        }
        let checked = std::process::Command::new(shell).arg(check).arg(&file).output().unwrap();
        assert!(checked.status.success() && checked.stderr.is_empty(), "{shell}: {}", shown(&checked));
    }
}

#[tokio::test]
async fn config_show_masks_secrets_and_names_origins() {
    let registry = Registry::start().await;
    let mut command = registry.command();
    command.args(["config", "show"]).env("MR_DATABASE", "postgres://u:hunter2@db/models").env("MR_TOKEN", "hunter2");
    let text = shown(&command.output().unwrap());
    assert!(!text.contains("hunter2"), "{text}");
    let rows: Vec<Vec<&str>> = text.lines().map(|line| line.split_whitespace().collect()).collect();
    let row = |key: &str| rows.iter().find(|row| row[0] == key).unwrap_or_else(|| panic!("no {key}: {text}"));
    assert_eq!(row("database")[1..], ["postgres://u:***@db/models", "MR_DATABASE"]);
    assert_eq!(row("port")[1..], ["8080", "default"]);
    assert_eq!(row("client.token")[1..], ["***", "MR_TOKEN"]);
    assert_eq!(row("client.server")[2], "MR_SERVER");
    let json = registry.command().args(["config", "show", "--output", "json"]).output().unwrap().stdout;
    let settings: serde_json::Value = serde_json::from_slice(&json).unwrap();
    assert_eq!(settings["log.level"]["origin"], "default");
}

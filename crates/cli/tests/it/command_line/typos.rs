//! Mistakes in arguments: each is refused with what was wrong, instead of having another effect.

use crate::command_line::support::Registry;

#[tokio::test]
async fn mistakes_in_arguments_are_refused() {
    let registry = Registry::start().await;
    registry.transcript(
        r"
        model-registry register a v1 --uri s3://a
        model-registry register b v1 --uri s3://b --property accuracy=0.9
        model-registry environments create production
        ",
    );
    insta::assert_snapshot!(registry.transcript(
        r#"
        model-registry models create x --property foo:integer=5
        model-registry models create x --property foo=1 --property foo=2
        model-registry models update a --property foo=1 --remove-property foo
        model-registry models list --columns nme
        model-registry models list --columns name,tier
        model-registry models list --columns name,customProperties.tier
        model-registry models list --columns name,
        model-registry models list --filter "name = 'none'" --columns ownr
        model-registry versions list --columns id,accuracy
        model-registry search a --columns knd
        model-registry register a v2 --columns id
        model-registry config show --columns key
        model-registry versions list --model 999
        model-registry artifacts list --version 999
        model-registry runs list --experiment id:999
        model-registry metrics list 999
        model-registry open models 999
        model-registry register a v2
        model-registry register a v3 --quiet
        model-registry register 7 v1
        model-registry register id:1 v1
        model-registry models create 7
        model-registry models create name:7
        model-registry versions get id:2 --model b
        model-registry versions get 2 --model b
        model-registry services create production/x --model a --version b/v1
        model-registry services create production/x --model a --version a/v1
        model-registry services update production/x --version b/v1
        model-registry services list --model 999
        model-registry models list --filter ''
        model-registry models list --order-by nme
        model-registry models list --state lve
        model-registry models list --limit -1
        model-registry models list --limit 0
        model-registry models create ''
        model-registry models create x --owner a --owner b
        model-registry versions list --model ''
        model-registry search '' --kind models
        model-registry search a --kind modls
        model-registry models list --server ''
        model-registry models list --profile ''
        model-registry models list --server http://127.0.0.1:1/api/model_registry/v1alpha3
        "#
    ));
}

#[tokio::test]
async fn mistakes_in_arguments_of_catalog_commands_are_refused() {
    let registry = Registry::with_catalog().await;
    insta::assert_snapshot!(registry.transcript(
        "
        model-registry catalog list --source sample_modls
        model-registry catalog list --order-by nme
        model-registry catalog list --order-by ttft_p90
        model-registry catalog list --columns nme
        model-registry catalog list --search ''
        model-registry catalog servers --columns vresion
        model-registry catalog sources --columns id,stats
        model-registry catalog search chat --columns knd
        model-registry catalog tools harbour-kubernetes --columns acess
        "
    ));
}

#[tokio::test]
async fn services_and_deployments_name_models_and_versions() {
    let registry = Registry::start().await;
    insta::assert_snapshot!(registry.transcript(
        "
        model-registry register a v1 --quiet
        model-registry register a v2 --quiet
        model-registry register b v1 --quiet
        model-registry environments create production
        model-registry services create production/pinned --model a --version a/v1
        model-registry services create production/newest --model a
        model-registry services create production/other --model b --version b/v1
        model-registry services create production/old --model a --version a/v1 --desired-state undeployed
        model-registry services list
        model-registry services list --model a --version a/v1 --output name
        model-registry models deployments a
        model-registry models deployments a --all --columns name,desiredState
        model-registry models deployments b --output name
        model-registry versions deployments a/v1
        model-registry versions deployments a/v2 --output name
        model-registry versions deployments v1 --model b --output name
        model-registry models deployments nothing
        "
    ));
}

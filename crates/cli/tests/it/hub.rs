//! Validates the fake hub with the published `huggingface_hub` package.

use std::time::Duration;

use model_registry_testkit::HubServer;
use model_registry_testkit::hub::Planned;

use crate::python_client::{complete, interpreter};

const PACKAGE: &str = "MR_TEST_HUGGINGFACE_HUB";

#[tokio::test]
async fn the_huggingface_hub_package_works_with_the_fake_hub() {
    let Some(python) = interpreter(PACKAGE, "hub.py") else { return };
    let hub = HubServer::start().await.unwrap();
    for number in 0..5 {
        hub.publish(&format!("org/m{number}"), 1);
    }
    hub.publish_file("org/m0", "config.json", "{}", None);
    hub.publish_file("org/m0", "weights/w.bin", vec![7; 300_000], Some(format!("{:064x}", 7)));
    hub.publish("org/secrets", 1);
    hub.gate("org/secrets");
    hub.publish("org/private", 1);
    hub.hide("org/private");
    let busy = || {
        let limits = [("ratelimit", "\"api\";r=0;t=1"), ("ratelimit-policy", "\"fixed window\";\"api\";q=500;w=300")];
        Planned::Busy(limits.map(|(name, value)| (name, value.to_owned())).into())
    };
    hub.plan("/api/models/org/limited", std::iter::repeat_with(busy).take(50).collect());
    hub.slow_down(Duration::from_millis(20));
    let output = complete(&python, "hub.py", &hub.base_url()).await;
    assert!(output.0.success(), "hub.py: {}\n{}\nrequests: {:?}", output.0, output.1, hub.requests());
}

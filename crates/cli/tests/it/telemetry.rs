//! Traces and metrics that the running executable sends to a collector.

use model_registry_testkit::CollectorServer;
use serde_json::json;

use crate::support::{Client, role_on, run_in};

#[tokio::test]
async fn traces_and_metrics_are_sent_to_the_configured_collector() {
    for role in ["server", "up"] {
        let collector = CollectorServer::start().await.unwrap();
        let settings =
            ["--telemetry-otlp-endpoint", collector.base_url(), "--telemetry-service-name", "registry-under-test"];
        let mut server = role_on(role, "sqlite:x.db").arguments(settings).start().await.unwrap();
        let (trace, span) = (0x4bf9_2f35_77b3_4da6_a3ce_929d_0e0e_4736_u128, 0x00f0_67aa_0ba9_02b7_u64);
        let caller = format!("00-{trace:032x}-{span:016x}-01");
        let model = json!({"name": "m"});
        let headers = [("traceparent", caller.as_str())];
        let response = Client::of(&server).call("POST", "registered_models", &headers, Some(&model)).await.unwrap();
        assert_eq!(response.status, 201, "{role}: {response:?}");
        // The rest is sent before the process ends.
        assert!(server.terminate().await.unwrap().success(), "{role}: {}", server.log());

        for (signal, bytes) in [
            ("traces", &b"registry-under-test"[..]),
            ("traces", b"POST /api/model_registry/v1alpha3/registered_models"),
            ("traces", &trace.to_be_bytes()),
            ("traces", &span.to_be_bytes()),
            ("metrics", b"registry-under-test"),
            ("metrics", b"http.server.request.duration"),
            ("metrics", b"model_registry.database_statements"),
        ] {
            let text = String::from_utf8_lossy(bytes);
            assert!(collector.has_received(signal, bytes), "{role}: {signal} without {text}\n{}", server.log());
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transfer_sends_its_metrics_and_spans_and_writes_no_log() {
    let collector = CollectorServer::start().await.unwrap();
    let home = tempfile::tempdir().unwrap();
    std::fs::write(home.path().join("weights.bin"), "content").unwrap();
    let variables =
        [("MR_TELEMETRY_OTLP_ENDPOINT", collector.base_url()), ("MR_TELEMETRY_SERVICE_NAME", "copy-under-test")];
    let arguments = ["transfer", "weights.bin", "copy.bin", "--quiet"];
    let run = run_in(home.path(), &arguments, &variables).await;
    assert_eq!((run.code, run.errors.as_str()), (Some(0), ""), "{run:?}");
    for (signal, text) in [
        ("traces", "copy-under-test"),
        ("traces", "copy_file"),
        ("traces", "weights.bin"),
        ("traces", "publish"),
        ("metrics", "model_registry.transfer_bytes"),
        ("metrics", "model_registry.transfer_files"),
    ] {
        assert!(collector.has_received(signal, text.as_bytes()), "{signal} without {text}");
    }
    let failed = run_in(home.path(), &["transfer", "missing", "copy", "--quiet"], &variables).await;
    assert_eq!(failed.code, Some(3), "{failed:?}");
    assert!(collector.has_received("traces", b"missing: not found"), "a failure is part of the trace");
}

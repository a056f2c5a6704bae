// Servers for the examples in the documentation, which include this file in hidden lines.

async fn registry() -> String {
    let registry = model_registry_registry::Registry::new(store().await);
    serve(model_registry_registry::router(registry)).await
}

async fn catalog() -> String {
    let sources = vec![model_registry_catalog::sample_sources()];
    let settings = model_registry_catalog::Settings { sources, ..Default::default() };
    let catalog = model_registry_catalog::Catalog::new(store().await, settings);
    catalog.load().await.expect("the sample loads");
    serve(model_registry_catalog::router(catalog)).await
}

async fn store() -> model_registry_store::Store {
    use model_registry_base::Clock;
    use model_registry_store::{DatabaseUrl, PoolOptions, Store};
    let source = DatabaseUrl::Sqlite { path: None };
    Store::connect(&source, PoolOptions::default(), Clock::system()).await.expect("a database in memory opens")
}

async fn serve(router: axum::Router) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
    let address = listener.local_addr().expect("a listener has an address");
    tokio::spawn(async move { axum::serve(listener, router).await });
    format!("http://{address}")
}

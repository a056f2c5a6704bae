use axum::body::Body;
use futures::stream;
use http_body_util::BodyExt;
use model_registry_base::MemoryBudget;

use super::*;

fn limits(places: usize) -> BodyLimits {
    BodyLimits {
        size: 100 * 1024,
        rate: BodyRate { grace: Duration::from_secs(10), bytes_per_second: 1024 },
        memory: MemoryBudget::new(1024 * 1024),
        places: Arc::new(Semaphore::new(places)),
    }
}

/// A body of pieces, each after a pause.
fn slow(piece: usize, count: usize, pause: Duration) -> Body {
    Body::from_stream(stream::unfold(0, move |sent| async move {
        if sent == count {
            return None;
        }
        tokio::time::sleep(pause).await;
        Some((Ok::<_, std::io::Error>(Bytes::from(vec![b'x'; piece])), sent + 1))
    }))
}

fn post(body: Body) -> Request {
    Request::post("/").body(body).unwrap()
}

async fn read(body: Body, limits: &BodyLimits) -> (Result<usize, ApiError>, Arc<Admission>) {
    let (request, admission) = limit(post(body), limits).unwrap();
    let collected = request.into_body().collect().await;
    let result = match (admission.error(limits), collected) {
        (Some(error), _) => Err(error),
        (None, collected) => Ok(collected.unwrap().to_bytes().len()),
    };
    (result, admission)
}

#[tokio::test(start_paused = true)]
async fn a_place_is_taken_when_the_body_is_complete() {
    let limits = limits(1);
    let (request, slow_admission) = limit(post(slow(10, 2, Duration::from_secs(1))), &limits).unwrap();
    let mut slow_body = request.into_body();
    slow_body.frame().await.unwrap().unwrap();
    // The place is free until the slow body has ended.
    let (fast, fast_admission) = read(Body::from("fast"), &limits).await;
    assert_eq!(fast.unwrap(), 4);
    assert!(limit(Request::new(Body::empty()), &limits).is_err());
    let rest = slow_body.collect().await;
    assert!(rest.is_err());
    assert_eq!(slow_admission.error(&limits).unwrap().status(), 503);
    drop(fast_admission);
    assert!(limit(Request::new(Body::empty()), &limits).is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_body_below_the_minimum_rate_is_rejected() {
    let limits = limits(1);
    let (trickled, _) = read(slow(1, 100, Duration::from_secs(1)), &limits).await;
    let error = trickled.unwrap_err();
    assert_eq!(error.status(), 408);
    assert_eq!(
        error.to_string(),
        "the request body arrives too slowly: after 10 s, at least 1024 bytes per second are required"
    );
    let (steady, _) = read(slow(2048, 40, Duration::from_secs(1)), &limits).await;
    assert_eq!(steady.unwrap(), 40 * 2048);
}

#[tokio::test(start_paused = true)]
async fn bodies_share_the_memory_and_return_it() {
    let limits = limits(100);
    let mut held = Vec::new();
    // A quarter of the budget is for bodies, and a quarter of this for small ones.
    for _ in 0..2 {
        let (request, admission) = limit(post(slow(90 * 1024, 2, Duration::ZERO)), &limits).unwrap();
        let mut body = request.into_body();
        body.frame().await.unwrap().unwrap();
        held.push((body, admission));
    }
    let (refused, _) = read(Body::from(vec![b'x'; 90 * 1024]), &limits).await;
    assert_eq!(refused.unwrap_err().status(), 503);
    assert_eq!(read(Body::from(vec![b'x'; SMALL]), &limits).await.0.unwrap(), SMALL);
    held.pop();
    assert_eq!(read(Body::from(vec![b'x'; 90 * 1024]), &limits).await.0.unwrap(), 90 * 1024);
    held.clear();
    let memory = &limits.memory;
    assert_eq!((memory.bodies.used(), memory.work.used(), memory.small_work.used()), (0, 0, 0));
}

#[tokio::test(start_paused = true)]
async fn large_bodies_wait_for_the_memory_of_the_work_on_them_and_small_ones_do_not() {
    let limits = limits(100);
    let (first, first_admission) = read(Body::from(vec![b'x'; 70 * 1024]), &limits).await;
    assert_eq!((first.unwrap(), limits.memory.work.used()), (70 * 1024, limits.memory.work.size()));
    let mut second = Box::pin(read(Body::from(vec![b'x'; 70 * 1024]), &limits));
    assert!(futures::poll!(&mut second).is_pending());
    assert_eq!(read(Body::from("small"), &limits).await.0.unwrap(), 5);
    drop(first_admission);
    assert_eq!(second.await.0.unwrap(), 70 * 1024);
}

#[tokio::test]
async fn a_body_over_the_limit_is_rejected_with_and_without_its_length() {
    let limits = limits(1);
    let announced = limit(post(Body::from(vec![b'x'; 100 * 1024 + 1])), &limits);
    assert_eq!(announced.err().unwrap().status(), 413);
    let (streamed, _) = read(slow(60 * 1024, 2, Duration::ZERO), &limits).await;
    assert_eq!(streamed.unwrap_err().status(), 413);
}

#[tokio::test]
async fn a_request_whose_body_is_not_waited_for_takes_its_place_at_once() {
    let limits = limits(1);
    let get = || Request::get("/").body(slow(10, 2, Duration::from_secs(1))).unwrap();
    let first = limit(get(), &limits).unwrap();
    assert_eq!(limit(get(), &limits).err().unwrap().status(), 503);
    drop(first);
    assert!(limit(get(), &limits).is_ok());
}

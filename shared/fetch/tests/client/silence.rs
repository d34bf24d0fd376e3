//! Hosts that take their time. The clock stands still, and jumps where nothing else can happen any more: it is
//! stopped only once all that a host will ever say has arrived.

use std::time::Duration;

use fetch::{ANSWER_TIMEOUT, Error, Fault, SILENCE_TIMEOUT};
use futures_util::StreamExt;
use tokio::time::{self, Instant};

use crate::harness::{AfterAnswer, Site};

const MINUTE: Duration = Duration::from_mins(1);

/// A site that announces more than the four bytes that it sends.
async fn stalling_site() -> Site {
    Site::new(|_| "HTTP/1.1 200 OK\r\ncontent-length: 8\r\n\r\n0123".to_owned(), AfterAnswer::Hold).await
}

/// A site that reads requests and never answers.
async fn silent_site() -> Site {
    Site::new(|_| String::new(), AfterAnswer::Hold).await
}

/// Stops the clock as soon as `site` is asked something.
fn stop_clock_once_asked(site: &Site) {
    let site = site.clone();
    tokio::spawn(async move {
        while site.heads().is_empty() {
            tokio::task::yield_now().await;
        }
        time::pause();
    });
}

#[tokio::test]
async fn a_host_that_never_answers_is_given_up() {
    let site = silent_site().await;
    let (client, address) = (site.client(), site.url("/"));
    let start = Instant::now();

    stop_clock_once_asked(&site);
    let peeked = client.peek(&address, 0, 64).await;
    let peeked_at = Instant::now();
    let download = client.download(&address, 8, peeked_at + MINUTE).await;

    assert!(matches!(peeked, Err(Error::Unreachable(Fault::Timeout))), "{peeked:?}");
    assert!(matches!(download, Err(Error::Unreachable(Fault::Timeout))), "{download:?}");
    for wait in [peeked_at - start, peeked_at.elapsed()] {
        assert!((ANSWER_TIMEOUT..ANSWER_TIMEOUT * 2).contains(&wait), "{wait:?}");
    }
}

#[tokio::test]
async fn the_time_to_answer_is_for_all_redirects_together() {
    let site = silent_site().await;
    let address = site.url("/");
    let first = Site::with_answer(&format!("HTTP/1.1 302 Found\r\nlocation: {address}\r\n\r\n")).await;
    let allowed = format!("{},{}", site.authority, first.authority);
    let client = crate::harness::client(&allowed, crate::harness::FakeResolver::default());
    let (start, address) = (Instant::now(), first.url("/"));

    stop_clock_once_asked(&site);
    let outcome = client.peek(&address, 0, 64).await;

    assert!(matches!(outcome, Err(Error::Unreachable(Fault::Timeout))), "{outcome:?}");
    assert!((ANSWER_TIMEOUT..ANSWER_TIMEOUT * 2).contains(&start.elapsed()));
}

#[tokio::test]
async fn a_deadline_before_the_answer_counts() {
    let site = silent_site().await;
    let (client, address) = (site.client(), site.url("/"));
    let deadline = Instant::now() + Duration::from_secs(3);

    stop_clock_once_asked(&site);
    let outcome = client.download(&address, 8, deadline).await;

    assert!(matches!(outcome, Err(Error::Unreachable(Fault::Timeout))), "{outcome:?}");
    assert!(Instant::now() < deadline + Duration::from_secs(1));
}

#[tokio::test]
async fn a_body_that_stalls_is_cut() {
    let site = stalling_site().await;
    let download = site.client().download(&site.url("/"), 8, Instant::now() + MINUTE).await.unwrap();
    let mut body = Box::pin(download.into_body());
    assert_eq!(body.next().await.unwrap().unwrap().as_ref(), b"0123");
    time::pause();
    let start = Instant::now();

    let next = body.next().await.unwrap();

    assert!(matches!(next, Err(Error::Cut(Fault::Silent))), "{next:?}");
    assert!((SILENCE_TIMEOUT..SILENCE_TIMEOUT * 2).contains(&start.elapsed()));
    assert!(body.next().await.is_none());
}

#[tokio::test]
async fn a_body_is_cut_at_its_deadline() {
    let site = stalling_site().await;
    let deadline = Instant::now() + SILENCE_TIMEOUT / 2;
    let download = site.client().download(&site.url("/"), 8, deadline).await.unwrap();
    let mut body = Box::pin(download.into_body());
    assert_eq!(body.next().await.unwrap().unwrap().as_ref(), b"0123");
    time::pause();

    let next = body.next().await.unwrap();

    assert!(matches!(next, Err(Error::Cut(Fault::Timeout))), "{next:?}");
    assert!(Instant::now() < deadline + Duration::from_secs(1));
}

#[tokio::test]
async fn a_body_that_always_has_more_is_cut_at_its_deadline_too() {
    let answer = format!("HTTP/1.1 200 OK\r\n\r\n{}", "0123456789".repeat(400_000));
    let site = Site::with_answer(&answer).await;
    let download = site.client().download(&site.url("/"), u64::MAX, Instant::now() + MINUTE).await.unwrap();
    let mut body = Box::pin(download.into_body());
    assert!(body.next().await.unwrap().is_ok());
    time::pause();
    time::advance(MINUTE).await;

    let next = body.next().await.unwrap();

    assert!(matches!(next, Err(Error::Cut(Fault::Timeout))), "{next:?}");
}

#[tokio::test]
async fn a_reader_may_take_its_time() {
    let answer = format!("HTTP/1.1 200 OK\r\n\r\n{}", "0123456789".repeat(400_000));
    let site = Site::with_answer(&answer).await;
    let download = site.client().download(&site.url("/"), u64::MAX, Instant::now() + MINUTE).await.unwrap();
    let mut body = Box::pin(download.into_body());
    let mut received = body.next().await.unwrap().unwrap().len();
    time::pause();
    time::advance(SILENCE_TIMEOUT * 2).await;
    time::resume();

    while let Some(piece) = body.next().await {
        received += piece.unwrap().len();
    }

    assert_eq!(received, 4_000_000);
}

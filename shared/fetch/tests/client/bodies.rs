//! Reading files: whole ones, large ones, and those that are not what they say.

use std::time::Duration;

use bytes::Bytes;
use fetch::{Download, Error, Fault};
use futures_util::{Stream, StreamExt};
use tokio::time::Instant;

use crate::harness::{AfterAnswer, Site, full_text};

const MAX_BYTES: u64 = 10;

async fn open(site: &Site) -> Result<Download, Error> {
    site.client().download(&site.url("/secret"), MAX_BYTES, Instant::now() + Duration::from_mins(1)).await
}

/// All that comes, and the error it ends with, if it does. After that nothing may come.
async fn read_to_end(body: impl Stream<Item = Result<Bytes, Error>>) -> (Vec<u8>, Option<Error>) {
    let (mut body, mut received) = (Box::pin(body), Vec::new());
    while let Some(piece) = body.next().await {
        match piece {
            Ok(piece) => received.extend_from_slice(&piece),
            Err(error) => {
                assert!(body.next().await.is_none());
                return (received, Some(error));
            }
        }
    }
    (received, None)
}

#[tokio::test]
async fn a_file_comes_as_it_is() {
    let answer = "HTTP/1.1 200 OK\r\ncontent-type: Image/PNG; a=b\r\ncontent-length: 10\r\n\r\n0123456789";
    let site = Site::with_answer(answer).await;

    let download = open(&site).await.unwrap();

    assert_eq!((download.content_type.as_deref(), download.bytes), (Some("image/png"), Some(10)));
    assert!(!format!("{download:?}").contains("secret"), "{download:?}");
    let (received, error) = read_to_end(download.into_body()).await;
    assert_eq!((received.as_slice(), error.is_none()), (b"0123456789".as_slice(), true));
    assert!(site.heads()[0].starts_with("get /secret http/1.1\r\n") && !site.heads()[0].contains("range"));
}

#[tokio::test]
async fn a_file_of_unknown_size_comes_too() {
    for (headers, body) in
        [("", "0123456789"), ("transfer-encoding: chunked\r\n", "4\r\n0123\r\n6\r\n456789\r\n0\r\n\r\n")]
    {
        let site = Site::with_answer(&format!("HTTP/1.1 200 OK\r\n{headers}\r\n{body}")).await;

        let download = open(&site).await.unwrap();

        assert_eq!((download.content_type.as_deref(), download.bytes), (None, None));
        let (received, error) = read_to_end(download.into_body()).await;
        assert_eq!((received.as_slice(), error.is_none()), (b"0123456789".as_slice(), true));
    }
}

#[tokio::test]
async fn nothing_is_unpacked() {
    let answer = "HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 4\r\n\r\nabcd";
    let site = Site::with_answer(answer).await;

    let (received, error) = read_to_end(open(&site).await.unwrap().into_body()).await;

    assert_eq!((received.as_slice(), error.is_none()), (b"abcd".as_slice(), true));
}

#[tokio::test]
async fn a_file_that_says_it_is_too_large_is_not_read() {
    for size in ["11", "2147483649", "9223372036854775808"] {
        let site = Site::with_answer(&format!("HTTP/1.1 200 OK\r\ncontent-length: {size}\r\n\r\n0123")).await;

        let error = open(&site).await.unwrap_err();

        assert!(matches!(error, Error::TooLarge { max_bytes: MAX_BYTES }), "{size}: {error:?}");
    }
}

#[tokio::test]
async fn a_file_that_turns_out_too_large_is_cut() {
    for (headers, body) in [
        ("", "0123456789X"),
        ("transfer-encoding: chunked\r\n", "4\r\n0123\r\n7\r\n456789X\r\n0\r\n\r\n"),
        // The chunks count, whatever else is said (RFC 9112, section 6.3).
        ("content-length: 4\r\ntransfer-encoding: chunked\r\n", "b\r\n0123456789X\r\n0\r\n\r\n"),
    ] {
        let site = Site::with_answer(&format!("HTTP/1.1 200 OK\r\n{headers}\r\n{body}")).await;

        let download = open(&site).await.unwrap();

        assert_eq!(download.bytes, None, "{headers}");
        let (received, error) = read_to_end(download.into_body()).await;
        assert!(received.len() <= 10, "{received:?}");
        assert!(matches!(error, Some(Error::TooLarge { max_bytes: MAX_BYTES })), "{headers}: {error:?}");
    }
}

#[tokio::test]
async fn no_more_is_read_than_a_file_says_it_has() {
    let site = Site::with_answer("HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\n0123456789").await;

    let download = open(&site).await.unwrap();

    assert_eq!(download.bytes, Some(4));
    let (received, error) = read_to_end(download.into_body()).await;
    assert_eq!((received.as_slice(), error.is_none()), (b"0123".as_slice(), true));
}

#[tokio::test]
async fn a_file_with_less_than_it_says_is_cut() {
    for (headers, body) in [
        ("content-length: 10\r\n", ""),
        ("content-length: 10\r\n", "01234"),
        ("transfer-encoding: chunked\r\n", "4\r\n0123\r\n"),
        ("transfer-encoding: chunked\r\n", "4\r\n01"),
        ("transfer-encoding: chunked\r\n", "4\r\n0123\r\nZ\r\n"),
    ] {
        let site = Site::with_answer(&format!("HTTP/1.1 200 OK\r\n{headers}\r\n{body}")).await;

        let (_, error) = read_to_end(open(&site).await.unwrap().into_body()).await;

        let error = error.unwrap();
        assert!(matches!(error, Error::Cut(Fault::Connection(_))), "{headers}{body}: {error:?}");
        assert!(!full_text(&error).contains("secret"), "{error:?}");
    }
}

#[tokio::test]
async fn two_different_sizes_count_as_none() {
    let answer = "HTTP/1.1 200 OK\r\ncontent-length: 4\r\ncontent-length: 5\r\n\r\n01234";
    let site = Site::with_answer(answer).await;

    let outcome = open(&site).await;

    assert!(matches!(outcome, Err(Error::Unreachable(_))), "{outcome:?}");
}

#[tokio::test]
async fn only_a_whole_file_is_taken() {
    for status in [204, 206, 403, 404, 405, 500, 501] {
        let site = Site::with_answer(&format!("HTTP/1.1 {status} -\r\ncontent-length: 0\r\n\r\n")).await;

        let outcome = open(&site).await;

        assert!(matches!(outcome, Err(Error::Refused { status: said }) if said == status), "{outcome:?}");
        assert_eq!(site.heads().len(), 1);
    }
}

#[tokio::test]
async fn a_file_can_be_handed_to_another_task() {
    let site = Site::new(|_| "HTTP/1.1 200 OK\r\n\r\n0123".to_owned(), AfterAnswer::HangUp).await;

    let body = open(&site).await.unwrap().into_body();

    let (received, _) = tokio::spawn(read_to_end(body)).await.unwrap();
    assert_eq!(received, b"0123");
}

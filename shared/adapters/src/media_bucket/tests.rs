use domain::OtherFile;
use platform::encoding;
use reqwest::Request;

use super::*;

const TENANT: &str = "acme";

/// A bucket in December 2026, with the session of a function.
fn bucket(
    answer: impl Fn(&Request) -> (u16, &'static str, &'static str) + Send + Sync + 'static,
) -> MediaBucket {
    let transport = Transport::new(move |request| {
        let (status, range, body) = answer(&request);
        let answer = http::Response::builder().status(status).header("content-range", range).body(body);
        Box::pin(async move { Ok(answer?.into()) })
    });
    let session = Some("session-planted".to_owned());
    let credentials = Credentials::new("key", "secret-planted", session, None, "test");
    let clock = Clock::new(|| "2026-12-01T09:00:00Z".parse().unwrap());
    let address = "https://media.s3.eu-central-1.amazonaws.com".to_owned();
    MediaBucket::new(transport, address, "eu-central-1".to_owned(), credentials, clock)
}

fn names() -> (TenantId, MediaId) {
    (TenantId(TENANT.to_owned()), MediaId::new("2026-12-01T09:00:00Z".parse().unwrap(), [7; 10]))
}

#[test]
fn an_upload_is_signed_for_its_size_its_kind_and_its_time() {
    let (tenant, id) = names();
    let file = NewFile::new("image/png", 1234).unwrap();
    let upload = bucket(|_| (200, "", "")).sign_upload(&tenant, &id, file, Duration::from_hours(1)).unwrap();

    let url = upload.url.expose();
    let folder = encoding::sha256(TENANT);
    let place = format!("https://media.s3.eu-central-1.amazonaws.com/{folder}/{id}?");
    assert!(url.starts_with(&place), "{url}");
    for part in [
        "X-Amz-Credential=key%2F20261201%2Feu-central-1%2Fs3%2Faws4_request",
        "X-Amz-Date=20261201T090000Z",
        "X-Amz-Expires=3600",
        "X-Amz-SignedHeaders=content-length%3Bcontent-type%3Bhost%3Bif-none-match%3Bx-amz-tagging",
        "X-Amz-Security-Token=session-planted",
        "X-Amz-Signature=",
    ] {
        assert!(url.contains(part), "{part}: {url}");
    }
    let headers = upload.headers.clone().map(|(name, value)| format!("{name}: {value}"));
    assert_eq!(
        headers,
        [
            "content-type: image/png",
            "content-length: 1234",
            "if-none-match: *",
            "x-amz-tagging: pinwright=unused"
        ]
    );
    assert!(!format!("{upload:?}").contains("Amz"));
}

#[test]
fn only_a_bucket_at_aws_counts_as_public() {
    let at = |address: &str| {
        let MediaBucket { transport, clock, .. } = bucket(|_| (200, "", ""));
        let credentials = Credentials::new("key", "secret", None, None, "test");
        MediaBucket::new(transport, address.to_owned(), "eu-central-1".to_owned(), credentials, clock)
    };
    for public in ["https://media.s3.eu-central-1.amazonaws.com", "https://s3.us-east-1.amazonaws.com/media"]
    {
        assert!(at(public).is_public(), "{public}");
    }
    for private in [
        "http://127.0.0.1:9000/media",
        "https://minio.example.com/media",
        "https://example.com/x.amazonaws.com",
        "http://media.s3.eu-central-1.amazonaws.com",
    ] {
        assert!(!at(private).is_public(), "{private}");
    }
}

#[tokio::test]
async fn the_type_of_a_stored_file_comes_from_its_bytes() {
    let (tenant, id) = names();
    let bucket = bucket(|request| {
        assert_eq!(request.headers()["range"], "bytes=0-262143");
        (206, "bytes 0-63/20971520", "\0\0\0\x14ftypisom\0\0\x02\0isom\0\0\0\x08moov")
    });
    let stored = bucket.head(&tenant, &id).await.unwrap();
    let kind = Ok(FileType::Mp4);
    assert_eq!(
        stored,
        Some(StoredFile { kind, bytes: 20_971_520, is_unfinished: false, digital_source: None })
    );
}

#[tokio::test]
async fn the_index_of_a_video_is_looked_for_box_by_box() {
    let (tenant, id) = names();
    for (last, is_unfinished) in [("\0\0\0\x08moov", false), ("\0\0\0\x08free", true)] {
        let bucket = bucket(move |request| match request.headers()["range"].to_str().unwrap() {
            "bytes=0-262143" => (206, "bytes 0-63/4124", "\0\0\0\x14ftypisom\0\0\x02\0isom\0\0\x10\0mdat"),
            "bytes=4116-4179" => (206, "bytes 4116-4123/4124", last),
            other => panic!("{other}"),
        });
        let stored = bucket.head(&tenant, &id).await.unwrap();
        assert_eq!(
            stored,
            Some(StoredFile { kind: Ok(FileType::Mp4), bytes: 4124, is_unfinished, digital_source: None })
        );
    }
}

#[tokio::test]
async fn a_missing_file_is_none_and_a_forbidden_one_is_an_error() {
    let (tenant, id) = names();
    let look = async |status, code| bucket(move |_| (status, "", code)).head(&tenant, &id).await;
    assert_eq!(look(404, "<Error><Code>NoSuchKey</Code></Error>").await.unwrap(), None);
    let empty = look(416, "<Error><Code>InvalidRange</Code></Error>").await.unwrap();
    assert_eq!(
        empty,
        Some(StoredFile {
            kind: Err(OtherFile::Empty),
            bytes: 0,
            is_unfinished: false,
            digital_source: None
        })
    );
    for (status, body) in [
        (404, "<Error><Code>NoSuchBucket</Code></Error>"),
        (
            403,
            "<Error><Code>SignatureDoesNotMatch</Code><CanonicalRequest>planted</CanonicalRequest></Error>",
        ),
        (200, "the whole file"),
        (503, "SlowDown"),
    ] {
        let error = look(status, body).await.unwrap_err();
        assert!(matches!(&error, Error::Refused { .. }), "{error:?}");
        assert!(!format!("{error:?}").contains("planted"), "{error:?}");
    }
}

//! The bucket of uploaded files, at `<sha256 of the tenant>/<media id>`: who names another tenant's file
//! finds nothing. There are no rows about it.
//!
//! Every request is a signed address (<https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html>),
//! whether we send it ourselves or hand it to somebody. Such an address lets its bearer in: it is a [`SignedUrl`],
//! and errors here name none.

use std::time::Duration;

use aws_credential_types::Credentials;
use aws_sigv4::{
    http_request::{
        PercentEncodingMode, SignableBody, SignableRequest, SignatureLocation, SigningSettings,
        UriPathNormalizationMode, sign,
    },
    sign::v4,
};
use aws_smithy_runtime_api::client::identity::Identity;
use bytes::Bytes;
use domain::{
    DigitalSource, FileType, Invalid, MEDIA_TOO_LARGE, MediaId, MovieScan, NewFile, NextLook, OtherFile,
    SignedUrl, TenantId, WrongFile,
};
use futures_util::{
    StreamExt as _, TryStreamExt as _,
    stream::{self, BoxStream},
};
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use reqwest::{Request, Response};

use platform::{Clock, encoding};

use crate::transports::{BoxError, Transport};

/// How long a signed address of our own requests is valid: they are sent at once.
const REQUEST_VALIDITY: Duration = Duration::from_mins(1);
/// How long S3 may take to answer, with what is small.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(10);

/// The tag of a file that no Pin has named yet. A rule of the bucket removes such files after days.
const UNUSED: &str = "pinwright=unused";

/// Why the bucket did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No answer, or not all of it: try again.
    #[error("the media bucket could not be reached")]
    Unreachable(#[source] BoxError),
    /// S3 says no, and will say so again: the bucket's name, or what the function may do there, is wrong.
    #[error("the media bucket answered {status} {code}")]
    Refused {
        /// The HTTP status.
        status: StatusCode,
        /// S3's word for it.
        code: String,
    },
    /// The bucket's address is none.
    #[error("no address can be signed for the media bucket: check MEDIA_BUCKET and AWS_ENDPOINT_URL_S3")]
    Unsigned(#[source] BoxError),
}

impl Error {
    /// Whether it only says that there is no such file.
    fn is_missing(&self) -> bool {
        matches!(self, Self::Refused { code, .. } if code == "NoSuchKey")
    }
}

/// Where a caller sends a file.
#[derive(Debug)]
pub struct Upload {
    /// Where to `PUT` it.
    pub url: SignedUrl,
    /// What has to be sent with it, to the letter: S3 refuses a file of another size, one that is called otherwise, and one
    /// that comes when there is a file already: what was checked stays what it was.
    pub headers: [(&'static str, String); 4],
}

/// What lies in the bucket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StoredFile {
    /// What it is by its own bytes, whatever it was called.
    pub kind: Result<FileType, OtherFile>,
    /// Its size.
    pub bytes: u64,
    /// Whether it is a video without its index.
    pub is_unfinished: bool,
    /// What it says of a model that made it, if it says so.
    pub digital_source: Option<DigitalSource>,
}

impl StoredFile {
    /// Whether a Pin can show it, where `field` names it as a video or as an image.
    pub fn check(self, field: &str, is_video: bool) -> Result<(), Invalid> {
        let field = format!("{field}.media_id");
        let kind = FileType::wanted(self.kind, is_video).map_err(|wrong| {
            let detail = format!("names a file that {}", wrong.detail);
            Invalid::new(&field, "unsupported_media_type", detail, wrong.fix)
        })?;
        if self.is_unfinished {
            let WrongFile { detail, fix } = WrongFile::unfinished();
            return Err(Invalid::new(field, "video_unfinished", format!("names a file that {detail}"), fix));
        }
        if self.bytes > kind.max_bytes() {
            let detail = format!("names a file of {} bytes", self.bytes);
            let fix = format!("Upload a smaller one: at most {} bytes.", kind.max_bytes());
            return Err(Invalid::new(field, MEDIA_TOO_LARGE, detail, fix));
        }
        Ok(())
    }
}

/// A file on its way from the bucket.
pub struct FileContent {
    /// Its size.
    pub bytes: u64,
    /// What it holds, bit by bit: never all of it is in memory.
    pub content: BoxStream<'static, Result<Bytes, Error>>,
}

/// Stores files, and signs addresses of them.
#[derive(Clone, Debug)]
pub struct MediaBucket {
    transport: Transport,
    address: String,
    is_public: bool,
    region: String,
    identity: Identity,
    clock: Clock,
}

impl MediaBucket {
    /// The bucket at `address`, which ends without a slash. `clock` is that of AWS, which compares it with its own.
    #[must_use]
    pub fn new(
        transport: Transport,
        address: String,
        region: String,
        credentials: Credentials,
        clock: Clock,
    ) -> Self {
        let host = address.strip_prefix("https://").and_then(|rest| rest.split('/').next());
        let is_public = host.is_some_and(|host| host.ends_with(".amazonaws.com"));
        Self { transport, address, is_public, region, identity: credentials.into(), clock }
    }

    /// Whether anybody on the internet can use a signed address: only of AWS's own S3 is that known.
    #[must_use]
    pub fn is_public(&self) -> bool {
        self.is_public
    }

    /// Where to send `file`, for as long as `valid_for`. Nothing is asked of S3.
    pub fn sign_upload(
        &self,
        tenant: &TenantId,
        id: &MediaId,
        file: NewFile,
        valid_for: Duration,
    ) -> Result<Upload, Error> {
        let headers = [
            (header::CONTENT_TYPE.as_str(), file.kind().content_type().to_owned()),
            (header::CONTENT_LENGTH.as_str(), file.bytes().to_string()),
            (header::IF_NONE_MATCH.as_str(), "*".to_owned()),
            ("x-amz-tagging", UNUSED.to_owned()),
        ];
        let url = self.sign(&Method::PUT, tenant, id, "", &headers, valid_for)?;
        Ok(Upload { url, headers })
    }

    /// Where anybody can `GET` the file for as long as `valid_for`, a week at most, and no longer than the session
    /// of the function's own credentials. Nothing is asked of S3: the file may not be there.
    pub fn signed_url(
        &self,
        tenant: &TenantId,
        id: &MediaId,
        valid_for: Duration,
    ) -> Result<SignedUrl, Error> {
        self.sign(&Method::GET, tenant, id, "", &[], valid_for)
    }

    /// What lies under `id`, by its size and what its beginning says, and of a video whether it has its index. `None`:
    /// nothing of this tenant's.
    pub async fn head(&self, tenant: &TenantId, id: &MediaId) -> Result<Option<StoredFile>, Error> {
        let first = self.part(tenant, id, 0, DigitalSource::READ_BYTES).await?;
        let Some((bytes, first)) = first else { return Ok(None) };
        let kind = FileType::sniff(&first);
        let is_video = kind.is_ok_and(FileType::is_video);
        let is_unfinished = is_video && self.is_unfinished(tenant, id, bytes, &first).await?;
        let digital_source = DigitalSource::find(&first);
        Ok(Some(StoredFile { kind, bytes, is_unfinished, digital_source }))
    }

    async fn is_unfinished(
        &self,
        tenant: &TenantId,
        id: &MediaId,
        bytes: u64,
        first: &[u8],
    ) -> Result<bool, Error> {
        let mut scan = MovieScan::default();
        scan.read(first);
        for _ in 1..MovieScan::MAX_LOOKS {
            match scan.next(bytes) {
                NextLook::Playable => return Ok(false),
                NextLook::Unfinished => return Ok(true),
                NextLook::At(from) => match self.part(tenant, id, from, FileType::SNIFF_BYTES).await? {
                    Some((_, part)) => scan.read(&part),
                    None => return Ok(false), // it was deleted meanwhile
                },
            }
        }
        Ok(false)
    }

    /// The size of a file, and `length` bytes of it from byte `from` on.
    async fn part(
        &self,
        tenant: &TenantId,
        id: &MediaId,
        from: u64,
        length: usize,
    ) -> Result<Option<(u64, Bytes)>, Error> {
        let mut request = self.request(Method::GET, tenant, id, &[])?;
        let last = from + length as u64 - 1;
        let range = HeaderValue::try_from(format!("bytes={from}-{last}"));
        let range = range.map_err(|error| Error::Unsigned(error.into()))?;
        request.headers_mut().insert(header::RANGE, range);
        *request.timeout_mut() = Some(ANSWER_TIMEOUT);
        let answer = match self.send(request).await {
            Ok(answer) => answer,
            Err(error) if error.is_missing() => return Ok(None),
            Err(Error::Refused { status: StatusCode::RANGE_NOT_SATISFIABLE, .. }) => {
                return Ok(Some((0, Bytes::new()))); // of nothing there is no first byte
            }
            Err(error) => return Err(error),
        };
        let (status, whole) = (answer.status(), whole(answer.headers()));
        let bytes = whole.ok_or_else(|| Error::Refused { status, code: "without a size".to_owned() })?;
        Ok(Some((bytes, answer.bytes().await.map_err(broken)?)))
    }

    /// Keeps a file that has come with a request.
    pub async fn put(
        &self,
        tenant: &TenantId,
        id: &MediaId,
        kind: FileType,
        content: Bytes,
    ) -> Result<(), Error> {
        let content_type = (header::CONTENT_TYPE.as_str(), kind.content_type().to_owned());
        let mut request = self.request(Method::PUT, tenant, id, &[content_type])?;
        *request.body_mut() = Some(content.into());
        *request.timeout_mut() = Some(ANSWER_TIMEOUT);
        self.send(request).await?;
        Ok(())
    }

    /// Keeps a file for its whole life, because a Pin names it: a file that no Pin names is removed after days. `false`: it
    /// is not there.
    pub async fn keep(&self, tenant: &TenantId, id: &MediaId) -> Result<bool, Error> {
        let mut request = self.request_of(Method::DELETE, tenant, id, "?tagging", &[])?;
        *request.timeout_mut() = Some(ANSWER_TIMEOUT);
        match self.send(request).await {
            Ok(_) => Ok(true),
            Err(error) if error.is_missing() => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Removes a file. One that is not there is as good.
    pub async fn delete(&self, tenant: &TenantId, id: &MediaId) -> Result<(), Error> {
        let mut request = self.request(Method::DELETE, tenant, id, &[])?;
        *request.timeout_mut() = Some(ANSWER_TIMEOUT);
        self.send(request).await?;
        Ok(())
    }

    /// The file under `id`, to be passed on. `None`: there is nothing of this tenant's. Reading it to its end has
    /// no time limit of its own.
    pub async fn get(&self, tenant: &TenantId, id: &MediaId) -> Result<Option<FileContent>, Error> {
        let request = self.request(Method::GET, tenant, id, &[])?;
        let answer = tokio::time::timeout(ANSWER_TIMEOUT, self.send(request)).await;
        let answer = match answer.map_err(|late| Error::Unreachable(late.into()))? {
            Ok(answer) => answer,
            Err(error) if error.is_missing() => return Ok(None),
            Err(error) => return Err(error),
        };
        let status = answer.status();
        let bytes = answer.content_length();
        let bytes = bytes.ok_or_else(|| Error::Refused { status, code: "without a size".to_owned() })?;
        let content = stream::try_unfold(answer, async |mut answer| {
            let chunk = answer.chunk().await.map_err(broken)?;
            Ok(chunk.map(|chunk| (chunk, answer)))
        });
        Ok(Some(FileContent { bytes, content: content.into_stream().boxed() }))
    }

    /// A request of our own, with `headers`.
    fn request(
        &self,
        method: Method,
        tenant: &TenantId,
        id: &MediaId,
        headers: &[(&'static str, String)],
    ) -> Result<Request, Error> {
        self.request_of(method, tenant, id, "", headers)
    }

    /// The same for a part of what S3 knows of the file.
    fn request_of(
        &self,
        method: Method,
        tenant: &TenantId,
        id: &MediaId,
        part: &str,
        headers: &[(&'static str, String)],
    ) -> Result<Request, Error> {
        let url = self.sign(&method, tenant, id, part, headers, REQUEST_VALIDITY)?;
        let url = url.expose().parse().map_err(|error: url::ParseError| Error::Unsigned(error.into()))?;
        let mut request = Request::new(method, url);
        for (name, value) in headers {
            let value = HeaderValue::try_from(value).map_err(|error| Error::Unsigned(error.into()))?;
            request.headers_mut().insert(*name, value);
        }
        Ok(request)
    }

    async fn send(&self, request: Request) -> Result<Response, Error> {
        let answer = self.transport.send(request).await.map_err(Error::Unreachable)?;
        let status = answer.status();
        if status.is_success() {
            return Ok(answer);
        }
        // Of the body only the code: it repeats what was signed.
        let code = code(&answer.text().await.map_err(broken)?);
        Err(Error::Refused { status, code })
    }

    /// The address of a request that is sent with `headers`.
    fn sign(
        &self,
        method: &Method,
        tenant: &TenantId,
        id: &MediaId,
        part: &str,
        headers: &[(&'static str, String)],
        valid_for: Duration,
    ) -> Result<SignedUrl, Error> {
        let address = format!("{}/{}/{id}{part}", self.address, encoding::sha256(&tenant.0));
        let mut settings = SigningSettings::default();
        settings.signature_location = SignatureLocation::QueryParams;
        settings.expires_in = Some(valid_for);
        // S3 is the service that takes paths as they are.
        settings.percent_encoding_mode = PercentEncodingMode::Single;
        settings.uri_path_normalization_mode = UriPathNormalizationMode::Disabled;
        let sign = || -> Result<String, BoxError> {
            let params = v4::SigningParams::builder()
                .identity(&self.identity)
                .region(&self.region)
                .name("s3")
                .time(self.clock.now().into())
                .settings(settings)
                .build()?
                .into();
            let headers = headers.iter().map(|(name, value)| (*name, value.as_str()));
            let body = SignableBody::UnsignedPayload;
            let request = SignableRequest::new(method.as_str(), &address, headers, body)?;
            let (signed, _) = sign(request, &params)?.into_parts();
            let mut request = http::Request::builder().uri(&address).body(())?;
            signed.apply_to_request_http1x(&mut request);
            Ok(request.uri().to_string())
        };
        sign().map(SignedUrl::new).map_err(Error::Unsigned)
    }
}

fn broken(error: reqwest::Error) -> Error {
    Error::Unreachable(error.without_url().into())
}

/// The size of the whole of which a part was answered: `bytes 0-63/1234`.
fn whole(headers: &HeaderMap) -> Option<u64> {
    let (_, whole) = headers.get(header::CONTENT_RANGE)?.to_str().ok()?.rsplit_once('/')?;
    whole.parse().ok()
}

/// S3's word for what is wrong.
fn code(xml: &str) -> String {
    let code = xml.split_once("<Code>").and_then(|(_, rest)| rest.split_once("</Code>"));
    code.map(|(code, _)| code.to_owned()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
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
        let upload =
            bucket(|_| (200, "", "")).sign_upload(&tenant, &id, file, Duration::from_hours(1)).unwrap();

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
    fn only_aws_itself_is_known_to_be_reached_by_everybody() {
        let at = |address: &str| {
            let MediaBucket { transport, clock, .. } = bucket(|_| (200, "", ""));
            let credentials = Credentials::new("key", "secret", None, None, "test");
            MediaBucket::new(transport, address.to_owned(), "eu-central-1".to_owned(), credentials, clock)
        };
        for public in
            ["https://media.s3.eu-central-1.amazonaws.com", "https://s3.us-east-1.amazonaws.com/media"]
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
    async fn a_look_believes_the_bytes() {
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
                "bytes=0-262143" => {
                    (206, "bytes 0-63/4124", "\0\0\0\x14ftypisom\0\0\x02\0isom\0\0\x10\0mdat")
                }
                "bytes=4116-4179" => (206, "bytes 4116-4123/4124", last),
                other => panic!("{other}"),
            });
            let stored = bucket.head(&tenant, &id).await.unwrap();
            assert_eq!(
                stored,
                Some(StoredFile {
                    kind: Ok(FileType::Mp4),
                    bytes: 4124,
                    is_unfinished,
                    digital_source: None
                })
            );
        }
    }

    #[tokio::test]
    async fn what_is_not_there_is_nothing_and_what_is_forbidden_is_an_error() {
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
}

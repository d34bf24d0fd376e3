//! The bucket of uploaded files, at `<sha256 of the tenant>/<media id>`: a tenant cannot find another tenant's file. There
//! are no rows about files.
//!
//! Every request is a signed address (<https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html>), for
//! our own requests and for those of others. Anybody who has such an address can use it: it is a [`SignedUrl`], and errors
//! here never contain one.

mod request;
mod stored_file;

use std::time::Duration;

use aws_credential_types::Credentials;
use aws_smithy_runtime_api::client::identity::Identity;
use bytes::Bytes;
use domain::{DigitalSource, FileType, MediaId, MovieScan, NewFile, NextLook, SignedUrl, TenantId};
use futures_util::{
    StreamExt as _, TryStreamExt as _,
    stream::{self, BoxStream},
};
use http::{HeaderValue, Method, StatusCode, header};

use platform::Clock;

pub use stored_file::StoredFile;

use request::{broken, whole};

use crate::transports::{BoxError, Transport};

/// How long S3 may take to answer a small request.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(10);

/// The tag of a file that no Pin has used yet. A rule of the bucket removes such files after some days.
const UNUSED: &str = "pinwright=unused";

/// Why a request to the bucket failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No answer, or not all of it: try again.
    #[error("the media bucket could not be reached")]
    Unreachable(#[source] BoxError),
    /// S3 refuses, and will refuse again: the bucket's name or the function's rights are wrong.
    #[error("the media bucket answered {status} {code}")]
    Refused {
        /// The HTTP status.
        status: StatusCode,
        /// S3's error code.
        code: String,
    },
    /// The bucket's address is not a valid URL.
    #[error("no address can be signed for the media bucket: check MEDIA_BUCKET and AWS_ENDPOINT_URL_S3")]
    Unsigned(#[source] BoxError),
}

impl Error {
    /// Whether the reason is only that there is no such file.
    fn is_missing(&self) -> bool {
        matches!(self, Self::Refused { code, .. } if code == "NoSuchKey")
    }
}

/// Where a caller sends a file.
#[derive(Debug)]
pub struct Upload {
    /// Where to `PUT` it.
    pub url: SignedUrl,
    /// The headers that must be sent with it, unchanged. S3 refuses a file of another size or content type, and a second
    /// file: so a file that was checked cannot be replaced.
    pub headers: [(&'static str, String); 4],
}

/// A file that is read from the bucket.
pub struct FileContent {
    /// Its size.
    pub bytes: u64,
    /// Its content in chunks: never all of it is in memory.
    pub content: BoxStream<'static, Result<Bytes, Error>>,
}

/// Stores files, and signs their addresses.
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

    /// Whether anybody on the internet can use a signed address: this is known only of AWS's own S3.
    #[must_use]
    pub fn is_public(&self) -> bool {
        self.is_public
    }

    /// The request that uploads `file`, valid for `valid_for`. This makes no call to S3.
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

    /// An address at which anybody can `GET` the file for `valid_for`: a week at most, and no longer than the session of
    /// the function's own credentials. This makes no call to S3: the file may not exist.
    pub fn signed_url(
        &self,
        tenant: &TenantId,
        id: &MediaId,
        valid_for: Duration,
    ) -> Result<SignedUrl, Error> {
        self.sign(&Method::GET, tenant, id, "", &[], valid_for)
    }

    /// The file `id`: its size, its type by its first bytes and, for a video, whether it has its index. `None`: the tenant
    /// has no such file.
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

    /// Stores a file that came within a request.
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

    /// Marks a file as used by a Pin: it is kept for its whole lifetime, while an unused file is removed after some days.
    /// `false`: it does not exist.
    pub async fn keep(&self, tenant: &TenantId, id: &MediaId) -> Result<bool, Error> {
        let mut request = self.request_of(Method::DELETE, tenant, id, "?tagging", &[])?;
        *request.timeout_mut() = Some(ANSWER_TIMEOUT);
        match self.send(request).await {
            Ok(_) => Ok(true),
            Err(error) if error.is_missing() => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Removes a file. It is no error if it does not exist.
    pub async fn delete(&self, tenant: &TenantId, id: &MediaId) -> Result<(), Error> {
        let mut request = self.request(Method::DELETE, tenant, id, &[])?;
        *request.timeout_mut() = Some(ANSWER_TIMEOUT);
        self.send(request).await?;
        Ok(())
    }

    /// The file `id`, to be streamed. `None`: the tenant has no such file. Reading it to its end has no time limit of its
    /// own.
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
}

#[cfg(test)]
mod tests;

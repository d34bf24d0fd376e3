//! The bucket of uploaded files, at `<sha256 of the tenant>/<media id>`: who names another tenant's file
//! finds nothing. There are no rows about it.
//!
//! Every request is a signed address (<https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html>),
//! whether we send it ourselves or hand it to somebody. Such an address lets its bearer in: it is a [`SignedUrl`],
//! and errors here name none.

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
}

#[cfg(test)]
mod tests;

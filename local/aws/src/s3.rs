//! S3: `PutObject` and `GetObject` of one bucket, by signed addresses alone, with a file for each object.

mod signature;

use self::signature::AccessKey;
use crate::{
    ACCESS_KEY, Error, REGION,
    folder::{self, Folder},
};
use axum::{
    Router,
    body::Body,
    extract::{Request, State},
    http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header, request::Parts},
    middleware,
    response::{IntoResponse, Response},
    routing::get,
};
use futures::{StreamExt, stream};
use jiff::Timestamp;
use std::{
    fs, io,
    ops::Range,
    path::{Path, PathBuf},
    sync::Arc,
};
use tempfile::{NamedTempFile, TempDir};
use tokio::{
    fs::File,
    io::{AsyncReadExt, AsyncSeekExt, AsyncWriteExt, SeekFrom},
};

/// What has not come to its end yet lies here, so that a file of the bucket is a whole one.
const INCOMING: &str = "incoming";
/// How much of a file is in memory at once.
const CHUNK: usize = 64 * 1024;
/// The signer's, like the time it was signed at: whoever moves the local clock does not move that of AWS.
const KEY: AccessKey = AccessKey { id: ACCESS_KEY, secret: ACCESS_KEY, region: REGION };

/// The bucket.
pub(crate) struct Bucket {
    name: String,
    path: PathBuf,
    /// Removed with the bucket when nothing is to be left behind.
    _temporary: Option<TempDir>,
}

/// A request that S3 would not grant.
pub(crate) struct Refusal {
    status: StatusCode,
    code: &'static str,
    message: &'static str,
}

impl Refusal {
    fn denied(code: &'static str, message: &'static str) -> Self {
        Self { status: StatusCode::FORBIDDEN, code, message }
    }

    fn of(status: StatusCode, code: &'static str, message: &'static str) -> Self {
        Self { status, code, message }
    }
}

impl From<io::Error> for Refusal {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::NotFound => {
                Self::of(StatusCode::NOT_FOUND, "NoSuchKey", "The specified key does not exist.")
            }
            _ => Self::of(
                StatusCode::INTERNAL_SERVER_ERROR,
                "InternalError",
                "The file cannot be read or written.",
            ),
        }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let Self { status, code, message } = self;
        let text = format!("<Error><Code>{code}</Code><Message>{message}</Message></Error>");
        (status, [(header::CONTENT_TYPE, "application/xml")], text).into_response()
    }
}

impl Bucket {
    /// The bucket called `name`, with its files below `folder`, or nowhere that lasts.
    pub(crate) fn open(folder: Option<&Folder>, name: String) -> Result<Self, Error> {
        let (path, temporary) = if let Some(folder) = folder {
            (folder.file("media"), None)
        } else {
            let temporary = TempDir::new().map_err(Error::at(std::env::temp_dir()))?;
            (temporary.path().join("media"), Some(temporary))
        };
        let incoming = path.join(INCOMING);
        // What a process that died was in the middle of.
        match fs::remove_dir_all(&incoming) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(Error::at(incoming)(error)),
            _ => folder::make_folder(&incoming)?,
        }
        Ok(Self { name, path, _temporary: temporary })
    }

    /// Keeps what comes under its key, and what it is said to be beside it. What was answered is on the disk.
    async fn put(&self, file: &Path, content_type: &HeaderValue, body: Body) -> Result<(), Refusal> {
        let (whole, content) = NamedTempFile::new_in(self.path.join(INCOMING))?.into_parts();
        let (mut whole, mut body) = (File::from_std(whole), body.into_data_stream());
        while let Some(chunk) = body.next().await {
            let cut = |_| Refusal::of(StatusCode::BAD_REQUEST, "IncompleteBody", "The body ended too soon.");
            whole.write_all(&chunk.map_err(cut)?).await?;
        }
        whole.sync_all().await?;
        let said = NamedTempFile::new_in(self.path.join(INCOMING))?;
        fs::write(said.path(), content_type)?;
        said.as_file().sync_all()?;
        if let Some(folder) = file.parent() {
            folder::make_folder(folder).map_err(io::Error::other)?;
        }
        said.persist(said_of(file)).map_err(|error| error.error)?;
        content.persist(file).map_err(|error| error.error)?;
        Ok(())
    }

    /// Where a request's object is, if the request is for this bucket and has the right to what it asks.
    fn find(&self, method: &Method, uri: &Uri, headers: &HeaderMap) -> Result<PathBuf, Refusal> {
        KEY.check(method, uri, headers, Timestamp::now())?;
        let parts: Vec<_> = uri.path().split('/').collect();
        let [_, bucket, tenant, file] = parts.as_slice() else {
            return Err(Refusal::of(
                StatusCode::NOT_IMPLEMENTED,
                "NotImplemented",
                "Keys have two parts here.",
            ));
        };
        if *bucket != self.name {
            return Err(Refusal::of(StatusCode::NOT_FOUND, "NoSuchBucket", "There is no such bucket."));
        }
        let plain = |part: &&str| {
            !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        };
        if ![tenant, file].into_iter().all(plain) || *tenant == INCOMING {
            return Err(Refusal::of(
                StatusCode::NOT_IMPLEMENTED,
                "NotImplemented",
                "There is no such key here.",
            ));
        }
        Ok(self.path.join(tenant).join(file))
    }
}

/// Serves `bucket` at `/<bucket>/<key>`.
pub(crate) fn router(bucket: Bucket) -> Router {
    Router::new()
        .route("/{bucket}/{*key}", get(give).put(take).options(async || StatusCode::OK))
        .layer(middleware::map_response(open_to_pages))
        .with_state(Arc::new(bucket))
}

/// A page may send a file from wherever it came: what counts is the signature.
async fn open_to_pages(mut response: Response) -> Response {
    for (name, value) in [
        (header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"),
        (header::ACCESS_CONTROL_ALLOW_METHODS, "GET, PUT"),
        (header::ACCESS_CONTROL_ALLOW_HEADERS, "content-type, range"),
    ] {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}

async fn take(State(bucket): State<Arc<Bucket>>, request: Request) -> Result<StatusCode, Refusal> {
    let (Parts { method, uri, headers, .. }, body) = request.into_parts();
    let file = bucket.find(&method, &uri, &headers)?;
    if !headers.contains_key(header::CONTENT_LENGTH) {
        return Err(Refusal::of(StatusCode::LENGTH_REQUIRED, "MissingContentLength", "Say how long it is."));
    }
    let unsaid = HeaderValue::from_static("binary/octet-stream");
    let content_type = headers.get(header::CONTENT_TYPE).unwrap_or(&unsaid);
    bucket.put(&file, content_type, body).await?;
    Ok(StatusCode::OK)
}

async fn give(State(bucket): State<Arc<Bucket>>, request: Request) -> Result<Response, Refusal> {
    let path = bucket.find(request.method(), request.uri(), request.headers())?;
    let mut file = File::open(&path).await?;
    let content_type = fs::read(said_of(&path))?;
    let whole = file.metadata().await?.len();
    let (status, Range { start, end }) = match request.headers().get(header::RANGE) {
        None => (StatusCode::OK, 0..whole),
        Some(wanted) => (StatusCode::PARTIAL_CONTENT, range(wanted, whole)?),
    };
    file.seek(SeekFrom::Start(start)).await?;
    let mut response = Response::new(Body::from_stream(chunks(file, end - start)));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_LENGTH, (end - start).into());
    if let Ok(content_type) = HeaderValue::from_bytes(&content_type) {
        headers.insert(header::CONTENT_TYPE, content_type);
    }
    if status == StatusCode::PARTIAL_CONTENT
        && let Ok(part) = HeaderValue::from_str(&format!("bytes {start}-{}/{whole}", end - 1))
    {
        headers.insert(header::CONTENT_RANGE, part);
    }
    Ok(response)
}

/// The part of `whole` bytes that `bytes=first-last` asks for. Ranges of other forms are not served here.
fn range(wanted: &HeaderValue, whole: u64) -> Result<Range<u64>, Refusal> {
    let ends = || {
        let (first, last) = wanted.to_str().ok()?.strip_prefix("bytes=")?.split_once('-')?;
        Some((first.parse::<u64>().ok()?, last.parse::<u64>().ok()?))
    };
    match ends() {
        Some((first, last)) if first <= last && first < whole => Ok(first..whole.min(last.saturating_add(1))),
        Some(_) => {
            let message = "The requested range is not satisfiable";
            Err(Refusal::of(StatusCode::RANGE_NOT_SATISFIABLE, "InvalidRange", message))
        }
        None => Err(Refusal::of(StatusCode::NOT_IMPLEMENTED, "NotImplemented", "Ask for first-last.")),
    }
}

/// The next `length` bytes of `file`, bit by bit.
fn chunks(file: File, length: u64) -> impl futures::Stream<Item = io::Result<Vec<u8>>> {
    stream::try_unfold(file.take(length), async |mut rest| {
        let mut chunk = vec![0; CHUNK];
        let read = rest.read(&mut chunk).await?;
        chunk.truncate(read);
        Ok((read > 0).then_some((chunk, rest)))
    })
}

/// The file that says what `file` was said to be.
fn said_of(file: &Path) -> PathBuf {
    file.with_extension("type")
}

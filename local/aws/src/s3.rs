//! S3: `PutObject` and `GetObject` of one bucket, by signed addresses only. Each object is a file.

mod error;

use std::{
    fs, io,
    ops::Range,
    path::{Path, PathBuf},
    sync::Arc,
};

use axum::{
    Router,
    body::Body,
    extract::{Request, State},
    http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header, request::Parts},
    middleware,
    response::Response,
    routing::get,
};
use futures::{StreamExt, stream};
use jiff::Timestamp;
use tempfile::{NamedTempFile, TempDir};
use tokio::{
    fs::File,
    io::{AsyncReadExt, AsyncSeekExt, AsyncWriteExt, SeekFrom},
};

use self::error::S3Error;
use crate::{
    Error,
    folder::{self, Folder},
    signature::AccessKey,
};

/// The folder for uploads that have not ended, so that every file of the bucket is complete.
const INCOMING: &str = "incoming";
/// How much of a file is in memory at once.
const CHUNK_BYTES: usize = 64 * 1024;

/// The bucket.
pub(crate) struct Bucket {
    name: String,
    path: PathBuf,
    key: AccessKey,
    /// Removed with the bucket, if the data is in memory only.
    _temporary: Option<TempDir>,
}

impl Bucket {
    /// Opens the bucket `name` with its files in `folder`, or in a temporary folder.
    pub(crate) fn open(folder: Option<&Folder>, name: String, key: AccessKey) -> Result<Self, Error> {
        let (path, temporary) = if let Some(folder) = folder {
            (folder.file("media"), None)
        } else {
            let temporary = TempDir::new().map_err(Error::at(std::env::temp_dir()))?;
            (temporary.path().join("media"), Some(temporary))
        };
        let incoming = path.join(INCOMING);
        // Uploads that a process had not finished when it died.
        match fs::remove_dir_all(&incoming) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(Error::at(incoming)(error)),
            _ => folder::create_folder(&incoming)?,
        }
        Ok(Self { name, path, key, _temporary: temporary })
    }

    /// Saves the body and its content type in two files. Both are on the disk before the answer.
    async fn save_object(&self, file: &Path, content_type: &HeaderValue, body: Body) -> Result<(), S3Error> {
        let (temporary_file, content) = NamedTempFile::new_in(self.path.join(INCOMING))?.into_parts();
        let (mut temporary_file, mut body) = (File::from_std(temporary_file), body.into_data_stream());
        while let Some(chunk) = body.next().await {
            let incomplete =
                |_| S3Error::new(StatusCode::BAD_REQUEST, "IncompleteBody", "The body ended too soon.");
            temporary_file.write_all(&chunk.map_err(incomplete)?).await?;
        }
        temporary_file.sync_all().await?;
        let content_type_file = NamedTempFile::new_in(self.path.join(INCOMING))?;
        fs::write(content_type_file.path(), content_type)?;
        content_type_file.as_file().sync_all()?;
        if let Some(folder) = file.parent() {
            folder::create_folder(folder).map_err(io::Error::other)?;
        }
        content_type_file.persist(content_type_path(file)).map_err(|error| error.error)?;
        content.persist(file).map_err(|error| error.error)?;
        Ok(())
    }

    /// The path of the object that a request is for, if its signature and its bucket are right.
    fn authorize(&self, method: &Method, uri: &Uri, headers: &HeaderMap) -> Result<PathBuf, S3Error> {
        // By the computer's clock, which the signer goes by, and not by the local one.
        self.key.check_address(method, uri, headers, Timestamp::now())?;
        let parts: Vec<_> = uri.path().split('/').collect();
        let [_, _, tenant, file] = parts.as_slice() else {
            return Err(S3Error::new(
                StatusCode::NOT_IMPLEMENTED,
                "NotImplemented",
                "Keys have two parts here.",
            ));
        };
        let plain = |part: &&str| {
            !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        };
        if ![tenant, file].into_iter().all(plain) || *tenant == INCOMING {
            return Err(S3Error::new(
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
    let address = format!("/{}/{{*key}}", bucket.name);
    Router::new()
        .route(
            &address,
            get(get_object).put(put_object).delete(delete_object).options(async || StatusCode::OK),
        )
        .route_layer(middleware::map_response(allow_any_origin))
        .with_state(Arc::new(bucket))
}

/// Lets a web page of any origin send files (CORS): the signature decides, not the origin.
async fn allow_any_origin(mut response: Response) -> Response {
    for (name, value) in [
        (header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"),
        (header::ACCESS_CONTROL_ALLOW_METHODS, "GET, PUT"),
        (header::ACCESS_CONTROL_ALLOW_HEADERS, "content-type, if-none-match, range, x-amz-tagging"),
    ] {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}

async fn put_object(State(bucket): State<Arc<Bucket>>, request: Request) -> Result<StatusCode, S3Error> {
    let (Parts { method, uri, headers, .. }, body) = request.into_parts();
    let file = bucket.authorize(&method, &uri, &headers)?;
    if headers.get(header::IF_NONE_MATCH).is_some_and(|condition| condition == "*") && file.exists() {
        let message = "At least one of the pre-conditions you specified did not hold";
        return Err(S3Error::new(StatusCode::PRECONDITION_FAILED, "PreconditionFailed", message));
    }
    if !headers.contains_key(header::CONTENT_LENGTH) {
        return Err(S3Error::new(StatusCode::LENGTH_REQUIRED, "MissingContentLength", "Say how long it is."));
    }
    let default = HeaderValue::from_static("binary/octet-stream");
    let content_type = headers.get(header::CONTENT_TYPE).unwrap_or(&default);
    bucket.save_object(&file, content_type, body).await?;
    if let Some(tags) = headers.get("x-amz-tagging") {
        fs::write(tags_path(&file), tags)?;
    }
    Ok(StatusCode::OK)
}

async fn delete_object(State(bucket): State<Arc<Bucket>>, request: Request) -> Result<StatusCode, S3Error> {
    let path = bucket.authorize(request.method(), request.uri(), request.headers())?;
    let only_tags = request
        .uri()
        .query()
        .is_some_and(|query| query.split('&').any(|part| part.split('=').next() == Some("tagging")));
    if only_tags && !path.exists() {
        return Err(io::Error::from(io::ErrorKind::NotFound).into());
    }
    let of_object = [tags_path(&path), content_type_path(&path), path];
    for file in of_object.into_iter().take(if only_tags { 1 } else { 3 }) {
        match fs::remove_file(file) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error.into()),
            _ => {} // S3 deletes what is not there, too
        }
    }
    Ok(StatusCode::NO_CONTENT)
}

async fn get_object(State(bucket): State<Arc<Bucket>>, request: Request) -> Result<Response, S3Error> {
    let path = bucket.authorize(request.method(), request.uri(), request.headers())?;
    let mut file = File::open(&path).await?;
    let content_type = fs::read(content_type_path(&path))?;
    let total = file.metadata().await?.len();
    let (status, Range { start, end }) = match request.headers().get(header::RANGE) {
        None => (StatusCode::OK, 0..total),
        Some(range) => (StatusCode::PARTIAL_CONTENT, parse_range(range, total)?),
    };
    file.seek(SeekFrom::Start(start)).await?;
    let mut response = Response::new(Body::from_stream(read_chunks(file, end - start)));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_LENGTH, (end - start).into());
    if let Ok(content_type) = HeaderValue::from_bytes(&content_type) {
        headers.insert(header::CONTENT_TYPE, content_type);
    }
    if status == StatusCode::PARTIAL_CONTENT
        && let Ok(part) = HeaderValue::from_str(&format!("bytes {start}-{}/{total}", end - 1))
    {
        headers.insert(header::CONTENT_RANGE, part);
    }
    Ok(response)
}

/// The part of `whole` bytes that the header `bytes=first-last` asks for. Other forms of ranges are not served.
fn parse_range(header: &HeaderValue, total: u64) -> Result<Range<u64>, S3Error> {
    let ends = || {
        let (first, last) = header.to_str().ok()?.strip_prefix("bytes=")?.split_once('-')?;
        Some((first.parse::<u64>().ok()?, last.parse::<u64>().ok()?))
    };
    match ends() {
        Some((first, last)) if first <= last && first < total => Ok(first..total.min(last.saturating_add(1))),
        Some(_) => {
            let message = "The requested range is not satisfiable";
            Err(S3Error::new(StatusCode::RANGE_NOT_SATISFIABLE, "InvalidRange", message))
        }
        None => Err(S3Error::new(StatusCode::NOT_IMPLEMENTED, "NotImplemented", "Ask for first-last.")),
    }
}

/// The next `length` bytes of `file`, in chunks.
fn read_chunks(file: File, length: u64) -> impl futures::Stream<Item = io::Result<Vec<u8>>> {
    stream::try_unfold(file.take(length), async |mut rest| {
        let mut chunk = vec![0; CHUNK_BYTES];
        let count = rest.read(&mut chunk).await?;
        chunk.truncate(count);
        Ok((count > 0).then_some((chunk, rest)))
    })
}

/// The file that holds the tags of `file`.
fn tags_path(file: &Path) -> PathBuf {
    file.with_extension("tags")
}

/// The file that holds the content type of `file`.
fn content_type_path(file: &Path) -> PathBuf {
    file.with_extension("type")
}

//! Uploads a video to Pinterest. It is streamed from its source, so that memory does not grow with its size.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use bytes::{Bytes, BytesMut};
use domain::{
    File, FileType, Media, MediaId, MovieScan, Pin, PinterestMediaId, ResponseMeta, TenantId, WebAddress,
    delivery::{CallError, MediaStatus, Unusable, UploadForm, Uploaded},
};
use futures_util::{
    StreamExt as _, TryStreamExt as _,
    stream::{self, BoxStream},
};
use platform::chain;
use tokio::time::Instant;
use url::Url;

use crate::{ChannelSession, PinPublisher, look_at};

/// An upload is not started with less time than this.
pub(crate) const MIN_UPLOAD_TIME: Duration = Duration::from_mins(1);
/// The part of the time for an upload that is reserved for saving the result.
const TIME_TO_SAVE: Duration = Duration::from_secs(5);

impl PinPublisher {
    /// Checks the video before its upload is registered at Pinterest, which counts as a call.
    pub(crate) async fn look_at_video(&self, pin: &Pin) -> Result<(), Uploaded> {
        let Media::Video { file, .. } = &pin.draft.media else { return Ok(()) };
        let (kind, bytes, is_unfinished) = match file {
            File::Public { url } => {
                let address: Url = url.as_str().parse().map_err(broken)?;
                let seen =
                    look_at(self.fetch.client().map_err(broken)?, &address).await.map_err(not_fetched)?;
                (seen.kind, seen.bytes.ok_or_else(without_size)?, seen.is_unfinished)
            }
            File::Uploaded { media_id } => {
                let stored = self.bucket.head(&pin.tenant, media_id).await.map_err(broken)?;
                let stored = stored.ok_or(Uploaded::Unusable(Unusable::Gone))?;
                (stored.kind, stored.bytes, stored.is_unfinished)
            }
        };
        let kind =
            FileType::wanted(kind, true).map_err(|wrong| Uploaded::Unusable(Unusable::NoVideo(wrong)))?;
        if is_unfinished {
            return Err(Uploaded::Unusable(Unusable::Unfinished));
        }
        if bytes > kind.max_bytes() {
            return Err(Uploaded::Unusable(Unusable::TooLarge));
        }
        Ok(())
    }

    /// Registers a video at Pinterest.
    pub(crate) async fn register_video(
        &self,
        session: &ChannelSession,
    ) -> Result<(UploadForm, ResponseMeta), CallError> {
        let (channel, access) = session.credentials().map_err(|error| CallError::Failed(chain(&error)))?;
        self.sessions.pinterest.register_video(channel.environment, access).await.map_err(call_error)
    }

    /// Asks Pinterest for the status of a video.
    pub(crate) async fn poll_video(
        &self,
        id: &PinterestMediaId,
        session: &ChannelSession,
    ) -> Result<MediaStatus, CallError> {
        let (channel, access) = session.credentials().map_err(|error| CallError::Failed(chain(&error)))?;
        self.sessions.pinterest.video(channel.environment, access, id).await.map_err(call_error)
    }

    /// Uploads the Pin's video.
    pub(crate) async fn upload_video(
        &self,
        pin: &Pin,
        form: &UploadForm,
        session: &ChannelSession,
    ) -> Uploaded {
        let (Media::Video { file, .. }, Some(until)) = (&pin.draft.media, session.uploads_until) else {
            return Uploaded::Broken("there is no time for an upload".to_owned());
        };
        match self.stream_video(&pin.tenant, file, form, until - TIME_TO_SAVE).await {
            Ok(()) => Uploaded::Done,
            Err(uploaded) => uploaded,
        }
    }

    async fn stream_video(
        &self,
        tenant: &TenantId,
        file: &File,
        form: &UploadForm,
        until: Instant,
    ) -> Result<(), Uploaded> {
        let (content, bytes) = match file {
            File::Public { url } => self.fetch_video(url, until).await?,
            File::Uploaded { media_id } => self.read_video(tenant, media_id).await?,
        };
        let is_unfinished = Arc::new(AtomicBool::new(false));
        let video = finished(verified_video(content).await?, Arc::clone(&is_unfinished));
        let within = until.saturating_duration_since(Instant::now());
        let sent = self
            .sessions
            .pinterest
            .upload_video(form, reqwest::Body::wrap_stream(video), bytes, within)
            .await;
        sent.map_err(|error| {
            if is_unfinished.load(Ordering::Relaxed) {
                return Uploaded::Unusable(Unusable::Unfinished);
            }
            Uploaded::Broken(chain(&error))
        })
    }

    /// A video at a public address.
    async fn fetch_video(&self, address: &WebAddress, until: Instant) -> Result<(Content, u64), Uploaded> {
        let address: Url = address.as_str().parse().map_err(broken)?;
        let client = self.fetch.client().map_err(broken)?;
        let file = client.download(&address, FileType::Mp4.max_bytes(), until).await.map_err(not_fetched)?;
        let bytes = file.bytes.ok_or_else(without_size)?;
        Ok((file.into_body().map_err(BoxError::from).boxed(), bytes))
    }

    /// A video from the bucket.
    async fn read_video(&self, tenant: &TenantId, id: &MediaId) -> Result<(Content, u64), Uploaded> {
        match self.bucket.get(tenant, id).await.map_err(broken)? {
            Some(file) => Ok((file.content.map_err(BoxError::from).boxed(), file.bytes)),
            None => Err(Uploaded::Unusable(Unusable::Gone)),
        }
    }
}

type BoxError = Box<dyn std::error::Error + Send + Sync>;
/// A file as a stream of chunks.
type Content = BoxStream<'static, Result<Bytes, BoxError>>;

/// `content`, if its first bytes are those of a video. Pinterest accepts anything else, and fails later without a reason.
async fn verified_video(mut content: Content) -> Result<Content, Uploaded> {
    let mut first = BytesMut::new();
    while first.len() < FileType::SNIFF_BYTES
        && let Some(piece) =
            content.try_next().await.map_err(|error| Uploaded::Broken(chain(error.as_ref())))?
    {
        first.extend_from_slice(&piece);
    }
    FileType::wanted(FileType::sniff(&first), true)
        .map_err(|wrong| Uploaded::Unusable(Unusable::NoVideo(wrong)))?;
    Ok(stream::iter([Ok(first.freeze())]).chain(content).boxed())
}

/// `content`, which fails at its end if the video has no index. Most hosts do not support ranges, so nobody has seen the
/// end before. The form is then incomplete, and Pinterest drops it.
fn finished(content: Content, is_unfinished: Arc<AtomicBool>) -> Content {
    let state = (content, MovieScan::default(), is_unfinished);
    stream::try_unfold(state, async |(mut content, mut scan, is_unfinished)| {
        match content.try_next().await? {
            Some(piece) => {
                scan.read(&piece);
                Ok(Some((piece, (content, scan, is_unfinished))))
            }
            None if scan.has_index() => Ok(None),
            None => {
                is_unfinished.store(true, Ordering::Relaxed);
                Err("the video has no index".into())
            }
        }
    })
    .boxed()
}

/// S3 requires the length before the first byte.
fn without_size() -> Uploaded {
    Uploaded::Broken("the host does not say how large the video is".to_owned())
}

fn broken(error: impl std::error::Error) -> Uploaded {
    Uploaded::Broken(chain(&error))
}

fn not_fetched(error: fetch::Error) -> Uploaded {
    match error {
        fetch::Error::Forbidden(why) => Uploaded::Unusable(Unusable::Forbidden(why.to_string())),
        fetch::Error::TooLarge { .. } => Uploaded::Unusable(Unusable::TooLarge),
        other => {
            tracing::info!(error = %chain(&other), "a video could not be fetched");
            Uploaded::Broken(other.detail())
        }
    }
}

fn call_error(error: pinterest::Error) -> CallError {
    match error {
        pinterest::Error::Refused { refusal, response } => CallError::Refused(refusal, response),
        other => CallError::Failed(chain(&other)),
    }
}

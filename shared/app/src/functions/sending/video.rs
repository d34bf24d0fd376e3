//! Getting a video from where its owner keeps it to Pinterest. It passes through, and is never kept: memory stays
//! small however large it is.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use domain::{
    Answer, File, FileType, Media, MediaId, Pin, PinterestMediaId, TenantId, WebAddress,
    delivery::{Form, MediaStatus, Unheard, Unusable, Uploaded},
};
use futures_util::{
    StreamExt as _, TryStreamExt as _,
    stream::{self, BoxStream},
};
use tokio::time::Instant;
use url::Url;

use super::{Ground, Sender};
use crate::error::chain;

/// What is left of the time for uploads when the file has been found, for saving how it ended.
const TO_SAVE: Duration = Duration::from_secs(5);

impl Sender {
    /// Asks Pinterest for a place for a video.
    pub(super) async fn register(&self, ground: &Ground) -> Result<(Form, Answer), Unheard> {
        let (channel, access) = ground.usable().map_err(Unheard::Failed)?;
        self.pinterest.register_video(channel.environment, access).await.map_err(unheard)
    }

    /// Asks Pinterest how far it has come with a video.
    pub(super) async fn poll(&self, id: &PinterestMediaId, ground: &Ground) -> Result<MediaStatus, Unheard> {
        let (channel, access) = ground.usable().map_err(Unheard::Failed)?;
        self.pinterest.video(channel.environment, access, id).await.map_err(unheard)
    }

    /// Sends the Pin's video to the place that Pinterest has for it.
    pub(super) async fn upload(&self, pin: &Pin, form: &Form, ground: &Ground) -> Uploaded {
        let (Media::Video { file, .. }, Some(until)) = (&pin.draft.media, ground.uploads_until) else {
            return Uploaded::Broken("there is no time for an upload".to_owned());
        };
        match self.pass_on(&pin.tenant, file, form, until - TO_SAVE).await {
            Ok(()) => Uploaded::Done,
            Err(uploaded) => uploaded,
        }
    }

    async fn pass_on(
        &self,
        tenant: &TenantId,
        file: &File,
        form: &Form,
        until: Instant,
    ) -> Result<(), Uploaded> {
        let (content, bytes) = match file {
            File::Public { url } => self.fetched(url, until).await?,
            File::Uploaded { media_id } => self.kept(tenant, media_id).await?,
        };
        let video = recognised(content).await?;
        let within = until.saturating_duration_since(Instant::now());
        let sent = self.pinterest.upload_video(form, reqwest::Body::wrap_stream(video), bytes, within).await;
        sent.map_err(|error| Uploaded::Broken(chain(&error)))
    }

    /// A video from where its owner keeps it.
    async fn fetched(&self, address: &WebAddress, until: Instant) -> Result<(Content, u64), Uploaded> {
        let address: Url = address.as_str().parse().map_err(broken)?;
        let guard = self.fetch.guard().map_err(broken)?;
        let file = guard.open(&address, FileType::Mp4.largest(), until).await.map_err(not_fetched)?;
        let Some(bytes) = file.bytes else {
            // S3 wants the length before the first byte.
            return Err(Uploaded::Broken("the host does not say how large the video is".to_owned()));
        };
        Ok((file.into_body().map_err(BoxError::from).boxed(), bytes))
    }

    /// A video from the bucket.
    async fn kept(&self, tenant: &TenantId, id: &MediaId) -> Result<(Content, u64), Uploaded> {
        match self.bucket.open(tenant, id).await.map_err(broken)? {
            Some(file) => Ok((file.content.map_err(BoxError::from).boxed(), file.bytes)),
            None => Err(Uploaded::Unusable(Unusable::Gone)),
        }
    }
}

type BoxError = Box<dyn std::error::Error + Send + Sync>;
/// A file, piece by piece.
type Content = BoxStream<'static, Result<Bytes, BoxError>>;

/// The whole of `content`, if its first bytes are those of a video: whatever else is uploaded, Pinterest takes, and
/// fails later without a reason.
async fn recognised(mut content: Content) -> Result<Content, Uploaded> {
    let mut first = BytesMut::new();
    while first.len() < FileType::TELLING
        && let Some(piece) =
            content.try_next().await.map_err(|error| Uploaded::Broken(chain(error.as_ref())))?
    {
        first.extend_from_slice(&piece);
    }
    if !FileType::of(&first).is_some_and(FileType::is_video) {
        return Err(Uploaded::Unusable(Unusable::NoVideo));
    }
    Ok(stream::iter([Ok(first.freeze())]).chain(content).boxed())
}

fn broken(error: impl std::error::Error) -> Uploaded {
    Uploaded::Broken(chain(&error))
}

fn not_fetched(error: fetch::Error) -> Uploaded {
    match error {
        fetch::Error::Forbidden(why) => Uploaded::Unusable(Unusable::Forbidden(why.to_string())),
        fetch::Error::TooLarge { .. } => Uploaded::Unusable(Unusable::TooLarge),
        other => broken(other),
    }
}

fn unheard(error: pinterest::Error) -> Unheard {
    match error {
        pinterest::Error::Refused { refusal, answer } => Unheard::Refused(refusal, answer),
        other => Unheard::Failed(chain(&other)),
    }
}

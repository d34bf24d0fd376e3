//! Getting a video to Pinterest before its Pin is sent: registration, upload, and the wait until Pinterest has processed
//! it. Nobody can see any of this, so all of it may be repeated.

use jiff::SignedDuration;

use super::{Action, CallError, SideEffect, Transition, protocol::TransitionBuilder};
use crate::{
    FormField, Media, Message, PinterestMediaId, Reason, Refusal, ResponseMeta, State, Video, VideoStage,
    WrongFile, failures, phrases,
};

/// No upload takes longer. After this time its process has ended, and another process may begin again.
pub const MAX_UPLOAD_TIME: SignedDuration = SignedDuration::from_mins(15);
/// The time after which a poll that has begun may be begun again: it may be running.
const POLL_TIMEOUT: SignedDuration = SignedDuration::from_mins(1);
/// A Pin fails when its upload has failed this many times in a row.
const MAX_UPLOADS: u32 = 5;
/// The retry counter of uploads. It is reset when Pinterest has processed the video.
const UPLOAD: &str = "upload";

const SECOND: SignedDuration = SignedDuration::from_secs(1);
const MINUTE: SignedDuration = SignedDuration::from_mins(1);

/// The form that uploads a video to Pinterest (`MediaUpload` in the v5 contract).
#[derive(Clone, Debug)]
pub struct UploadForm {
    /// The video's id at Pinterest.
    pub pinterest_media_id: PinterestMediaId,
    /// Where to send the form.
    pub url: String,
    /// Its fields, which come before the file.
    pub fields: Vec<(String, FormField)>,
}

/// Each registration has its own form. The other fields are secret, and are never compared.
impl PartialEq for UploadForm {
    fn eq(&self, other: &Self) -> bool {
        self.pinterest_media_id == other.pinterest_media_id
    }
}

impl Eq for UploadForm {}

/// How an upload ended.
#[derive(Clone, Debug)]
pub enum Uploaded {
    /// Pinterest has all of it.
    Done,
    /// It cannot be uploaded, even with more tries.
    Unusable(Unusable),
    /// The next try may succeed.
    Broken(String),
}

/// The error of a video.
#[derive(Clone, Debug)]
pub enum Unusable {
    /// Nothing may be fetched from its address.
    Forbidden(String),
    /// It is larger than Pinterest accepts.
    TooLarge,
    /// It is not an MP4, MOV or M4V file.
    NoVideo(WrongFile),
    /// It has no index.
    Unfinished,
    /// It was uploaded to the stack, and is not there any more.
    Gone,
}

/// How far Pinterest's copy of a video has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MediaStatus {
    /// It is registered, and nothing was uploaded yet.
    Registered,
    /// Pinterest processes it.
    Processing,
    /// A Pin can show it.
    Succeeded,
    /// Pinterest cannot use it, and does not say why.
    Failed,
}

impl TransitionBuilder<'_> {
    /// Whether the Pin shows no video, or one that Pinterest has.
    pub(super) fn video_is_ready(&self) -> bool {
        let is_video = matches!(self.pin.draft.media, Media::Video { .. });
        !is_video || self.pin.video.as_ref().is_some_and(|video| video.stage == VideoStage::Ready)
    }

    /// The next step of the video. The time during which no other process may start this step is saved first.
    pub(super) fn prepare_video(mut self) -> Transition {
        let none = ResponseMeta::default();
        match &self.pin.video {
            None if !self.context.uploads => {
                let now = Some(self.now);
                self.wait(Reason::VideoProcessing, now, phrases::UPLOAD_QUEUED.into(), &none)
            }
            None => {
                self.reserve(MAX_UPLOAD_TIME);
                self.then(Action::Register, SideEffect::Nothing)
            }
            Some(video) => {
                let id = video.pinterest_media_id.clone();
                self.reserve(POLL_TIMEOUT);
                self.then(Action::Poll(id), SideEffect::Nothing)
            }
        }
    }

    /// No other process works on the video during `limit`, unless the outcome is saved before.
    fn reserve(&mut self, limit: SignedDuration) {
        let retry_at = Some(self.now + limit);
        self.pin.transition_to(State::Waiting { reason: Reason::VideoProcessing, retry_at });
    }

    /// The video was registered.
    pub(super) fn registered(mut self, answer: &Result<(UploadForm, ResponseMeta), CallError>) -> Transition {
        match answer {
            Ok((form, answer)) => {
                let pinterest_media_id = form.pinterest_media_id.clone();
                let message = phrases::UPLOADING.with([("pinterest_media_id", &pinterest_media_id)]);
                self.pin.timeline.push_response(self.now, "uploading", message, answer);
                self.pin.video = Some(Video { pinterest_media_id, stage: VideoStage::Registered });
                self.reserve(MAX_UPLOAD_TIME);
                self.then(Action::Upload(form.clone()), SideEffect::Nothing)
            }
            Err(error) => self.call_failed(error),
        }
    }

    /// The upload has ended.
    pub(super) fn uploaded(mut self, outcome: &Uploaded) -> Transition {
        let none = ResponseMeta::default();
        match outcome {
            Uploaded::Done => {
                self.set_stage(VideoStage::Uploaded);
                self.await_video()
            }
            Uploaded::Unusable(why) => self.fail(failures::video_unusable(why), &none),
            Uploaded::Broken(detail) => self.upload_again(phrases::UPLOAD_FAILED.with([("detail", detail)])),
        }
    }

    /// Pinterest has returned the status of the video.
    pub(super) fn polled(mut self, answer: &Result<MediaStatus, CallError>) -> Transition {
        let none = ResponseMeta::default();
        let is_sent = self.pin.video.as_ref().is_some_and(|video| video.stage != VideoStage::Registered);
        match answer {
            Ok(MediaStatus::Succeeded) => {
                self.set_stage(VideoStage::Ready);
                self.pin.retry_counter = None;
                self.pin.timeline.push(self.now, "video_ready", phrases::VIDEO_READY.into());
                self.start()
            }
            Ok(MediaStatus::Failed) => self.fail(failures::video_failed(), &none),
            Ok(MediaStatus::Registered) if !is_sent => self.upload_again(phrases::UPLOAD_INTERRUPTED.into()),
            Ok(MediaStatus::Registered | MediaStatus::Processing) => {
                self.set_stage(VideoStage::Uploaded);
                self.await_video()
            }
            Err(CallError::Refused(_, answer)) if answer.http_status == Some(404) => {
                self.upload_again(phrases::VIDEO_LOST.into())
            }
            Err(error) => self.call_failed(error),
        }
    }

    /// Pinterest takes seconds for a short video, and minutes for a long one. Uploads stay counted until it is ready:
    /// one after the other may be lost there.
    fn await_video(self) -> Transition {
        let (retry_at, message) = self.backoff_by_age(phrases::VIDEO_PROCESSING, SECOND * 10);
        self.wait(Reason::VideoProcessing, retry_at, message, &ResponseMeta::default())
    }

    fn set_stage(&mut self, stage: VideoStage) {
        if let Some(video) = &mut self.pin.video {
            video.stage = stage;
        }
    }

    /// From the beginning: each upload needs a registration of its own.
    fn upload_again(mut self, message: Message) -> Transition {
        self.pin.video = None;
        let retry_at = self.postpone(UPLOAD, MINUTE);
        if self.times(UPLOAD) >= MAX_UPLOADS {
            return self.fail(failures::upload_failed(&message.text), &ResponseMeta::default());
        }
        self.wait(Reason::VideoProcessing, Some(retry_at), message, &ResponseMeta::default())
    }

    fn call_failed(mut self, error: &CallError) -> Transition {
        match error {
            // A missing scope, a limit or an invalid token has the same effect as at sending.
            CallError::Refused(refusal, answer) if *refusal != Refusal::Busy => self.refused(refusal, answer),
            CallError::Refused(_, answer) => {
                let retry_at = self.postpone("media_busy", SECOND * 5);
                self.wait(
                    Reason::PinterestUnavailable,
                    Some(retry_at),
                    phrases::PINTEREST_BUSY.into(),
                    answer,
                )
            }
            CallError::Failed(detail) => {
                let retry_at = self.postpone("media_unheard", SECOND * 30);
                let message = phrases::PINTEREST_UNREACHABLE.with([("detail", detail)]);
                self.wait(Reason::PinterestUnavailable, Some(retry_at), message, &ResponseMeta::default())
            }
        }
    }
}

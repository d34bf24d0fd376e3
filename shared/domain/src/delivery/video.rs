//! Getting a video to Pinterest, before its Pin is sent: a place for it, the upload, and the wait until Pinterest
//! has looked at it. None of this can be seen by anybody, so all of it may be done again.

use jiff::SignedDuration;

use super::{Also, Decision, Next, Unheard, protocol::Step};
use crate::{Answer, FormField, Media, PinterestMediaId, Reason, Refusal, State, Video, VideoStage, words};

/// No upload takes longer: whoever had it has ended by then, and somebody else may begin again.
pub const LONGEST_UPLOAD: SignedDuration = SignedDuration::from_mins(15);
/// A question about a video is not asked again sooner: it may be under way.
const POLL_LIMIT: SignedDuration = SignedDuration::from_mins(1);
/// An upload is given up when it has failed this often in a row.
const UPLOADS: u32 = 5;
/// What an upload that failed counts as, until Pinterest can show the video.
const UPLOAD: &str = "upload";

const SECOND: SignedDuration = SignedDuration::from_secs(1);
const MINUTE: SignedDuration = SignedDuration::from_mins(1);

/// Where Pinterest wants a video to be sent (`MediaUpload` in the v5 contract).
#[derive(Clone, Debug)]
pub struct Form {
    /// What Pinterest calls the video.
    pub pinterest_media_id: PinterestMediaId,
    /// Where to send the form.
    pub url: String,
    /// Its fields, which come before the file.
    pub fields: Vec<(String, FormField)>,
}

/// Pinterest makes a form for each place: the rest is secret, and never compared.
impl PartialEq for Form {
    fn eq(&self, other: &Self) -> bool {
        self.pinterest_media_id == other.pinterest_media_id
    }
}

impl Eq for Form {}

/// How an upload ended.
#[derive(Clone, Debug)]
pub enum Uploaded {
    /// Pinterest has all of it.
    Done,
    /// It cannot be uploaded however often it is tried.
    Unusable(Unusable),
    /// It may work the next time.
    Broken(String),
}

/// What is wrong with a video.
#[derive(Clone, Debug)]
pub enum Unusable {
    /// Nothing may be fetched from its address.
    Forbidden(String),
    /// It is larger than Pinterest takes.
    TooLarge,
    /// It is no MP4, MOV or M4V.
    NoVideo,
    /// It was uploaded to the stack, and is not there any more.
    Gone,
}

/// How far Pinterest's copy of a video has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MediaStatus {
    /// There is a place for it, and nothing in it.
    Registered,
    /// Pinterest looks at it.
    Processing,
    /// A Pin can show it.
    Succeeded,
    /// Pinterest cannot use it, and does not say why.
    Failed,
}

impl Step<'_> {
    /// Whether the Pin shows no video, or one that Pinterest has.
    pub(super) fn video_is_ready(&self) -> bool {
        let is_video = matches!(self.pin.draft.media, Media::Video { .. });
        !is_video || self.pin.video.as_ref().is_some_and(|video| video.stage == VideoStage::Ready)
    }

    /// The next step of the video. It is saved first for how long nobody else may begin with it.
    pub(super) fn prepare(mut self) -> Decision {
        let none = Answer::default();
        match &self.pin.video {
            None if !self.conditions.uploads => {
                let detail = "the video is uploaded to Pinterest with the next tick";
                let now = Some(self.now);
                self.wait(Reason::VideoProcessing, now, detail, &none)
            }
            None => {
                self.keep_for(LONGEST_UPLOAD);
                self.then(Next::Register, Also::Nothing)
            }
            Some(video) => {
                let id = video.pinterest_media_id.clone();
                self.keep_for(POLL_LIMIT);
                self.then(Next::Poll(id), Also::Nothing)
            }
        }
    }

    /// Nobody else begins with it before this is over, unless its outcome is saved.
    fn keep_for(&mut self, limit: SignedDuration) {
        let retry_at = Some(self.now + limit);
        self.pin.enter(State::Waiting { reason: Reason::VideoProcessing, retry_at });
    }

    /// There is a place for the video.
    pub(super) fn registered(mut self, answer: &Result<(Form, Answer), Unheard>) -> Decision {
        match answer {
            Ok((form, answer)) => {
                let pinterest_media_id = form.pinterest_media_id.clone();
                let detail = format!("to Pinterest, as media {pinterest_media_id}");
                self.pin.timeline.record(self.now, "uploading", detail, answer);
                self.pin.video = Some(Video { pinterest_media_id, stage: VideoStage::Registered });
                self.keep_for(LONGEST_UPLOAD);
                self.then(Next::Upload(form.clone()), Also::Nothing)
            }
            Err(unheard) => self.unheard(unheard),
        }
    }

    /// The upload has ended.
    pub(super) fn uploaded(mut self, outcome: &Uploaded) -> Decision {
        let none = Answer::default();
        match outcome {
            Uploaded::Done => {
                self.set_stage(VideoStage::Uploaded);
                self.await_video()
            }
            Uploaded::Unusable(why) => self.fail(words::video_unusable(why), &none),
            Uploaded::Broken(detail) => self.upload_again(detail),
        }
    }

    /// Pinterest has said how far the video has come.
    pub(super) fn polled(mut self, answer: &Result<MediaStatus, Unheard>) -> Decision {
        let none = Answer::default();
        let is_sent = self.pin.video.as_ref().is_some_and(|video| video.stage != VideoStage::Registered);
        match answer {
            Ok(MediaStatus::Succeeded) => {
                self.set_stage(VideoStage::Ready);
                self.pin.setback = None;
                self.pin.timeline.note(self.now, "video_ready", "");
                self.start()
            }
            Ok(MediaStatus::Failed) => self.fail(words::video_failed(), &none),
            Ok(MediaStatus::Registered) if !is_sent => {
                self.upload_again("the process that was uploading the video ended without a word")
            }
            Ok(MediaStatus::Registered | MediaStatus::Processing) => {
                self.set_stage(VideoStage::Uploaded);
                self.await_video()
            }
            Err(Unheard::Refused(_, answer)) if answer.http_status == Some(404) => {
                self.upload_again("Pinterest does not know the video any more")
            }
            Err(unheard) => self.unheard(unheard),
        }
    }

    /// Pinterest takes seconds for a short video, and minutes for a long one. Uploads stay counted until it is ready:
    /// one after the other may be lost there.
    fn await_video(self) -> Decision {
        let detail = "Pinterest has the video, and looks at it";
        let retry_at = self.patiently(detail, SECOND * 10);
        self.wait(Reason::VideoProcessing, Some(retry_at), detail, &Answer::default())
    }

    fn set_stage(&mut self, stage: VideoStage) {
        if let Some(video) = &mut self.pin.video {
            video.stage = stage;
        }
    }

    /// From the beginning: Pinterest gives each upload a place of its own.
    fn upload_again(mut self, detail: &str) -> Decision {
        self.pin.video = None;
        let retry_at = self.put_off(UPLOAD, MINUTE);
        if self.times(UPLOAD) >= UPLOADS {
            return self.fail(words::upload_failed(detail), &Answer::default());
        }
        self.wait(Reason::VideoProcessing, Some(retry_at), detail, &Answer::default())
    }

    fn unheard(mut self, unheard: &Unheard) -> Decision {
        match unheard {
            // A missing scope, a limit or a dead token means the same as at sending.
            Unheard::Refused(refusal, answer) if *refusal != Refusal::Busy => self.refused(refusal, answer),
            Unheard::Refused(_, answer) => {
                let retry_at = self.put_off("media_busy", SECOND * 5);
                let detail = "Pinterest was busy";
                self.wait(Reason::PinterestUnavailable, Some(retry_at), detail, answer)
            }
            Unheard::Failed(detail) => {
                let retry_at = self.put_off("media_unheard", SECOND * 30);
                self.wait(Reason::PinterestUnavailable, Some(retry_at), detail, &Answer::default())
            }
        }
    }
}

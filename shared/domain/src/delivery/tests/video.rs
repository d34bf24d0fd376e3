use super::*;
use crate::{FormField, PinterestMediaId, Video, VideoStage};

fn media_id(number: &str) -> PinterestMediaId {
    PinterestMediaId::try_from(number.to_owned()).unwrap()
}

/// A Pin that shows a video, with which Pinterest has come so far.
fn film(state: State, reached: Option<VideoStage>) -> Pin {
    let video = json!({"kind": "video", "url": "https://example.com/a.mp4", "cover": {"frame_seconds": 0}});
    let mut pin = pin(state);
    pin = altered(&pin, |record| record.draft.media = serde_json::from_value(video).unwrap());
    pin = altered(&pin, |record| {
        record.video = reached.map(|stage| Video { pinterest_media_id: media_id("7"), stage });
    });
    pin
}

fn preparing_video(retry_at: i64, stage: Option<VideoStage>) -> Pin {
    film(State::Waiting { reason: Reason::VideoProcessing, retry_at: Some(at(retry_at)) }, stage)
}

fn form() -> UploadForm {
    let fields = vec![("key".to_owned(), FormField::new("planted".to_owned()))];
    UploadForm { pinterest_media_id: media_id("7"), url: "https://s3.example.com/".to_owned(), fields }
}

fn decide_at(pin: &Pin, input: &Input, seconds: i64) -> Transition {
    decide(pin, input, &ready(), at(seconds))
}

fn stage(pin: &Pin) -> Option<VideoStage> {
    pin.video.as_ref().map(|video| video.stage)
}

#[test]
fn a_video_is_registered_before_anything_is_sent_and_nobody_else_begins_meanwhile() {
    let transition = due(&film(State::Scheduled, None), &ready(), 0);

    assert_eq!(transition.action, Action::Register);
    assert_eq!(waits_for(&transition.pin), Some((Reason::VideoProcessing, Some(at(15 * 60)))));
    assert_eq!(transition.pin.attempts, 0);
    let other = due(&transition.pin, &ready(), 15 * 60 - 1);
    assert_eq!((other.action, other.pin), (Action::Rest, transition.pin));
}

#[test]
fn a_process_that_ends_with_the_answer_leaves_the_upload_to_another() {
    let no_time_left = Context { uploads: false, ..ready() };

    let transition = due(&film(State::Scheduled, None), &no_time_left, 0);

    assert_eq!(transition.action, Action::Rest);
    assert_eq!(waits_for(&transition.pin), Some((Reason::VideoProcessing, Some(at(0)))));
}

#[test]
fn the_place_of_a_video_is_saved_before_the_upload_and_its_form_never_printed() {
    let answer = Input::Registered(Ok((form(), ResponseMeta::default())));

    let transition = decide_at(&preparing_video(900, None), &answer, 2);

    assert_eq!(transition.action, Action::Upload(form()));
    assert_eq!(stage(&transition.pin), Some(VideoStage::Registered));
    assert!(!format!("{transition:?}").contains("planted"));
}

#[test]
fn the_status_of_an_upload_is_polled_at_growing_intervals() {
    let uploaded =
        decide_at(&preparing_video(900, Some(VideoStage::Registered)), &Input::Uploaded(Uploaded::Done), 60);
    assert_eq!(stage(&uploaded.pin), Some(VideoStage::Uploaded));
    let mut pin = uploaded.pin;
    let mut last = 0;
    for _ in 0..20 {
        let Some((Reason::VideoProcessing, Some(retry_at))) = waits_for(&pin) else { panic!("{pin:?}") };
        let polling = decide(&pin, &Input::Due, &ready(), retry_at);
        assert_eq!(polling.action, Action::Poll(media_id("7")));
        let answer = Input::Polled(Ok(MediaStatus::Processing));
        let after_poll = decide(&polling.pin, &answer, &ready(), retry_at).pin;
        let wait = waits_for(&after_poll).unwrap().1.unwrap().duration_since(retry_at).as_secs();
        assert!(wait >= last, "{wait} after {last}");
        (last, pin) = (wait, after_poll);
    }
    assert!((60..1800).contains(&last), "{last}");
}

#[test]
fn a_video_that_is_ready_is_sent_at_once() {
    let answer = Input::Polled(Ok(MediaStatus::Succeeded));

    let transition = decide_at(&preparing_video(900, Some(VideoStage::Uploaded)), &answer, 100);

    assert!(matches!(transition.action, Action::Send(_)), "{transition:?}");
    assert_eq!((stage(&transition.pin), transition.pin.attempts), (Some(VideoStage::Ready), 1));
}

#[test]
fn an_interrupted_upload_is_polled_before_it_is_repeated() {
    let cut_off = preparing_video(900, Some(VideoStage::Registered));
    let polling = due(&cut_off, &ready(), 900);
    assert_eq!(polling.action, Action::Poll(media_id("7")));

    let received = decide_at(&polling.pin, &Input::Polled(Ok(MediaStatus::Processing)), 901);
    assert_eq!(stage(&received.pin), Some(VideoStage::Uploaded), "it had arrived whole");

    let empty = decide_at(&polling.pin, &Input::Polled(Ok(MediaStatus::Registered)), 901);
    assert_eq!(stage(&empty.pin), None);
    let (_, Some(next_try)) = waits_for(&empty.pin).unwrap() else { panic!() };
    assert_eq!(decide(&empty.pin, &Input::Due, &ready(), next_try).action, Action::Register);
}

#[test]
fn an_upload_that_keeps_breaking_is_given_up_with_the_reason() {
    let mut pin = preparing_video(900, Some(VideoStage::Registered));
    let mut tries = 0;
    while failure(&pin).is_none() {
        tries += 1;
        let broken = Input::Uploaded(Uploaded::Broken("the host fell silent".to_owned()));
        pin = decide_at(&pin, &broken, tries * 1000).pin;
    }
    assert_eq!((failure(&pin), tries), (Some("video_upload_failed"), 5));
}

#[test]
fn a_video_that_pinterest_cannot_use_ends_the_pin_and_one_it_has_lost_is_sent_again() {
    let pin = preparing_video(900, Some(VideoStage::Uploaded));
    let failed = decide_at(&pin, &Input::Polled(Ok(MediaStatus::Failed)), 100);
    assert_eq!(failure(&failed.pin), Some("video_failed"));

    let not_found = ResponseMeta { http_status: Some(404), ..ResponseMeta::default() };
    let lost_video = decide_at(&pin, &Input::Polled(Err(CallError::Refused(Refusal::Other, not_found))), 100);
    assert_eq!((failure(&lost_video.pin), stage(&lost_video.pin)), (None, None));
}

#[test]
fn a_video_that_pinterest_keeps_losing_is_not_uploaded_for_ever() {
    let mut pin = preparing_video(900, Some(VideoStage::Registered));
    let mut uploads: i64 = 0;
    while failure(&pin).is_none() {
        uploads += 1;
        pin = altered(&pin, |record| {
            record.video = Some(Video { pinterest_media_id: media_id("7"), stage: VideoStage::Registered });
        });
        pin = decide_at(&pin, &Input::Uploaded(Uploaded::Done), uploads * 1000).pin;
        let processing = Input::Polled(Ok(MediaStatus::Processing));
        pin = decide_at(&pin, &processing, uploads * 1000 + 10).pin;
        let not_found = ResponseMeta { http_status: Some(404), ..ResponseMeta::default() };
        let lost_video = Input::Polled(Err(CallError::Refused(Refusal::Other, not_found)));
        pin = decide_at(&pin, &lost_video, uploads * 1000 + 20).pin;
    }
    assert_eq!((failure(&pin), uploads), (Some("video_upload_failed"), 5));
}

#[test]
fn a_limit_a_missing_scope_and_a_dead_token_have_the_same_effect_as_at_sending() {
    let answer = ResponseMeta { http_status: Some(429), ..ResponseMeta::default() };
    let after_refusal = |refusal| {
        let call_error = CallError::Refused(refusal, answer.clone());
        decide_at(&preparing_video(900, None), &Input::Registered(Err(call_error)), 5)
    };
    let rate_limited = after_refusal(Refusal::Quota { retry_after: None });
    assert_eq!(waits_for(&rate_limited.pin).unwrap().0, Reason::Quota);
    assert!(matches!(rate_limited.side_effect, SideEffect::PauseChannel(_)));
    assert_eq!(failure(&after_refusal(Refusal::Scope).pin), Some("invalid_scope"));
    assert_eq!(after_refusal(Refusal::TokenDead).side_effect, SideEffect::RefreshToken);
}

#[test]
fn a_video_that_is_ready_after_the_give_up_time_is_not_published() {
    let answer = Input::Polled(Ok(MediaStatus::Succeeded));

    let transition = decide_at(&preparing_video(900, Some(VideoStage::Uploaded)), &answer, WEEK);

    assert_eq!((transition.action, failure(&transition.pin)), (Action::Rest, Some("too_late")));
}

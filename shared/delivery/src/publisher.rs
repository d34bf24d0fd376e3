//! The driver of the delivery protocol.

use std::time::Duration;

use adapters::MediaBucket;
use domain::{
    Attempt, BlockedLinks, Channel, Draft, Pin, Refusal, ResponseMeta, State,
    delivery::{Action, Decide, Input, Outcome, SideEffect, Transition},
};
use platform::{Clock, Random, chain};
use store::WriteOutcome;
use tokio::time::Instant;

use crate::{ChannelSession, MediaFetch, Result, Sessions};

/// A send starts within this time after the write that allows it, or not at all: later, other processes may conclude that
/// it has ended.
const MAX_SEND_DELAY: Duration = Duration::from_secs(5);
/// How many times a Pin that other processes change is read again.
const MAX_CONFLICT_RETRIES: usize = 5;

/// Sends Pins, and finds out the outcome of attempts.
#[derive(Debug)]
pub struct PinPublisher {
    /// Opens the sessions that Pins are sent in.
    pub sessions: Sessions,
    /// Uploaded files.
    pub bucket: MediaBucket,
    /// Fetches videos.
    pub fetch: MediaFetch,
    /// Whether a user waits for the answer: then a transaction writes the last two rows in one round trip, which costs
    /// twice as much.
    pub in_a_hurry: bool,
    /// The protocol: an argument, so that tests can break it.
    pub decide: Decide,
    pub(crate) clock: Clock,
    pub(crate) random: Random,
}

impl PinPublisher {
    #[must_use]
    pub fn new(
        sessions: Sessions,
        bucket: MediaBucket,
        fetch: MediaFetch,
        clock: Clock,
        random: Random,
    ) -> Self {
        Self { sessions, bucket, fetch, in_a_hurry: true, decide: domain::delivery::decide, clock, random }
    }

    /// The result of carrying out an action.
    #[must_use]
    pub fn decide(&self, pin: &Pin, input: &Input, session: &ChannelSession) -> Transition {
        (self.decide)(pin, input, &session.context(&self.random), self.clock.now())
    }

    /// Drives a Pin that was read from the table until it rests.
    pub async fn drive(&self, pin: Pin, input: Input, session: &ChannelSession) -> Result<Pin> {
        let transition = self.decide(&pin, &input, session);
        self.run_loop(pin, input, transition, session).await
    }

    /// Drives a Pin whose first transition was saved already, by a write that began at `saved_at`.
    pub async fn drive_from_saved(
        &self,
        transition: Transition,
        saved_at: Instant,
        session: &ChannelSession,
    ) -> Result<Pin> {
        let Transition { pin, action, side_effect } = transition;
        self.apply_side_effect(&pin, side_effect, session).await;
        match self.execute_next(&pin, action, saved_at, session).await? {
            Some((input, renewed)) => {
                // Boxed: the SDK's futures are deep, and this one is held by value all the way up.
                Box::pin(self.drive(pin, input, renewed.as_ref().unwrap_or(session))).await
            }
            None => Ok(pin),
        }
    }

    /// Saves a transition, carries out its action, and decides about the result, until there is nothing to do.
    async fn run_loop(
        &self,
        mut pin: Pin,
        mut input: Input,
        mut transition: Transition,
        first_session: &ChannelSession,
    ) -> Result<Pin> {
        let mut conflicts = 0;
        let mut renewed = None;
        loop {
            let session = renewed.as_ref().unwrap_or(first_session);
            let Transition { pin: decided, action, side_effect } = transition;
            let saved_at = Instant::now();
            let (outcome, saved) = self.save(&pin, decided, &input, session).await?;
            self.apply_side_effect(&saved, side_effect, session).await;
            match outcome {
                WriteOutcome::Done => {
                    pin = saved;
                    let Some((next_input, new_session)) =
                        self.execute_next(&pin, action, saved_at, session).await?
                    else {
                        return Ok(pin);
                    };
                    input = next_input;
                    renewed = new_session.or(renewed);
                }
                // The Pinterest Pin that was found or created belongs to another Pin of ours, so the search for this Pin
                // goes on.
                WriteOutcome::RemotePinTaken => {
                    input = match &pin.state {
                        State::OutcomeUnknown { attempt, .. } => {
                            Input::BoardChecked(self.check_board(&pin, attempt, session).await)
                        }
                        State::Sending(attempt) => Input::Sent {
                            fencing_token: attempt.fencing_token.clone(),
                            outcome: Outcome::Unknown(domain::ResponseMeta::default()),
                        },
                        _ => return Ok(pin),
                    };
                }
                // Another process has changed the Pin. What happened here may still count.
                WriteOutcome::VersionConflict => {
                    conflicts += 1;
                    let current = self.sessions.main.pin(&pin.tenant, &pin.id).await?;
                    let Some(current) = current.filter(|_| conflicts < MAX_CONFLICT_RETRIES) else {
                        return Ok(pin);
                    };
                    if !still_counts(&input, &pin, &current) {
                        return Ok(current);
                    }
                    pin = current;
                }
            }
            let session = renewed.as_ref().unwrap_or(first_session);
            transition = self.decide(&pin, &input, session);
        }
    }

    /// Carries out an action, and returns its result, with a new session if the channel has been connected again in the
    /// meantime.
    async fn execute_next(
        &self,
        pin: &Pin,
        action: Action,
        saved_at: Instant,
        session: &ChannelSession,
    ) -> Result<Option<(Input, Option<ChannelSession>)>> {
        if let Some(input) = self.execute(pin, action, saved_at, session).await {
            return Ok(Some((input, None)));
        }
        let renewed = self.recheck_channel(pin, session).await?;
        Ok(renewed.map(|renewed| (Input::ChannelReconnected, Some(renewed))))
    }

    /// A Pin that waits for its channel is resumed when the channel is connected again. If that happened while the Pin was
    /// being written, the waiting Pin was not seen: then it is resumed here.
    async fn recheck_channel(&self, pin: &Pin, session: &ChannelSession) -> Result<Option<ChannelSession>> {
        let (State::Waiting { retry_at: None, .. } | State::OutcomeUnknown { retry_at: None, .. }) =
            pin.state
        else {
            return Ok(None);
        };
        let snapshot = self.sessions.read_snapshot(&pin.tenant, &pin.channel_id, None).await?;
        let current = self.sessions.open_snapshot(snapshot).await?;
        Ok((current.token_version() != session.token_version()).then_some(current))
    }

    /// Saves the decided Pin over the version that was read, and returns the saved Pin. A Pin that has not changed is not
    /// written.
    async fn save(
        &self,
        before: &Pin,
        decided: Pin,
        input: &Input,
        session: &ChannelSession,
    ) -> Result<(WriteOutcome, Pin)> {
        let Some(pin) = decided.next_version(before) else {
            return Ok((WriteOutcome::Done, before.clone()));
        };
        let main = &self.sessions.main;
        let outcome = match (&pin.state, session.channel()) {
            // Pinterest has just returned this id for this Pin, so the binding is correct even if the Pin cannot be saved
            // now. A Pin that was found on a board is bound only together with the save of our Pin, because it may belong
            // to another one.
            (State::Published { pinterest_pin_id, .. }, Some(channel))
                if !self.in_a_hurry && was_created(input) =>
            {
                if main.bind(&pin.id, channel.environment, pinterest_pin_id).await? {
                    main.save_pin(&pin).await?
                } else {
                    WriteOutcome::RemotePinTaken
                }
            }
            (State::Published { pinterest_pin_id, .. }, Some(channel)) => {
                main.save_published(&pin, channel.environment, pinterest_pin_id).await?
            }
            (State::Sending(_), _) => main.save_sending(&pin, before).await?,
            _ => main.save_pin(&pin).await?,
        };
        Ok((outcome, pin))
    }

    /// If it fails, the next Pin that meets the same cause does it again.
    async fn apply_side_effect(&self, pin: &Pin, side_effect: SideEffect, session: &ChannelSession) {
        let main = &self.sessions.main;
        let applied = match (side_effect, session.channel()) {
            (SideEffect::PauseChannel(pause), _) => {
                main.pause_channel(&pin.tenant, &pin.channel_id, pause).await
            }
            (SideEffect::PauseApp(pause), Some(channel)) => main.pause_app(channel.environment, pause).await,
            (SideEffect::RefreshToken, _) => {
                self.sessions.request_refresh(&pin.tenant, &pin.channel_id, session.token_version()).await
            }
            (SideEffect::CountBlockedLink | SideEffect::ForgetBlockedLink, Some(channel)) => {
                let links = self.blocked_links(channel, &pin.draft, side_effect);
                main.save_blocked_links(&pin.tenant, &pin.channel_id, &links).await
            }
            (SideEffect::Nothing, _) | (_, None) => Ok(()),
        };
        if let Err(error) = applied {
            tracing::warn!(error = %chain(&error), pin.id = %pin.id, "what a Pin has met could not be saved for its channel");
        }
    }

    /// The blocked links after this one. If two processes save at the same time, the second wins: one link more or less
    /// does no harm.
    fn blocked_links(&self, channel: &Channel, draft: &Draft, side_effect: SideEffect) -> BlockedLinks {
        let now = self.clock.now();
        draft.link_hosts().iter().fold(channel.blocked_links.clone(), |links, host| match side_effect {
            SideEffect::CountBlockedLink => links.with_blocked(host, now),
            _ => links.without(host),
        })
    }

    async fn execute(
        &self,
        pin: &Pin,
        action: Action,
        saved_at: Instant,
        session: &ChannelSession,
    ) -> Option<Input> {
        Some(match action {
            Action::Rest => return None,
            Action::Send(attempt) => {
                let outcome = self.send(pin, &attempt, saved_at, session).await;
                Input::Sent { fencing_token: attempt.fencing_token, outcome }
            }
            Action::CheckBoard(attempt) => {
                Input::BoardChecked(self.check_board(pin, &attempt, session).await)
            }
            Action::Register => match self.look_at_video(pin).await {
                Ok(()) => Input::Registered(self.register_video(session).await),
                Err(unusable) => Input::Uploaded(unusable),
            },
            Action::Upload(form) => Input::Uploaded(self.upload_video(pin, &form, session).await),
            Action::Poll(id) => Input::Polled(self.poll_video(&id, session).await),
        })
    }

    async fn send(
        &self,
        pin: &Pin,
        attempt: &Attempt,
        saved_at: Instant,
        session: &ChannelSession,
    ) -> Outcome {
        let (channel, access) = match session.credentials() {
            Ok(credentials) => credentials,
            Err(error) => return Outcome::NotSent(chain(&error)),
        };
        let media = match self.pin_media(pin).await {
            Ok(media) => media,
            Err(reason) => return Outcome::NotSent(reason),
        };
        // The monotonic clock does not count the sleep of a machine, and the wall clock may be changed: both have to agree.
        let waited = self.clock.now().duration_since(attempt.started_at).unsigned_abs();
        if saved_at.elapsed().max(waited) >= MAX_SEND_DELAY {
            return Outcome::NotSent("this process was held up: nothing was sent".to_owned());
        }
        let pinterest = &self.sessions.pinterest;
        match pinterest.create_pin(channel.environment, access, &pin.draft, &media).await {
            Ok((id, response)) => Outcome::Created(id, response),
            Err(pinterest::Error::Refused { refusal: Refusal::NotPermitted, response }) => {
                let board = pinterest.board(channel.environment, access, &pin.draft.board).await;
                Outcome::Refused(why_not_permitted(board), response)
            }
            Err(pinterest::Error::Refused { refusal, response }) => Outcome::Refused(refusal, response),
            Err(error @ pinterest::Error::NotSent(_)) => Outcome::NotSent(chain(&error)),
            Err(error) => {
                // The Pin cannot store the cause.
                tracing::warn!(error = %chain(&error), "it is not known whether a Pin was created");
                let unreadable = error.is_unreadable();
                Outcome::Unknown(ResponseMeta { unreadable, ..error.into_response() })
            }
        }
    }
}

/// Finds the cause of a 403 code 29 without a reason: `board` is Pinterest's answer about the Pin's board. All scopes were
/// granted, or nothing would have been sent.
fn why_not_permitted(board: Result<pinterest::Board, pinterest::Error>) -> Refusal {
    match board {
        Err(pinterest::Error::Refused { refusal: Refusal::BoardGone | Refusal::NotPermitted, .. }) => {
            Refusal::BoardGone
        }
        Err(pinterest::Error::Refused { response, .. })
            if matches!(response.http_status, Some(403 | 404)) =>
        {
            Refusal::BoardGone
        }
        _ => Refusal::NotPermitted,
    }
}

/// Whether Pinterest has answered that it created the Pin.
fn was_created(input: &Input) -> bool {
    matches!(input, Input::Sent { outcome: Outcome::Created(..), .. })
}

/// Whether an input to `before` still applies to the Pin that another process has changed.
fn still_counts(input: &Input, before: &Pin, current: &Pin) -> bool {
    match input {
        Input::Sent { .. } => true,
        // The video has the same stage; only something else has changed.
        Input::Registered(_) | Input::Uploaded(_) | Input::Polled(_) => current.video == before.video,
        Input::Due | Input::ChannelReconnected | Input::BoardChecked(_) => false,
    }
}

//! The driver of the delivery protocol: saves what was decided, does what was decided, reports what happened.
//! It holds no rule; those are in [`domain::delivery`].

mod looking;
mod shown;
mod video;

use std::time::Duration;

use domain::{
    AccessToken, Attempt, Channel, Connection, Pin, State,
    delivery::{Also, Conditions, Decide, Happened, Next, Outcome, Readiness},
};
use tokio::time::Instant;

use super::{PublicSettings, accounts::heard};
use crate::{
    Clock, Random,
    client::Fetch,
    error::{Error, Result, chain},
    media::Bucket,
    setup::Setup,
    store::{Briefing, MainTable, Put, TokensTable},
    vault::{self, Vault},
};

/// A send begins within this time of the write that allows it, or not at all: later, others may believe that
/// it is over.
const SEND_WITHIN: Duration = Duration::from_secs(5);
/// No upload is begun that has less time than this.
const SHORTEST_UPLOAD: Duration = Duration::from_mins(1);
/// How often a Pin that others keep changing is read again.
const READS: usize = 5;

/// Sends Pins, and finds out what became of them.
#[derive(Debug)]
pub struct Sender {
    /// Tokens are opened with it.
    pub vault: Vault,
    /// Channels and Pins.
    pub main: MainTable,
    /// Sealed tokens.
    pub tokens: TokensTable,
    /// Where Pins go.
    pub pinterest: pinterest::Client,
    /// Fetches videos from where their owners keep them.
    pub fetch: Fetch,
    /// Where people's files lie.
    pub bucket: Bucket,
    /// Whether the integration runs.
    pub settings: PublicSettings,
    /// Tells the time.
    pub clock: Clock,
    /// Marks attempts and spreads retries.
    pub random: Random,
    /// The protocol: an argument, so that tests can break it.
    pub decide: Decide,
}

/// What sending stands on: read before anything is written.
#[derive(Debug)]
pub struct Ground {
    /// The channel, unless it is gone.
    pub channel: Option<Channel>,
    readiness: Readiness,
    lost: bool,
    token_version: u64,
    access: Option<AccessToken>,
    /// Until when a video may be uploaded, if this process lives long enough for that.
    pub uploads_until: Option<Instant>,
}

impl Ground {
    /// The channel, and the token to use it with, or why there is none.
    fn usable(&self) -> Result<(&Channel, &AccessToken), String> {
        let both = self.channel.as_ref().zip(self.access.as_ref());
        both.ok_or_else(|| "the channel cannot be used".to_owned())
    }

    /// The token to read with.
    pub fn access(&self) -> Result<&AccessToken> {
        match (&self.access, self.readiness) {
            (Some(access), _) => Ok(access),
            (None, Readiness::Paused(pause)) => Err(Error::Resting(pause)),
            (None, Readiness::ReconnectRequired) => Err(Error::ReconnectRequired),
            (None, Readiness::TokenExpired | Readiness::Ready) => Err(Error::TokenRefreshing),
            (None, Readiness::SwitchedOff(why)) => Err(Error::IntegrationDisabled(why)),
            (None, Readiness::Gone) => Err(Error::NotFound("channel")),
        }
    }
}

impl Sender {
    /// Of its parts.
    #[must_use]
    pub fn new(
        vault: Vault,
        main: MainTable,
        tokens: TokensTable,
        pinterest: pinterest::Client,
        fetch: Fetch,
        bucket: Bucket,
        setup: &Setup,
    ) -> Self {
        Self {
            vault,
            settings: PublicSettings::new(main.clone(), &setup.variables),
            main,
            tokens,
            pinterest,
            fetch,
            bucket,
            clock: setup.clock.clone(),
            random: setup.random.clone(),
            decide: domain::delivery::decide,
        }
    }

    /// Whether a channel can send, and the token to send with.
    pub async fn ground(&self, briefing: Briefing) -> Result<Ground> {
        let now = self.clock.now();
        let off = self.settings.of(briefing.settings.as_ref()).err();
        let (Some(channel), Some(token)) = (briefing.channel, briefing.token) else {
            let readiness = Readiness::Gone;
            return Ok(Ground {
                channel: None,
                readiness,
                lost: false,
                token_version: 0,
                access: None,
                uploads_until: None,
            });
        };
        let pauses = [briefing.app_pause, channel.pause].into_iter().flatten();
        let pause = pauses.filter(|pause| pause.until > now).max_by_key(|pause| pause.until);
        let gone = match token.grant.connection {
            Connection::Connected => Readiness::TokenExpired,
            Connection::ReconnectRequired(_) => Readiness::ReconnectRequired,
        };
        let (readiness, access) = match (off, pause) {
            (Some(why), _) => (Readiness::SwitchedOff(why), None),
            _ if token.grant.access_expires_at <= now => (gone, None),
            (None, Some(pause)) => (Readiness::Paused(pause), None),
            // Even when the refresh token is dead, the access token is used until it expires.
            (None, None) => match self.vault.open_access(&token.pair, channel.id.as_str()).await {
                Ok(access) => (Readiness::Ready, Some(access)),
                // As good as expired: a new one is sealed with a key that there is.
                Err(error @ vault::Error::DoesNotOpen(_)) => {
                    tracing::error!(error = %chain(&error), channel.id = %channel.id, "a token is lost with its key");
                    (gone, None)
                }
                Err(error) => return Err(error.into()),
            },
        };
        let lost = token.grant.connection != Connection::Connected;
        let token_version = token.grant.version;
        let channel = Some(channel);
        Ok(Ground { channel, readiness, lost, token_version, access, uploads_until: None })
    }

    /// What the protocol has to know of the ground.
    pub fn conditions(&self, ground: &Ground) -> Conditions {
        let channel = ground.channel.as_ref();
        Conditions {
            readiness: ground.readiness,
            lost: ground.lost,
            token_version: ground.token_version,
            scopes: channel.map(|channel| channel.scopes.clone()).unwrap_or_default(),
            environment: channel.map_or(domain::Environment::Sandbox, |channel| channel.environment),
            fence: self.random.mark(),
            jitter: self.random.jitter(),
            uploads: ground.uploads_until.is_some_and(|until| until >= Instant::now() + SHORTEST_UPLOAD),
            last_pause: channel.and_then(|channel| channel.pause),
        }
    }

    /// Pinterest's answer to a question that was asked on `ground`.
    pub async fn asked<T>(&self, answer: Result<T, pinterest::Error>, ground: &Ground) -> Result<T> {
        let Some(channel) = &ground.channel else { return Ok(answer?) };
        let Ground { token_version, lost, .. } = ground;
        heard(answer, &self.tokens, &channel.id, *token_version, *lost, self.clock.now()).await
    }

    /// Carries a Pin that was read from the table on from what happened, until it rests.
    pub async fn carry(&self, pin: Pin, happened: Happened, ground: &Ground) -> Result<Pin> {
        let decision = (self.decide)(&pin, &happened, &self.conditions(ground), self.clock.now());
        self.carry_decided(pin, happened, decision, ground).await
    }

    /// Carries a Pin on whose first step was decided and saved already, by a write that began at `saved_at`.
    pub async fn carry_saved(&self, pin: Pin, next: Next, saved_at: Instant, ground: &Ground) -> Result<Pin> {
        match self.follow(&pin, next, saved_at, ground).await? {
            Some((happened, fresh)) => {
                // Boxed: the SDK's futures are deep, and this one is held by value all the way up.
                Box::pin(self.carry(pin, happened, fresh.as_ref().unwrap_or(ground))).await
            }
            None => Ok(pin),
        }
    }

    async fn carry_decided(
        &self,
        mut pin: Pin,
        mut happened: Happened,
        mut decision: domain::delivery::Decision,
        found: &Ground,
    ) -> Result<Pin> {
        let mut reads = 0;
        let mut renewed = None;
        loop {
            let ground = renewed.as_ref().unwrap_or(found);
            let saved_at = Instant::now();
            let put = self.save(&pin, &mut decision.pin, ground).await?;
            self.spread(&decision.pin, decision.also, ground).await;
            match put {
                Put::Done => {
                    pin = decision.pin;
                    let Some((what, fresh)) = self.follow(&pin, decision.next, saved_at, ground).await?
                    else {
                        return Ok(pin);
                    };
                    happened = what;
                    renewed = fresh.or(renewed);
                }
                // Another Pin of ours owns what was found or made: this one's own is still to be found.
                Put::Taken => {
                    happened = match &pin.state {
                        State::InDoubt { attempt, .. } => {
                            Happened::Looked(self.look(&pin, attempt, ground).await)
                        }
                        State::Sending(attempt) => Happened::Sent {
                            fence: attempt.fence.clone(),
                            outcome: Outcome::Unknown(domain::Answer::default()),
                        },
                        _ => return Ok(pin),
                    };
                }
                // Somebody else has decided something; what happened to us may still count.
                Put::Stale | Put::Used(_) => {
                    reads += 1;
                    let fresh = self.main.pin(&pin.tenant, &pin.id).await?;
                    let Some(fresh) = fresh.filter(|_| reads < READS) else {
                        return Ok(pin);
                    };
                    let counts = match &happened {
                        Happened::Sent { .. } => true,
                        // The video is where it was: only what is around it has changed.
                        Happened::Registered(_) | Happened::Uploaded(_) | Happened::Polled(_) => {
                            fresh.video == pin.video
                        }
                        Happened::Due | Happened::ChannelBack | Happened::Looked(_) => false,
                    };
                    if !counts {
                        return Ok(fresh);
                    }
                    pin = fresh;
                }
            }
            let ground = renewed.as_ref().unwrap_or(found);
            decision = (self.decide)(&pin, &happened, &self.conditions(ground), self.clock.now());
        }
    }

    /// Does what was decided, and says what happened then, and what it stands on if that is something new.
    async fn follow(
        &self,
        pin: &Pin,
        next: Next,
        saved_at: Instant,
        ground: &Ground,
    ) -> Result<Option<(Happened, Option<Ground>)>> {
        if let Some(happened) = self.act(pin, next, saved_at, ground).await? {
            return Ok(Some((happened, None)));
        }
        Ok(self.back(pin, ground).await?.map(|fresh| (Happened::ChannelBack, Some(fresh))))
    }

    /// A Pin that waits for its channel is woken when the channel comes back, unless it came back while the Pin
    /// was on its way into the row: then this is the wake-up.
    async fn back(&self, pin: &Pin, ground: &Ground) -> Result<Option<Ground>> {
        let (State::Waiting { retry_at: None, .. } | State::InDoubt { retry_at: None, .. }) = pin.state
        else {
            return Ok(None);
        };
        let now = self.clock.now();
        let briefing = self.main.briefing(&self.tokens, &pin.tenant, &pin.channel_id, None, now).await?;
        let fresh = self.ground(briefing).await?;
        Ok((fresh.token_version != ground.token_version).then_some(fresh))
    }

    /// Saves what was decided over what was read. Nothing new is not written.
    async fn save(&self, pin: &Pin, new: &mut Pin, ground: &Ground) -> Result<Put> {
        if new == pin {
            return Ok(Put::Done);
        }
        new.version = pin.version + 1;
        Ok(match (&new.state, &ground.channel) {
            (State::Published { pinterest_pin_id, .. }, Some(channel)) => {
                self.main.save_published(new, channel.environment, pinterest_pin_id).await?
            }
            _ => self.main.save_pin(new).await?,
        })
    }

    /// What else the decision changes. Lost, it is decided again by the next Pin that meets the same.
    async fn spread(&self, pin: &Pin, also: Also, ground: &Ground) {
        let done = match (also, &ground.channel) {
            (Also::PauseChannel(pause), _) => {
                self.main.pause_channel(&pin.tenant, &pin.channel_id, pause).await
            }
            (Also::PauseApp(pause), Some(channel)) => self.main.pause_app(channel.environment, pause).await,
            (Also::RefreshToken, _) => {
                self.tokens.make_due(&pin.channel_id, ground.token_version, self.clock.now()).await
            }
            (Also::Nothing | Also::PauseApp(_), _) => Ok(()),
        };
        if let Err(error) = done {
            tracing::warn!(error = %chain(&error), pin.id = %pin.id, "a pause or a refresh could not be noted");
        }
    }

    /// Does what was decided, and says what happened then.
    async fn act(
        &self,
        pin: &Pin,
        next: Next,
        saved_at: Instant,
        ground: &Ground,
    ) -> Result<Option<Happened>> {
        Ok(match next {
            Next::Rest => None,
            Next::Send(attempt) => {
                let outcome = self.send(pin, &attempt, saved_at, ground).await;
                Some(Happened::Sent { fence: attempt.fence, outcome })
            }
            Next::Look(attempt) => Some(Happened::Looked(self.look(pin, &attempt, ground).await)),
            Next::Register => Some(Happened::Registered(self.register(ground).await)),
            Next::Upload(form) => Some(Happened::Uploaded(self.upload(pin, &form, ground).await)),
            Next::Poll(id) => Some(Happened::Polled(self.poll(&id, ground).await)),
        })
    }

    async fn send(&self, pin: &Pin, attempt: &Attempt, saved_at: Instant, ground: &Ground) -> Outcome {
        let (channel, access) = match ground.usable() {
            Ok(usable) => usable,
            Err(why) => return Outcome::NotSent(why),
        };
        // The monotonic clock misses a machine that slept, the wall clock may be moved: both must agree.
        let waited = self.clock.now().duration_since(attempt.started_at).unsigned_abs();
        if saved_at.elapsed().max(waited) >= SEND_WITHIN {
            return Outcome::NotSent("this process was held up: nothing was sent".to_owned());
        }
        match self.shown(pin) {
            Ok(shown) => self.pinterest.create_pin(channel.environment, access, &pin.draft, &shown).await,
            Err(why) => Outcome::NotSent(why),
        }
    }
}

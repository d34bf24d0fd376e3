//! `refresh`: every minute, tokens that are due; daily, the roll-call.
//!
//! The driver of the refresh protocol: it does what was decided and reports what happened. It holds no rule;
//! those are in [`domain::refresh`].

use domain::{
    AppSecret, ChannelId, Connection, Effective, Refusal, TokenPair,
    refresh::{
        Asked, Decide, Facts, Grant, Happened, LEASE, Lease, NEEDED_TO_SEND, Next, Renewal, Which, decide,
        is_dying, warning,
    },
};
use futures_util::{FutureExt as _, StreamExt as _, stream};
use jiff::{SignedDuration, Timestamp};
use tokio::time::{Duration, Instant};

use super::warn_of_age;
use crate::{
    Clock, Random,
    error::{Result, chain},
    secrets::SettingsSecret,
    setup::Setup,
    store::{self, Due, Heartbeat, MainTable, Proven, Saved, TokenRow, TokensTable, Work},
    text,
    vault::{self, Place, SealedPair, Sealer, Vault},
};

/// How many channels are refreshed at once, unless `REFRESH_AT_ONCE` says otherwise.
const AT_ONCE: usize = 8;
/// What must be left of the invocation to begin with a channel: several calls, and the save.
const NEEDED: Duration = Duration::from_mins(2);
/// How long a row that cannot be worked on is left alone.
const PUT_OFF: SignedDuration = SignedDuration::from_mins(5);

/// What wakes the function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tick {
    /// Every minute: what is due.
    Due,
    /// Every day: warnings, and what is overdue.
    RollCall,
}

impl Tick {
    /// The daily rule sends `{"job":"roll_call"}`; anything else is a minute.
    #[must_use]
    pub fn of(event: &serde_json::Value) -> Self {
        if event["job"] == "roll_call" { Self::RollCall } else { Self::Due }
    }
}

/// What `refresh` may touch.
#[derive(Debug)]
pub struct Refresh {
    secret: SettingsSecret,
    vault: Vault,
    main: MainTable,
    tokens: TokensTable,
    pinterest: pinterest::Client,
    clock: Clock,
    random: Random,
    at_once: usize,
    /// The protocol: an argument, so that tests can break it.
    pub decide: Decide,
}

/// App ID and App Secret of this tick, and when the secret was last seen to be right.
struct App {
    id: String,
    secret: AppSecret,
    fingerprint: String,
    proven_at: Option<Timestamp>,
}

/// Good tokens, on their way into the table.
struct Fresh {
    pair: TokenPair,
    used: SealedPair,
    sealer: Sealer,
}

/// How a new pair gets into the table.
#[derive(Clone, Copy)]
enum Way {
    /// As the current one.
    Renewed,
    /// As the current one of a channel that was given up, or warned about.
    Recovered,
    /// Beside the current one, which somebody else has saved.
    Spare,
}

impl Refresh {
    /// Of its parts.
    #[must_use]
    pub fn new(
        secret: SettingsSecret,
        vault: Vault,
        main: MainTable,
        tokens: TokensTable,
        pinterest: pinterest::Client,
        setup: &Setup,
    ) -> Self {
        Self {
            secret,
            vault,
            main,
            tokens,
            pinterest,
            clock: setup.clock.clone(),
            random: setup.random.clone(),
            at_once: setup.refresh_at_once().unwrap_or(AT_ONCE),
            decide,
        }
    }

    /// One wake-up.
    pub async fn tick(&self, tick: Tick, deadline: Instant) -> Result<()> {
        match tick {
            Tick::Due => self.due(deadline).await,
            Tick::RollCall => self.roll_call(deadline).await,
        }
    }

    /// Refreshes what is due, some at a time, until nothing is or the time is up.
    async fn due(&self, deadline: Instant) -> Result<()> {
        let (mut worked, mut reading) = (None, self.tokens.reading());
        let taken = loop {
            let due = self.tokens.look(&mut reading, self.clock.now()).await?;
            if !due.is_empty() {
                // Read only now: an idle minute asks Secrets Manager nothing.
                let Some(app) = &self.app().await? else { break false };
                let done: Vec<bool> = stream::iter(due)
                    .map(|due| async move { has_time(deadline) && self.one(due, app, deadline).await })
                    .buffer_unordered(self.at_once)
                    .collect()
                    .await;
                if done.contains(&true) {
                    worked = Some(Proven { fingerprint: app.fingerprint.clone(), at: self.clock.now() });
                }
            }
            let taken = has_time(deadline);
            if !reading.has_more() || !taken {
                break taken;
            }
        };
        let now = self.clock.now();
        // With time to spare, everything was taken: nothing is overdue.
        let oldest = if taken { None } else { self.tokens.first_due(now).await? };
        let oldest = oldest.map(|due| due.since);
        warn_of_age(oldest, now);
        self.main.beat(&Heartbeat::Refreshed(oldest, worked), now).await?;
        Ok(())
    }

    /// Warns about refresh tokens that are about to die. Healthy ones never come near: what is failing is tried
    /// at least daily, so all of it is due within a day.
    async fn roll_call(&self, deadline: Instant) -> Result<()> {
        let now = self.clock.now();
        let tomorrow = now + SignedDuration::from_hours(24);
        let (mut overdue, mut dying, mut reading) = (0, 0, self.tokens.reading());
        let complete = loop {
            let due = self.tokens.look(&mut reading, tomorrow).await?;
            overdue += due.iter().filter(|due| due.since < now - SignedDuration::from_hours(1)).count();
            let tokens = due.into_iter().filter_map(|due| match due.what {
                Work::Token(channel) => Some(channel),
                Work::Pin(..) | Work::Channel(..) => None,
            });
            for (channel, row) in self.tokens.tokens(&tokens.collect::<Vec<_>>()).await? {
                match row {
                    Ok(row) => {
                        dying += u32::from(is_dying(&row.grant, now));
                        if let Some(days) = warning(&row.grant, now) {
                            self.main.warn(&self.tokens, &row.grant, days).await?;
                        }
                    }
                    Err(error) => {
                        tracing::error!(error = %chain(&error), channel.id = %channel, "no roll-call");
                    }
                }
            }
            let complete = !reading.has_more();
            if complete || !has_time(deadline) {
                break complete;
            }
        };
        if dying > 0 || !complete {
            // An alarm of the stack counts `dying`.
            tracing::warn!(overdue, dying, complete, "roll-call: refresh tokens are about to die");
        } else {
            tracing::info!(overdue, "roll-call");
        }
        self.main.beat(&Heartbeat::Rolled, now).await?;
        Ok(())
    }

    /// App ID and App Secret, if the integration has them. Switched off, tokens are kept alive all the same:
    /// switching on again must not cost every channel.
    async fn app(&self) -> Result<Option<App>> {
        let settings = self.secret.effective().await?;
        let Effective { app_id: (Some(id), _), app_secret: (Some(secret), _), .. } = settings.as_ref() else {
            return Ok(None);
        };
        let fingerprint = text::sha256(&format!("pinwright|{id}|{}", secret.expose()))[..16].to_owned();
        let proven = self.main.worker().await?.proven;
        let proven = proven.filter(|proven| proven.fingerprint == fingerprint);
        let proven_at = proven.map(|proven| proven.at);
        Ok(Some(App { id: id.clone(), secret: secret.clone(), fingerprint, proven_at }))
    }

    /// Refreshes one channel. `true`: Pinterest accepted the App Secret. A row that fails moves its own due time.
    async fn one(&self, due: Due, app: &App, deadline: Instant) -> bool {
        let Work::Token(channel) = &due.what else {
            return false;
        };
        // Boxed: the SDK's futures are deep, and there are as many of these as are worked on at once.
        match self.channel(channel, &due.entry, app, deadline).boxed().await {
            Ok(worked) => worked,
            Err(error) => {
                tracing::error!(error = %chain(&error), channel.id = %channel, "tokens were not refreshed");
                let until = self.clock.now() + PUT_OFF;
                if let Err(error) = self.tokens.put_off(&due, until).await {
                    tracing::error!(error = %chain(&error), channel.id = %channel, "nor put off");
                }
                false
            }
        }
    }

    /// Claims, asks, saves. Whatever is slow or may fail without a trace (the key ring) comes before the call.
    async fn channel(&self, channel: &ChannelId, entry: &str, app: &App, deadline: Instant) -> Result<bool> {
        let now = self.clock.now();
        let lease = Lease { id: self.random.mark(), until: now + LEASE };
        let Some((row, left)) = self.tokens.claim(channel, entry, &lease, now).await? else {
            return Ok(false);
        };

        let mut happened = Happened::Claimed;
        let mut facts = Facts {
            spare: row.spare.is_some(),
            previous: row.previous.is_some(),
            taken_over: left.is_some(),
            probed: None,
            proven_at: app.proven_at,
            jitter: self.random.jitter(),
        };
        let mut fresh = None;
        loop {
            let decision = (self.decide)(&row.grant, happened, facts, self.clock.now());
            match decision.next {
                Next::Try(which) => {
                    let left = lease.until.duration_since(self.clock.now());
                    if left < NEEDED_TO_SEND {
                        return Ok(false); // the lease is as good as over: the next tick takes it
                    }
                    let (renewal, good) = self.renew(&row, which, app).await?;
                    (happened, fresh) = (Happened::Answered(which, renewal), good);
                }
                Next::SaveRenewed => {
                    let Some(fresh) = fresh else { return Ok(false) };
                    self.save(&row, decision.grant, fresh, deadline).await?;
                    return Ok(true);
                }
                Next::Probe => {
                    let client = pinterest::App { id: &app.id, secret: &app.secret };
                    let (probe, _) = self.pinterest.probe(row.grant.environment, client).await;
                    facts.probed = Some(probe);
                    happened = Happened::Probed(probe);
                }
                Next::Ask => happened = Happened::Asked(self.ask(&row).await?),
                Next::Release => {
                    self.release(&row, decision.grant, &lease).await?;
                    return Ok(false);
                }
            }
        }
    }

    /// Asks Pinterest for a new pair.
    async fn renew(&self, row: &TokenRow, which: Which, app: &App) -> Result<(Renewal, Option<Fresh>)> {
        let sealed = match which {
            Which::Current => Some(&row.pair),
            Which::Spare => row.spare.as_ref(),
            Which::Previous => row.previous.as_ref(),
        };
        let Some(sealed) = sealed else {
            return Ok((Renewal::Refused, None));
        };
        let channel = row.grant.channel_id.as_str();
        let old = match self.vault.open_pair(sealed, channel).await {
            // Its key is gone from the ring, and with it the pair: what is left is tried.
            Err(error @ vault::Error::DoesNotOpen(_)) => {
                tracing::error!(error = %chain(&error), channel.id = %channel, "tokens are lost with their key");
                let renewal = match which {
                    Which::Current => Renewal::Failed { retry_after: None }, // the key may come back
                    Which::Spare | Which::Previous => Renewal::Refused,
                };
                return Ok((renewal, None));
            }
            old => old?,
        };
        let seals = self.vault.sealer().await?;
        // Under today's key, so that an old one is needed by nobody once every token was renewed.
        let used = seals.seal(&old, Place { row: channel, version: sealed.version() })?;
        let client = pinterest::App { id: &app.id, secret: &app.secret };
        let asked =
            self.pinterest.refresh(row.grant.environment, client, &old.refresh, self.clock.now()).await;
        Ok(match asked {
            Ok(new) => {
                // An answer without a refresh token keeps the old one.
                let pair = TokenPair { access: new.access, refresh: new.refresh.unwrap_or(old.refresh) };
                (Renewal::Renewed(new.lifetimes), Some(Fresh { pair, used, sealer: seals }))
            }
            Err(error) => (renewal(&row.grant, error), None),
        })
    }

    /// Saves a new pair, again and again until the deadline: nothing is worth more.
    async fn save(&self, row: &TokenRow, grant: Grant, fresh: Fresh, deadline: Instant) -> Result<()> {
        let before = row.grant.version;
        let place = Place { row: row.grant.channel_id.as_str(), version: grant.version };
        let pair = fresh.sealer.seal(&fresh.pair, place)?;
        let new = TokenRow { grant, pair, previous: Some(fresh.used), spare: None };
        let mut wait = Duration::from_millis(100);
        let healthy = row.grant.connection == Connection::Connected && row.grant.warned_days.is_none();
        let mut way = if healthy { Way::Renewed } else { Way::Recovered };
        loop {
            let saved = match way {
                Way::Renewed => self.tokens.save_renewed(&new, before).await,
                Way::Recovered => {
                    self.main.save_recovered(&self.tokens, &new, before, self.clock.now()).await
                }
                Way::Spare => {
                    let kept = self.tokens.save_spare(&new.grant.channel_id, &new.pair).await;
                    kept.map(|()| Saved::Done)
                }
            };
            let error = match (saved, way) {
                (Ok(Saved::Done), _) => return Ok(()),
                // Somebody else's pair is the current one. This one may be the one that lives.
                (Ok(Saved::Outrun), _) => {
                    way = Way::Spare;
                    continue;
                }
                // Somebody has given the channel up meanwhile: this save brings it back, in both tables.
                (Ok(Saved::Dead), Way::Renewed) => {
                    way = Way::Recovered;
                    continue;
                }
                (Ok(Saved::Dead), _) => store::Error::Contended,
                (Err(error), _) => error,
            };
            if Instant::now() + wait >= deadline {
                return Err(error.into());
            }
            tracing::warn!(error = %chain(&error), "a new pair of tokens is not saved yet");
            tokio::time::sleep(wait.mul_f64(0.5 + self.random.jitter() / 2.0)).await;
            wait = (wait * 2).min(Duration::from_secs(10));
        }
    }

    /// Gives the lease back. A change of the connection is written in both tables at once.
    async fn release(&self, row: &TokenRow, grant: Grant, lease: &Lease) -> Result<()> {
        let changed = grant.connection != row.grant.connection;
        let new = TokenRow { grant, ..row.clone() };
        if changed {
            self.main.release_dead(&self.tokens, &new, &lease.id, self.clock.now()).await?;
        } else {
            self.tokens.release(&new, &lease.id).await?;
        }
        Ok(())
    }

    /// Asks Pinterest whose the access token is.
    async fn ask(&self, row: &TokenRow) -> Result<Asked> {
        let access = self.vault.open_access(&row.pair, row.grant.channel_id.as_str()).await?;
        Ok(match self.pinterest.user_account(row.grant.environment, &access).await {
            Ok(_) => Asked::Alive,
            Err(pinterest::Error::Refused { refusal: Refusal::TokenDead, .. }) => Asked::Dead,
            Err(_) => Asked::Unreachable,
        })
    }
}

/// What a failed refresh tells about the token. Only a refusal that may be about the token counts against it:
/// 401 code 3 is the app's, a limit and an outage are nobody's.
fn renewal(grant: &Grant, error: pinterest::Error) -> Renewal {
    tracing::warn!(error = %chain(&error), channel.id = %grant.channel_id, "Pinterest gave no new tokens");
    match error {
        pinterest::Error::Refused { refusal, .. } => match refusal {
            Refusal::Scope | Refusal::Spam | Refusal::Busy => Renewal::Failed { retry_after: None },
            Refusal::Quota { retry_after } => Renewal::Failed { retry_after },
            Refusal::TokenDead
            | Refusal::BoardGone
            | Refusal::SectionGone
            | Refusal::MediaUnreachable
            | Refusal::Other => Renewal::Refused,
        },
        pinterest::Error::NotSent(_) | pinterest::Error::Unknown { .. } => {
            Renewal::Failed { retry_after: None }
        }
    }
}

fn has_time(deadline: Instant) -> bool {
    deadline.saturating_duration_since(Instant::now()) >= NEEDED
}

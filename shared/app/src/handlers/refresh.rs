//! `refresh`: every minute, the tokens that are due; every day, a check of all that are about to expire.
//!
//! The driver of the refresh protocol: it does what was decided and reports what happened. It holds no rule; those are in
//! [`domain::refresh`].

use adapters::{
    Binding, SettingsSecret, Vault,
    vault::{self, Sealer},
};
use domain::{
    AppSecret, ChannelId, Refusal, ResolvedSettings, SealedPair, TokenPair,
    refresh::{
        AccessTokenCheck, Action, Context, Decide, Input, LEASE_DURATION, Lease, MIN_TIME_TO_SEND,
        RefreshResult, TokenSlot, TokenState, decide, is_about_to_expire, warning,
    },
};
use futures_util::{FutureExt as _, StreamExt as _, stream};
use jiff::{SignedDuration, Timestamp};
use platform::{Clock, Random, chain, encoding};
use store::{DueItem, DueItemKind, Heartbeat, MainTable, SaveOutcome, TokenRow, TokensTable, VerifiedSecret};
use tokio::time::{Duration, Instant};

use super::due_loop::DueLoop;
use crate::{error::Result, setup::Setup};

/// How many channels are refreshed at once, unless `REFRESH_AT_ONCE` says otherwise.
const DEFAULT_PARALLEL_CHANNELS: usize = 8;
/// What must be left of the invocation to begin with a channel: for several calls, and for the save.
const MIN_TIME_LEFT: Duration = Duration::from_mins(2);

/// How long the save of a new pair waits before it is tried again, at first and at most.
const SAVE_RETRY_WAITS: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(10));
/// The `job` of the daily rule's event.
const DAILY_CHECK: &str = "daily_check";

/// What wakes the function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tick {
    /// Every minute: what is due.
    Due,
    /// Every day: warnings, and what is overdue.
    DailyCheck,
}

impl Tick {
    /// The daily rule sends `{"job":"daily_check"}`; anything else is a minute.
    #[must_use]
    pub fn from_event(event: &serde_json::Value) -> Self {
        if event["job"] == DAILY_CHECK { Self::DailyCheck } else { Self::Due }
    }
}

/// What `refresh` may use.
#[derive(Debug)]
pub struct Refresh {
    secret: SettingsSecret,
    vault: Vault,
    main: MainTable,
    tokens: TokensTable,
    pinterest: pinterest::Client,
    clock: Clock,
    random: Random,
    parallel_channels: usize,
    /// The protocol: an argument, so that tests can break it.
    pub decide: Decide,
}

/// App ID and App Secret of this tick, and when the secret was last seen to be right.
struct AppCredentials {
    id: String,
    secret: AppSecret,
    fingerprint: String,
    verified_at: Option<Timestamp>,
}

/// New tokens, on their way into the table.
struct NewTokens {
    pair: TokenPair,
    used: SealedPair,
    sealer: Sealer,
}

/// How a new pair is saved.
#[derive(Clone, Copy)]
enum SaveMode {
    /// As the current one.
    Current,
    /// As the current one of a channel that was given up, or warned about: both tables change.
    Recovered,
    /// Beside the current one, which another process has saved.
    Spare,
}

impl Refresh {
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
            parallel_channels: setup.refresh_at_once().unwrap_or(DEFAULT_PARALLEL_CHANNELS),
            decide,
        }
    }

    /// One invocation.
    pub async fn tick(&self, tick: Tick, deadline: Instant) -> Result<()> {
        match tick {
            Tick::Due => self.refresh_due(deadline).await,
            Tick::DailyCheck => self.daily_check(deadline).await,
        }
    }

    /// Refreshes what is due, some in parallel, until nothing is or the time is up.
    async fn refresh_due(&self, deadline: Instant) -> Result<()> {
        let mut due = DueLoop::new(self.tokens.due_index(), &self.clock, deadline, MIN_TIME_LEFT);
        let mut verified = None;
        let took_all = loop {
            let items = due.next().await?;
            if !items.is_empty() {
                // Read only now: an idle minute asks Secrets Manager nothing.
                let Some(app) = &self.load_credentials().await? else { break false };
                let due = &due;
                let refreshed: Vec<bool> =
                    stream::iter(items)
                        .map(|item| async move {
                            due.has_time() && self.refresh_or_postpone(item, app, due).await
                        })
                        .buffer_unordered(self.parallel_channels)
                        .collect()
                        .await;
                if refreshed.contains(&true) {
                    let fingerprint = app.fingerprint.clone();
                    verified = Some(VerifiedSecret { fingerprint, at: self.clock.now() });
                }
            }
            let has_time = due.has_time();
            if !due.has_more() || !has_time {
                break has_time;
            }
        };
        let oldest = due.oldest_left(took_all).await?;
        self.main.record_heartbeat(&Heartbeat::Refresh(oldest, verified), self.clock.now()).await?;
        Ok(())
    }

    /// Warns about refresh tokens that are about to expire. Healthy ones never come near, and what fails is tried at least
    /// daily, so that all of them are due within a day.
    async fn daily_check(&self, deadline: Instant) -> Result<()> {
        let now = self.clock.now();
        let tomorrow = now + SignedDuration::from_hours(24);
        let mut due = DueLoop::new(self.tokens.due_index(), &self.clock, deadline, MIN_TIME_LEFT);
        let (mut overdue, mut about_to_expire) = (0, 0);
        let complete = loop {
            let items = due.next_by(tomorrow).await?;
            overdue += items.iter().filter(|item| item.since < now - SignedDuration::from_hours(1)).count();
            let channels = items.into_iter().filter_map(|item| match item.kind {
                DueItemKind::Token(channel) => Some(channel),
                DueItemKind::Pin(..) | DueItemKind::Channel(..) => None,
            });
            for (channel, row) in self.tokens.tokens(&channels.collect::<Vec<_>>()).await? {
                match row {
                    Ok(row) => {
                        about_to_expire += u32::from(is_about_to_expire(&row.state, now));
                        if let Some(days) = warning(&row.state, now) {
                            self.main.record_expiry_warning(&self.tokens, &row.state, days).await?;
                        }
                    }
                    Err(error) => {
                        tracing::error!(error = %chain(&error), channel.id = %channel, "tokens could not be checked");
                    }
                }
            }
            let complete = !due.has_more();
            if complete || !due.has_time() {
                break complete;
            }
        };
        if about_to_expire > 0 || !complete {
            // An alarm of the stack counts `about_to_expire`.
            tracing::warn!(
                overdue,
                about_to_expire,
                complete,
                "daily check: refresh tokens are about to expire"
            );
        } else {
            tracing::info!(overdue, "daily check");
        }
        self.main.record_heartbeat(&Heartbeat::DailyCheck, now).await?;
        Ok(())
    }

    /// App ID and App Secret, if the integration has them. Tokens are refreshed even when it is switched off: switching it
    /// on again must not cost every channel.
    async fn load_credentials(&self) -> Result<Option<AppCredentials>> {
        let settings = self.secret.resolved().await?;
        let ResolvedSettings { app_id, app_secret, .. } = settings.as_ref();
        let (Some(id), Some(secret)) = (&app_id.value, &app_secret.value) else {
            return Ok(None);
        };
        let fingerprint = encoding::sha256(format!("pinwright|{id}|{}", secret.expose()))[..16].to_owned();
        let verified = self.main.worker_status().await?.verified_secret;
        let verified = verified.filter(|verified| verified.fingerprint == fingerprint);
        let verified_at = verified.map(|verified| verified.at);
        Ok(Some(AppCredentials { id: id.clone(), secret: secret.clone(), fingerprint, verified_at }))
    }

    /// Refreshes one channel. `true`: Pinterest accepted the App Secret. An entry that fails is postponed.
    async fn refresh_or_postpone(&self, item: DueItem, app: &AppCredentials, due: &DueLoop<'_>) -> bool {
        let DueItemKind::Token(channel) = &item.kind else {
            return false;
        };
        // Boxed: the SDK's futures are deep, and there are as many of these as channels that are refreshed in parallel.
        match self.refresh_channel(channel, &item.sort_key, app, due.deadline()).boxed().await {
            Ok(refreshed) => refreshed,
            Err(error) => {
                due.postpone(&item, &error).await;
                false
            }
        }
    }

    /// Takes the lease, asks Pinterest, saves. Whatever is slow, or may fail without consequences, comes before the call.
    async fn refresh_channel(
        &self,
        channel: &ChannelId,
        sort_key: &str,
        app: &AppCredentials,
        deadline: Instant,
    ) -> Result<bool> {
        let now = self.clock.now();
        let lease = Lease { id: self.random.hex_id(), until: now + LEASE_DURATION };
        let Some((row, abandoned)) = self.tokens.acquire_lease(channel, sort_key, &lease, now).await? else {
            return Ok(false);
        };

        let mut input = Input::LeaseAcquired;
        let mut context = Context {
            spare: row.spare.is_some(),
            previous: row.previous.is_some(),
            taken_over: abandoned.is_some(),
            credential_check: None,
            verified_at: app.verified_at,
            jitter: self.random.jitter(),
        };
        let mut new_tokens = None;
        loop {
            let transition = (self.decide)(&row.state, input, context, self.clock.now());
            match transition.action {
                Action::Refresh(slot) => {
                    let left = lease.until.duration_since(self.clock.now());
                    if left < MIN_TIME_TO_SEND {
                        return Ok(false); // the lease is as good as over: the next tick takes it
                    }
                    let (result, tokens) = self.request_new_tokens(&row, slot, app).await?;
                    (input, new_tokens) = (Input::RefreshAnswered(slot, result), tokens);
                }
                Action::SaveNewTokens => {
                    let Some(tokens) = new_tokens else { return Ok(false) };
                    self.save(&row, transition.state, tokens, deadline).await?;
                    return Ok(true);
                }
                Action::CheckCredentials => {
                    let client = pinterest::App { id: &app.id, secret: &app.secret };
                    let environment = row.state.environment;
                    let (check, _) = self.pinterest.check_credentials(environment, client).await;
                    context.credential_check = Some(check);
                    input = Input::CredentialsChecked(check);
                }
                Action::CheckAccessToken => {
                    input = Input::AccessTokenChecked(self.check_access_token(&row).await?);
                }
                Action::ReleaseLease => {
                    self.release_lease(&row, transition.state, &lease).await?;
                    return Ok(false);
                }
            }
        }
    }

    /// Asks Pinterest for a new pair.
    async fn request_new_tokens(
        &self,
        row: &TokenRow,
        slot: TokenSlot,
        app: &AppCredentials,
    ) -> Result<(RefreshResult, Option<NewTokens>)> {
        let sealed = match slot {
            TokenSlot::Current => Some(&row.pair),
            TokenSlot::Spare => row.spare.as_ref(),
            TokenSlot::Previous => row.previous.as_ref(),
        };
        let Some(sealed) = sealed else {
            return Ok((RefreshResult::Refused, None));
        };
        let channel = row.state.channel_id.as_str();
        let old = match self.vault.open_pair(sealed, channel).await {
            // Its key is gone from the ring, and with it the pair: what is left is tried.
            Err(error @ vault::Error::DecryptionFailed(_)) => {
                tracing::error!(error = %chain(&error), channel.id = %channel, "tokens are lost with their key");
                let result = match slot {
                    TokenSlot::Current => RefreshResult::Failed { retry_after: None }, // the key may come back
                    TokenSlot::Spare | TokenSlot::Previous => RefreshResult::Refused,
                };
                return Ok((result, None));
            }
            old => old?,
        };
        let current_key = self.vault.sealer().await?;
        // Under today's key, so that an old one is needed by nobody once every token was renewed.
        let used = current_key.seal(&old, Binding { row: channel, version: sealed.version })?;
        let client = pinterest::App { id: &app.id, secret: &app.secret };
        let answer =
            self.pinterest.refresh(row.state.environment, client, &old.refresh, self.clock.now()).await;
        Ok(match answer {
            Ok(new) => {
                // An answer without a refresh token keeps the old one.
                let pair = TokenPair { access: new.access, refresh: new.refresh.unwrap_or(old.refresh) };
                (RefreshResult::NewTokens(new.lifetimes), Some(NewTokens { pair, used, sealer: current_key }))
            }
            Err(error) => (refresh_result(&row.state, error), None),
        })
    }

    /// Saves a new pair, again and again until the deadline: nothing is worth more.
    async fn save(
        &self,
        row: &TokenRow,
        state: TokenState,
        tokens: NewTokens,
        deadline: Instant,
    ) -> Result<()> {
        let before = row.state.version;
        let binding = Binding { row: row.state.channel_id.as_str(), version: state.version };
        let pair = tokens.sealer.seal(&tokens.pair, binding)?;
        let new = TokenRow { state, pair, previous: Some(tokens.used), spare: None };
        let is_healthy = row.state.is_connected() && row.state.warned_days.is_none();
        let mut mode = if is_healthy { SaveMode::Current } else { SaveMode::Recovered };
        let (mut wait, max_wait) = SAVE_RETRY_WAITS;
        loop {
            let saved = match mode {
                SaveMode::Current => self.tokens.save_new_tokens(&new, before).await,
                SaveMode::Recovered => {
                    self.main.save_recovered(&self.tokens, &new, before, self.clock.now()).await
                }
                SaveMode::Spare => {
                    let kept = self.tokens.save_spare(&new.state.channel_id, &new.pair).await;
                    kept.map(|()| SaveOutcome::Saved)
                }
            };
            let error = match (saved, mode) {
                (Ok(SaveOutcome::Saved), _) => return Ok(()),
                // Another process's pair is the current one. This one may be the one that lives.
                (Ok(SaveOutcome::VersionConflict), _) => {
                    mode = SaveMode::Spare;
                    continue;
                }
                // Another process has given the channel up meanwhile: this save brings it back, in both tables.
                (Ok(SaveOutcome::ChannelLost), SaveMode::Current) => {
                    mode = SaveMode::Recovered;
                    continue;
                }
                (Ok(SaveOutcome::ChannelLost), _) => store::Error::Contended,
                (Err(error), _) => error,
            };
            if Instant::now() + wait >= deadline {
                return Err(error.into());
            }
            tracing::warn!(error = %chain(&error), "a new pair of tokens is not saved yet");
            tokio::time::sleep(wait.mul_f64(0.5 + self.random.jitter() / 2.0)).await;
            wait = (wait * 2).min(max_wait);
        }
    }

    /// Gives the lease back. A change of the connection is written in both tables at once.
    async fn release_lease(&self, row: &TokenRow, state: TokenState, lease: &Lease) -> Result<()> {
        let is_changed = state.connection != row.state.connection;
        let new = TokenRow { state, ..row.clone() };
        if is_changed {
            self.main.release_dead(&self.tokens, &new, &lease.id, self.clock.now()).await?;
        } else {
            self.tokens.release_lease(&new, &lease.id).await?;
        }
        Ok(())
    }

    /// Asks Pinterest whose the access token is.
    async fn check_access_token(&self, row: &TokenRow) -> Result<AccessTokenCheck> {
        let access = self.vault.open_access(&row.pair, row.state.channel_id.as_str()).await?;
        Ok(match self.pinterest.user_account(row.state.environment, &access).await {
            Ok(_) => AccessTokenCheck::Alive,
            Err(pinterest::Error::Refused { refusal: Refusal::TokenDead, .. }) => AccessTokenCheck::Dead,
            Err(_) => AccessTokenCheck::Unreachable,
        })
    }
}

/// What a failed refresh tells about the token. Only what is known to be said of a dead grant counts against it: 401 code 2,
/// and the words and codes of [`Refusal::GrantDead`]. Everything else may be the app's fault, or pass.
fn refresh_result(state: &TokenState, error: pinterest::Error) -> RefreshResult {
    tracing::warn!(error = %chain(&error), channel.id = %state.channel_id, "Pinterest gave no new tokens");
    match error {
        pinterest::Error::Refused { refusal: Refusal::GrantDead, .. } => RefreshResult::Refused,
        pinterest::Error::Refused { refusal: Refusal::TokenDead, response }
            if response.pinterest_code.is_some() =>
        {
            RefreshResult::Refused
        }
        pinterest::Error::Refused { refusal: Refusal::Quota { retry_after }, .. } => {
            RefreshResult::Failed { retry_after }
        }
        _ => RefreshResult::Failed { retry_after: None },
    }
}

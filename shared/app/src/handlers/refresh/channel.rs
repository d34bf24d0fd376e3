//! The driver of the refresh protocol: it does what was decided and reports what happened. It holds no rule; those are in
//! [`domain::refresh`].

use std::sync::atomic::Ordering::Relaxed;

use adapters::{
    Binding,
    vault::{self, Sealer},
};
use domain::{
    Refusal, SealedPair, TokenPair,
    refresh::{
        AccessTokenCheck, Action, Context, Input, LEASE_DURATION, Lease, MIN_TIME_TO_SEND, RefreshResult,
        TokenSlot, TokenState,
    },
};
use platform::chain;
use store::{DueItem, SaveOutcome, TokenRow};
use tokio::time::{Duration, Instant};

use super::{super::due::Hold, Refresh, Refresher};
use crate::error::Result;

/// How long the save of a new pair waits before it is tried again, at first and at most.
const SAVE_RETRY_WAITS: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(10));

/// What became of a channel that was due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refreshed {
    /// It has a new pair: Pinterest has accepted the App Secret.
    Done,
    /// Nothing was done, or it was put off.
    Not,
    /// The lease was too short, or the time was up.
    Later,
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

impl Refresher<'_> {
    /// Asks Pinterest, and saves. Whatever is slow, or may fail without consequences, comes before the call.
    ///
    /// A channel of which nothing is in doubt is refreshed under the lease of its partition: one write, the save. Whatever
    /// else Pinterest says is worked on, and written down, under a lease of the channel's own.
    pub(super) async fn refresh_channel(&self, item: &DueItem, hold: &Hold<'_>) -> Result<Refreshed> {
        let Some(channel) = &item.channel else { return Ok(Refreshed::Not) };
        let Refresh { tokens, clock, random, pinterest, decide, .. } = self.refresh;
        if !hold.has_time() || hold.lease.left(item.partition) < MIN_TIME_TO_SEND {
            return Ok(Refreshed::Later);
        }
        let Some(mut row) = tokens.token_due(channel, &item.sort_key).await? else {
            return Ok(Refreshed::Not); // somebody has done it: the index is behind
        };
        let mut lease = None;
        let mut input = Input::LeaseAcquired;
        let mut context = Context {
            spare: row.spare.is_some(),
            previous: row.previous.is_some(),
            taken_over: false,
            credential_check: None,
            verified_at: self.app.verified_at,
            jitter: random.jitter(),
        };
        let mut new_tokens = None;
        loop {
            let transition = decide(&row.state, input, context, clock.now());
            let is_light = matches!(transition.action, Action::Refresh(_) | Action::SaveNewTokens)
                && !row.state.is_in_doubt();
            if lease.is_none() && !is_light {
                let now = clock.now();
                let own = Lease { id: random.hex_id(), until: now + LEASE_DURATION };
                let acquired = tokens.acquire_lease(&row.state, &item.sort_key, &own, now).await?;
                let Some((leased, abandoned)) = acquired else { return Ok(Refreshed::Not) };
                context.spare = leased.spare.is_some();
                context.taken_over = abandoned.is_some();
                (row, lease) = (leased, Some(own));
                continue;
            }
            match transition.action {
                Action::Refresh(slot) => {
                    let left = lease.as_ref().map_or_else(
                        || hold.lease.left(item.partition),
                        |own| own.until.duration_since(clock.now()),
                    );
                    if left < MIN_TIME_TO_SEND {
                        return Ok(Refreshed::Later); // the lease is as good as over
                    }
                    let (result, tokens) = self.request_new_tokens(&row, slot).await?;
                    (input, new_tokens) = (Input::RefreshAnswered(slot, result), tokens);
                }
                Action::SaveNewTokens => {
                    let Some(tokens) = new_tokens else { return Ok(Refreshed::Not) };
                    self.save(&row, transition.state, tokens, hold.deadline).await?;
                    return Ok(Refreshed::Done);
                }
                Action::CheckCredentials => {
                    let (check, _) = pinterest.check_credentials(row.state.environment, self.app()).await;
                    context.credential_check = Some(check);
                    input = Input::CredentialsChecked(check);
                }
                Action::CheckAccessToken => {
                    input = Input::AccessTokenChecked(self.check_access_token(&row).await?);
                }
                Action::ReleaseLease => {
                    if let Some(own) = &lease {
                        self.release_lease(&row, transition.state, own).await?;
                    }
                    return Ok(Refreshed::Not);
                }
            }
        }
    }

    /// Asks Pinterest for a new pair.
    async fn request_new_tokens(
        &self,
        row: &TokenRow,
        slot: TokenSlot,
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
        let share = self.refresh.tokens.refresh_key_share().await?;
        let old = match self.refresh.vault.open_refresh(sealed, channel, share).await {
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
        let current_key = self.refresh.vault.sealer().await?.with_share(share);
        // Under today's key, so that an old one is needed by nobody once every token was renewed.
        let used = current_key.seal_refresh(&old, Binding { row: channel, version: sealed.version })?;
        let Refresh { pinterest, clock, .. } = self.refresh;
        let answer = pinterest.refresh(row.state.environment, self.app(), &old, clock.now()).await;
        Ok(match answer {
            Ok(new) => {
                // An answer without a refresh token keeps the old one.
                let pair = TokenPair { access: new.access, refresh: new.refresh.unwrap_or(old) };
                (RefreshResult::NewTokens(new.lifetimes), Some(NewTokens { pair, used, sealer: current_key }))
            }
            Err(error) => {
                let result = refresh_result(&row.state, &error);
                if matches!(error, pinterest::Error::Refused { refusal: Refusal::Quota { .. }, .. }) {
                    self.is_limited.store(true, Relaxed);
                }
                (result, None)
            }
        })
    }

    fn app(&self) -> pinterest::App<'_> {
        pinterest::App { id: &self.app.id, secret: &self.app.secret }
    }

    /// Saves a new pair, again and again until the deadline: nothing is worth more.
    async fn save(
        &self,
        row: &TokenRow,
        state: TokenState,
        tokens: NewTokens,
        deadline: Instant,
    ) -> Result<()> {
        let Refresh { main, tokens: tokens_table, clock, random, .. } = self.refresh;
        let before = row.state.version;
        let binding = Binding { row: row.state.channel_id.as_str(), version: state.version };
        let pair = tokens.sealer.seal(&tokens.pair, binding)?;
        let new = TokenRow { state, pair, previous: Some(tokens.used), spare: None };
        let is_healthy = row.state.is_connected() && row.state.warned_days.is_none();
        let mut mode = if is_healthy { SaveMode::Current } else { SaveMode::Recovered };
        let (mut wait, max_wait) = SAVE_RETRY_WAITS;
        loop {
            let saved = match mode {
                SaveMode::Current => tokens_table.save_new_tokens(&new, before).await,
                SaveMode::Recovered => main.save_recovered(tokens_table, &new, before, clock.now()).await,
                SaveMode::Spare => {
                    let saved = tokens_table.save_spare(&new.state.channel_id, &new.pair).await;
                    saved.map(|()| SaveOutcome::Saved)
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
            tokio::time::sleep(wait.mul_f64(0.5 + random.jitter() / 2.0)).await;
            wait = (wait * 2).min(max_wait);
        }
    }

    /// Gives the lease back. A change of the connection is written in both tables at once.
    async fn release_lease(&self, row: &TokenRow, state: TokenState, lease: &Lease) -> Result<()> {
        let Refresh { main, tokens, clock, .. } = self.refresh;
        let is_changed = state.connection != row.state.connection;
        let new = TokenRow { state, ..row.clone() };
        if is_changed {
            main.release_dead(tokens, &new, &lease.id, clock.now()).await?;
        } else {
            tokens.release_lease(&new, &lease.id).await?;
        }
        Ok(())
    }

    /// Asks Pinterest whose the access token is.
    async fn check_access_token(&self, row: &TokenRow) -> Result<AccessTokenCheck> {
        let access = self.refresh.vault.open_access(&row.pair, row.state.channel_id.as_str()).await?;
        Ok(match self.refresh.pinterest.user_account(row.state.environment, &access).await {
            Ok(_) => AccessTokenCheck::Alive,
            Err(pinterest::Error::Refused { refusal: Refusal::TokenDead, .. }) => AccessTokenCheck::Dead,
            Err(_) => AccessTokenCheck::Unreachable,
        })
    }
}

/// What a failed refresh tells about the token. Only what is known to be said of a dead grant counts against it: 401 code 2,
/// and the words and codes of [`Refusal::GrantDead`]. Everything else may be the app's fault, or pass.
fn refresh_result(state: &TokenState, error: &pinterest::Error) -> RefreshResult {
    tracing::warn!(error = %chain(error), channel.id = %state.channel_id, "Pinterest gave no new tokens");
    match error {
        pinterest::Error::Refused { refusal: Refusal::GrantDead, .. } => RefreshResult::Refused,
        pinterest::Error::Refused { refusal: Refusal::TokenDead, response }
            if response.pinterest_code.is_some() =>
        {
            RefreshResult::Refused
        }
        pinterest::Error::Refused { refusal: Refusal::Quota { retry_after }, .. } => {
            RefreshResult::Failed { retry_after: *retry_after }
        }
        _ => RefreshResult::Failed { retry_after: None },
    }
}

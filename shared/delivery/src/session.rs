//! Using Pinterest on behalf of a channel.

use adapters::{Vault, vault};
use domain::{
    AccessToken, Channel, ChannelId, Refusal, TenantId,
    delivery::{Context, Readiness},
    refresh::TokenState,
};
use jiff::Timestamp;
use platform::{Clock, Random, chain};
use store::{ChannelSnapshot, MainTable, TokenRow, TokensTable};
use tokio::{join, time::Instant};

use crate::{Error, Result, SettingsReader, video::MIN_UPLOAD_TIME};

/// Opens sessions.
#[derive(Debug)]
pub struct Sessions {
    /// Channels and Pins.
    pub main: MainTable,
    /// Pinterest's API.
    pub pinterest: pinterest::Client,
    /// Whether the integration runs.
    pub settings: SettingsReader,
    /// Seals and opens tokens.
    pub vault: Vault,
    /// Sealed tokens.
    pub tokens: TokensTable,
    clock: Clock,
}

/// A channel, and the token to use it with.
#[derive(Debug)]
pub struct ChannelSession {
    channel: Option<Channel>,
    token: Option<TokenState>,
    readiness: Readiness,
    access: Option<AccessToken>,
    opened_at: Timestamp,
    /// Until when a video may be uploaded, if this process lives long enough for that.
    pub uploads_until: Option<Instant>,
}

impl Sessions {
    #[must_use]
    pub fn new(
        main: MainTable,
        tokens: TokensTable,
        vault: Vault,
        pinterest: pinterest::Client,
        variables: &platform::Variables,
        clock: Clock,
    ) -> Self {
        let settings = SettingsReader::new(main.clone(), variables);
        Self { main, pinterest, settings, vault, tokens, clock }
    }

    /// Prepares what the first session would have to wait for.
    pub async fn prepare(&self) -> Result<()> {
        let (settings, key_ring) = join!(self.main.prepare(self.clock.now()), self.vault.sealer());
        settings?;
        key_ring?;
        Ok(())
    }

    /// Reads a channel of the tenant, with its tokens.
    pub async fn read_channel(&self, tenant: &TenantId, id: &ChannelId) -> Result<(Channel, TokenRow)> {
        let found = self.main.channel_and_token(&self.tokens, tenant, id).await?;
        found.ok_or(Error::Disconnected)
    }

    /// Reads everything that publishing depends on. `key_hash`: an idempotency key to be looked up with it.
    pub async fn read_snapshot(
        &self,
        tenant: &TenantId,
        id: &ChannelId,
        key_hash: Option<&str>,
    ) -> Result<ChannelSnapshot> {
        Ok(self.main.channel_snapshot(&self.tokens, tenant, id, key_hash, self.clock.now()).await?)
    }

    /// A session to read data of the account. Pauses and the integration's status do not matter.
    pub async fn open(&self, channel: Channel, token: &TokenRow) -> Result<ChannelSession> {
        let (readiness, access) = self.open_access(&channel, token).await?;
        Ok(ChannelSession {
            channel: Some(channel),
            token: Some(token.state.clone()),
            readiness,
            access,
            opened_at: self.clock.now(),
            uploads_until: None,
        })
    }

    /// A session to publish. A channel that cannot publish has one, too, with the reason.
    pub async fn open_snapshot(&self, snapshot: ChannelSnapshot) -> Result<ChannelSession> {
        let now = self.clock.now();
        let disabled = self.settings.resolve(snapshot.settings.as_ref()).err();
        let (Some(channel), Some(token)) = (snapshot.channel, snapshot.token) else {
            return Ok(ChannelSession {
                channel: None,
                token: None,
                readiness: Readiness::Disconnected,
                access: None,
                opened_at: now,
                uploads_until: None,
            });
        };
        let pauses = [snapshot.app_pause, channel.pause].into_iter().flatten();
        let pause = pauses.filter(|pause| pause.until > now).max_by_key(|pause| pause.until);
        let (readiness, access) = match (disabled, pause) {
            (Some(disabled), _) => (Readiness::SwitchedOff(disabled), None),
            (None, Some(pause)) if token.state.access_expires_at > now => {
                let access = if pause.reason.stops_reading() {
                    None
                } else {
                    self.open_access(&channel, &token).await?.1
                };
                (Readiness::Paused(pause), access)
            }
            _ => self.open_access(&channel, &token).await?,
        };
        let (channel, token) = (Some(channel), Some(token.state));
        Ok(ChannelSession { channel, token, readiness, access, opened_at: now, uploads_until: None })
    }

    async fn open_access(
        &self,
        channel: &Channel,
        token: &TokenRow,
    ) -> Result<(Readiness, Option<AccessToken>)> {
        let unusable =
            if token.state.is_connected() { Readiness::TokenExpired } else { Readiness::ReconnectRequired };
        if token.state.access_expires_at <= self.clock.now() {
            return Ok((unusable, None));
        }
        // Even if the refresh token is invalid, the access token is used until it expires.
        match self.vault.open_access(&token.pair, channel.id.as_str()).await {
            Ok(access) => Ok((Readiness::Ready, Some(access))),
            // Treated as expired: the new token will be sealed with a key that exists.
            Err(error @ vault::Error::DecryptionFailed(_)) => {
                tracing::error!(error = %chain(&error), channel.id = %channel.id, "a token is lost with its key");
                Ok((unusable, None))
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Pinterest's answer to a request of `session`. If Pinterest refused the token, a refresh is requested: only `refresh`
    /// refreshes.
    pub async fn checked<T>(
        &self,
        answer: Result<T, pinterest::Error>,
        session: &ChannelSession,
    ) -> Result<T> {
        if let (Err(pinterest::Error::Refused { refusal: Refusal::TokenDead, .. }), Some(token)) =
            (&answer, &session.token)
        {
            if !token.is_connected() {
                return Err(Error::ReconnectRequired);
            }
            self.request_refresh(&token.tenant, &token.channel_id, token.version).await?;
        }
        Ok(answer?)
    }

    /// Makes a channel's tokens due now, if they are still those of `version`.
    pub(crate) async fn request_refresh(
        &self,
        tenant: &TenantId,
        channel: &ChannelId,
        version: u64,
    ) -> Result<(), store::Error> {
        self.tokens.request_refresh(tenant, channel, version, self.clock.now()).await
    }
}

impl ChannelSession {
    /// The channel, unless it was disconnected.
    #[must_use]
    pub fn channel(&self) -> Option<&Channel> {
        self.channel.as_ref()
    }

    /// The version of the channel's tokens; 0 if the channel was disconnected.
    pub(crate) fn token_version(&self) -> u64 {
        self.token.as_ref().map_or(0, |token| token.version)
    }

    /// The channel, and the token to use it with.
    pub fn credentials(&self) -> Result<(&Channel, &AccessToken)> {
        if let (Some(channel), Some(access)) = (&self.channel, &self.access) {
            return Ok((channel, access));
        }
        Err(match self.readiness {
            Readiness::Paused(pause) => {
                let seconds = pause.until.duration_since(self.opened_at).as_secs() + 1;
                Error::Paused { pause, seconds }
            }
            Readiness::ReconnectRequired => Error::ReconnectRequired,
            Readiness::TokenExpired | Readiness::Ready => Error::TokenRefreshing,
            Readiness::SwitchedOff(disabled) => Error::IntegrationDisabled(disabled),
            Readiness::Disconnected => Error::Disconnected,
        })
    }

    /// The data of the channel that the delivery protocol needs.
    pub(crate) fn context(&self, random: &Random) -> Context {
        let channel = self.channel.as_ref();
        Context {
            readiness: self.readiness,
            refresh_impossible: self.token.as_ref().is_some_and(|token| !token.is_connected()),
            token_version: self.token_version(),
            scopes: channel.map(|channel| channel.scopes.clone()).unwrap_or_default(),
            environment: channel.map_or(domain::Environment::Sandbox, |channel| channel.environment),
            fencing_token: random.hex_id(),
            jitter: random.jitter(),
            uploads: self.uploads_until.is_some_and(|until| until >= Instant::now() + MIN_UPLOAD_TIME),
            last_pause: channel.and_then(|channel| channel.pause),
            blocked_links: channel.map(|channel| channel.blocked_links.clone()).unwrap_or_default(),
        }
    }
}

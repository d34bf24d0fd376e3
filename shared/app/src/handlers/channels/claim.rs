//! The claim: a connection becomes a channel, only for the user who started it.

use adapters::Binding;
use domain::{
    Channel, ChannelId, NewConnection, SealedPair, Ticket,
    refresh::{Lifetimes, TokenState},
};
use edge::{Caller, RequestError};
use platform::encoding;
use schemars::JsonSchema;
use serde::Deserialize;
use store::{PendingConnection, TokenRow};

use super::{ChannelView, Channels, MAX_CONFLICT_RETRIES};
use crate::error::{Error, Result};

/// The ticket from the return address.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "ClaimConnectionRequest")]
pub struct Claim {
    /// The text after `#connection=`.
    #[schemars(with = "String", length(max = 100))]
    connection: Ticket,
}

const NOT_FOUND: Error =
    Error::Request(RequestError::NotFound("connection: it was claimed, has expired, or is somebody else's"));

fn lifetimes(pending: &PendingConnection) -> Lifetimes {
    Lifetimes { access_expires_at: pending.access_expires_at, refresh_expires_at: pending.refresh_expires_at }
}

/// Whether a later consent of the same account was already claimed, for example in another tab. Then its tokens stay.
fn is_older(pending: &PendingConnection, channel: &Channel, token: &TokenRow) -> bool {
    pending.issued_at < channel.connected_at && token.state.outlives(lifetimes(pending))
}

impl Channels {
    /// Turns a pending connection into a channel. `true`: a new one. If the same user repeats the claim while the ticket is
    /// valid, it returns the same channel.
    pub(super) async fn claim(&self, caller: &Caller, claim: Claim) -> Result<(ChannelView, bool)> {
        let hash = encoding::sha256(claim.connection.expose());
        // Two concurrent claims of one account conflict. The loser reads again, and finds the channel.
        for _ in 0..MAX_CONFLICT_RETRIES {
            let pending = self.sessions.tokens.pending_connection(&hash).await?.ok_or(NOT_FOUND)?;
            let is_theirs = pending.tenant == caller.tenant && pending.user == caller.user;
            if !is_theirs || pending.expires_at <= self.clock.now().as_second() {
                return Err(NOT_FOUND); // another person learns nothing, and does not use the ticket up
            }
            if let Some(id) = &pending.claimed {
                let (channel, token) = self.sessions.read_channel(&caller.tenant, id).await?;
                return Ok((ChannelView::new(&channel, &token), false));
            }
            let pair = pending.pair.as_ref().ok_or(NOT_FOUND)?;
            let before = self.existing_channel(&pending).await?;
            if let Some((channel, token)) = &before
                && is_older(&pending, channel, token)
            {
                let spare = self.sealed(pair, &hash, channel, token.state.version).await?;
                let (main, tokens) = (&self.sessions.main, &self.sessions.tokens);
                let version = token.state.version;
                if main.claim_as_spare(tokens, &hash, &pending, &channel.id, &spare, version).await? {
                    return Ok((ChannelView::new(channel, token), false));
                }
                continue;
            }
            if before.is_none() {
                self.limits.check_channels(&caller.tenant).await?;
            }
            let channel = self.channel(&pending, before.as_ref().map(|(channel, _)| channel));
            let version = before.as_ref().map(|(_, token)| token.state.version);
            let token = self.token_row(&pending, &channel, pair, &hash, version).await?;
            let is_claimed = self
                .sessions
                .main
                .claim_connection(&self.sessions.tokens, &hash, &pending, &channel, &token, version)
                .await?;
            if is_claimed {
                return Ok((ChannelView::new(&channel, &token), before.is_none()));
            }
        }
        Err(Error::Busy)
    }

    /// The channel that this account already is for this tenant.
    async fn existing_channel(&self, pending: &PendingConnection) -> Result<Option<(Channel, TokenRow)>> {
        let user = &pending.account.pinterest_user_id;
        match self.sessions.main.channel_of(pending.environment, user, &pending.tenant).await? {
            None => Ok(None),
            Some(id) => {
                Ok(self.sessions.main.channel_and_token(&self.sessions.tokens, &pending.tenant, &id).await?)
            }
        }
    }

    fn channel(&self, pending: &PendingConnection, before: Option<&Channel>) -> Channel {
        let now = self.clock.now();
        let connection = NewConnection {
            tenant: pending.tenant.clone(),
            environment: pending.environment,
            account: pending.account.clone(),
            scopes: pending.scopes.clone(),
        };
        Channel::connect(before, ChannelId::new(now, self.random.id_bytes()), connection, now)
    }

    /// The tokens, opened from the ticket's row and sealed again for the channel's.
    async fn sealed(
        &self,
        pair: &SealedPair,
        ticket_hash: &str,
        channel: &Channel,
        version: u64,
    ) -> Result<SealedPair> {
        let share = self.sessions.tokens.refresh_key_share().await?;
        let opened = self.sessions.vault.open_pair(pair, ticket_hash, share).await?;
        let sealer = self.sessions.vault.sealer().await?.with_share(share);
        Ok(sealer.seal(&opened, Binding { row: channel.id.as_str(), version })?)
    }

    async fn token_row(
        &self,
        pending: &PendingConnection,
        channel: &Channel,
        pair: &SealedPair,
        ticket_hash: &str,
        before: Option<u64>,
    ) -> Result<TokenRow> {
        let version = before.unwrap_or(0) + 1;
        let pair = self.sealed(pair, ticket_hash, channel, version).await?;
        let lifetimes = lifetimes(pending);
        let state = TokenState::connect(channel, lifetimes, pending.issued_at, version);
        Ok(TokenRow { state, pair, previous: None, spare: None })
    }
}

//! The claim: a connection becomes the channel of the person who started it, and of nobody else.

use domain::{
    Channel, ChannelId, NewConnection, Ticket,
    refresh::{Grant, Lifetimes},
};
use schemars::JsonSchema;
use serde::Deserialize;

use super::{ChannelView, Channels};
use crate::{
    error::{Error, Result},
    http::Caller,
    store::{Pending, TokenRow},
    text,
    vault::{Place, SealedPair},
};

/// The ticket from the return address.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "ClaimConnectionRequest")]
pub struct Claim {
    /// What stood after `#connection=`.
    #[schemars(with = "String")]
    connection: Ticket,
}

const NOT_FOUND: Error = Error::NotFound("connection: it was claimed, has expired, or is somebody else's");

impl Channels {
    /// Turns a pending connection into a channel. `true`: a new one. Repeated by the same person within the
    /// ticket's time, it answers the same channel.
    pub(super) async fn claim(&self, caller: &Caller, claim: Claim) -> Result<(ChannelView, bool)> {
        let hash = text::sha256(claim.connection.expose());
        // Two claims of one account at the same moment collide; the loser reads again and finds the channel.
        for _ in 0..5 {
            let pending = self.accounts.tokens.pending(&hash).await?.ok_or(NOT_FOUND)?;
            let theirs = pending.tenant == caller.tenant && pending.user == caller.user;
            if !theirs || pending.expires_at <= self.accounts.clock.now().as_second() {
                return Err(NOT_FOUND); // a stranger learns nothing and burns nothing
            }
            if let Some(id) = &pending.claimed {
                let (channel, token) = self.accounts.read(&caller.tenant, id).await?;
                return Ok((ChannelView::of(&channel, &token), false));
            }
            let pair = pending.pair.as_ref().ok_or(NOT_FOUND)?;
            let before = self.before(&pending).await?;
            let channel = self.channel(&pending, before.as_ref().map(|(channel, _)| channel));
            let version = before.as_ref().map(|(_, token)| token.grant.version);
            let token = self.token(&pending, &channel, pair, &hash, version).await?;
            if self
                .accounts
                .main
                .claim(&self.accounts.tokens, &hash, &pending, &channel, &token, version)
                .await?
            {
                return Ok((ChannelView::of(&channel, &token), before.is_none()));
            }
        }
        Err(Error::Busy)
    }

    /// The channel that this account already is for this tenant.
    async fn before(&self, pending: &Pending) -> Result<Option<(Channel, TokenRow)>> {
        let user = &pending.account.pinterest_user_id;
        match self.accounts.main.channel_of(pending.environment, user, &pending.tenant).await? {
            None => Ok(None),
            Some(id) => {
                Ok(self.accounts.main.channel_and_token(&self.accounts.tokens, &pending.tenant, &id).await?)
            }
        }
    }

    /// The channel as it will be.
    fn channel(&self, pending: &Pending, before: Option<&Channel>) -> Channel {
        let now = self.accounts.clock.now();
        let connection = NewConnection {
            tenant: pending.tenant.clone(),
            environment: pending.environment,
            account: pending.account.clone(),
            scopes: pending.scopes.clone(),
        };
        Channel::connect(before, ChannelId::new(now, self.random.entropy()), connection, now)
    }

    /// Its tokens, opened from the ticket's row and sealed again for their own.
    async fn token(
        &self,
        pending: &Pending,
        channel: &Channel,
        pair: &SealedPair,
        ticket_hash: &str,
        before: Option<u64>,
    ) -> Result<TokenRow> {
        let version = before.unwrap_or(0) + 1;
        let opened = self.accounts.vault.open_pair(pair, ticket_hash).await?;
        let pair = self.accounts.vault.seal(&opened, Place { row: channel.id.as_str(), version }).await?;
        let lifetimes = Lifetimes {
            access_expires_at: pending.access_expires_at,
            refresh_expires_at: pending.refresh_expires_at,
        };
        let grant = Grant::connect(channel, lifetimes, pending.given_at, version);
        Ok(TokenRow { grant, pair, previous: None, spare: None })
    }
}

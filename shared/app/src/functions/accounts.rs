//! Accounts at Pinterest, asked in their owners' name: what the functions share that answer people out of Pinterest.

use domain::{AccessToken, Channel, ChannelId, Connection, Refusal, TenantId};
use jiff::Timestamp;
use tokio::join;

use crate::{
    Clock,
    error::{Error, Result},
    store::{MainTable, TokenRow, TokensTable},
    vault::Vault,
};

/// What it takes to ask Pinterest about an account.
#[derive(Debug)]
pub(super) struct Accounts {
    pub(super) vault: Vault,
    pub(super) main: MainTable,
    pub(super) tokens: TokensTable,
    pub(super) pinterest: pinterest::Client,
    pub(super) clock: Clock,
}

impl Accounts {
    /// Makes ready what a first question would wait for.
    pub(super) async fn prepare(&self) -> Result<()> {
        let (settings, ring) = join!(self.main.settings(self.clock.now()), self.vault.sealer());
        settings?;
        ring?;
        Ok(())
    }

    /// A channel of the tenant's, with its tokens.
    pub(super) async fn read(&self, tenant: &TenantId, id: &ChannelId) -> Result<(Channel, TokenRow)> {
        let found = self.main.channel_and_token(&self.tokens, tenant, id).await?;
        found.ok_or(Error::NotFound("channel"))
    }

    /// The access token, if it can still be used.
    pub(super) async fn access(&self, channel: &Channel, token: &TokenRow) -> Result<AccessToken> {
        if token.grant.access_expires_at <= self.clock.now() {
            return Err(match token.grant.connection {
                Connection::Connected => Error::TokenRefreshing,
                Connection::ReconnectRequired(_) => Error::ReconnectRequired,
            });
        }
        Ok(self.vault.open_access(&token.pair, channel.id.as_str()).await?)
    }

    /// Pinterest's answer to a question that was asked with `token`.
    pub(super) async fn asked<T>(&self, answer: Result<T, pinterest::Error>, token: &TokenRow) -> Result<T> {
        let TokenRow { grant, .. } = token;
        let lost = grant.connection != Connection::Connected;
        heard(answer, &self.tokens, &grant.channel_id, grant.version, lost, self.clock.now()).await
    }
}

/// Pinterest's answer to a question that was asked with `version` of a channel's tokens, which nobody can renew if they
/// are `lost`. A token that is refused is due for a refresh: only `refresh` does that.
pub(super) async fn heard<T>(
    answer: Result<T, pinterest::Error>,
    tokens: &TokensTable,
    channel: &ChannelId,
    version: u64,
    lost: bool,
    now: Timestamp,
) -> Result<T> {
    if let Err(pinterest::Error::Refused { refusal: Refusal::TokenDead, .. }) = &answer {
        if lost {
            return Err(Error::ReconnectRequired);
        }
        tokens.make_due(channel, version, now).await?;
    }
    Ok(answer?)
}

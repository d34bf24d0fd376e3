//! `STATE`, `TICKET` and `ACCOUNT`: connecting an account, from the first click to the claim.

use aws_sdk_dynamodb::types::ReturnValue;
use domain::{
    Account, Channel, ChannelId, Environment, PinterestUserId, Scopes, SealedPair, TenantId, UserId,
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{
    MainTable, TokenRow, TokensTable,
    channels::ChannelRow,
    keys::RowKey,
    table::{Error, Written, item, n, row, s, values},
};

/// An OAuth flow under way.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct OAuthFlow {
    /// Whose channel it will be.
    pub tenant: TenantId,
    /// Who started, and alone may claim.
    pub user: UserId,
    /// On which host.
    pub environment: Environment,
    /// Repeated to the letter at the token endpoint.
    pub redirect_uri: String,
    /// Where the browser goes afterwards.
    pub return_to: String,
    /// Seconds since 1970. Checked by us too: DynamoDB removes late.
    pub expires_at: i64,
}

/// A connection that nobody has claimed yet.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct PendingConnection {
    /// Whose channel it will be.
    pub tenant: TenantId,
    /// Who started, and alone may claim.
    pub user: UserId,
    /// On which host.
    pub environment: Environment,
    /// Which account.
    pub account: Account,
    /// What its owner granted.
    pub scopes: Scopes,
    /// When the tokens were given.
    #[serde(rename = "given_at")]
    pub issued_at: Timestamp,
    /// When the access token dies.
    pub access_expires_at: Timestamp,
    /// When the refresh token dies.
    pub refresh_expires_at: Option<Timestamp>,
    /// The tokens, bound to the ticket. Gone once claimed.
    pub pair: Option<SealedPair>,
    /// What became of it.
    pub claimed: Option<ChannelId>,
    /// Seconds since 1970. Checked by us too: DynamoDB removes late.
    pub expires_at: i64,
}

#[derive(Serialize, Deserialize)]
struct Row<T> {
    #[serde(flatten)]
    key: RowKey,
    #[serde(flatten)]
    value: T,
}

#[derive(Serialize, Deserialize)]
struct AccountRow {
    #[serde(flatten)]
    key: RowKey,
    channel_id: ChannelId,
}

impl MainTable {
    /// Saves a flow under the hash of its state.
    pub async fn save_oauth_flow(&self, state_hash: &str, flow: OAuthFlow) -> Result<(), Error> {
        let new = item(&Row { key: RowKey::state(state_hash), value: flow })?;
        self.table.put(new).await
    }

    /// Removes a flow, and returns it. Of two concurrent calls, one gets it.
    pub async fn take_oauth_flow(&self, state_hash: &str) -> Result<Option<OAuthFlow>, Error> {
        let delete = self.table.client.delete_item().table_name(&self.table.name);
        let delete =
            delete.set_key(Some(item(&RowKey::state(state_hash))?)).return_values(ReturnValue::AllOld);
        let taken = delete.send().await.map_err(Error::aws("DeleteItem"))?.attributes;
        taken.map(|found| Ok(row::<Row<OAuthFlow>>(found)?.value)).transpose()
    }

    /// Which channel an account already is.
    pub async fn channel_of(
        &self,
        environment: Environment,
        user: &PinterestUserId,
        tenant: &TenantId,
    ) -> Result<Option<ChannelId>, Error> {
        let found = self.table.get(&RowKey::account(environment, user, tenant)).await?;
        found.map(|found| Ok(row::<AccountRow>(found)?.channel_id)).transpose()
    }

    /// Turns a pending connection into a channel, all at once. `before` is the channel's row of tokens as read,
    /// if the account was a channel. `false`: somebody else was faster, nothing is written.
    pub async fn claim_connection(
        &self,
        tokens: &TokensTable,
        ticket_hash: &str,
        pending: &PendingConnection,
        channel: &Channel,
        token: &TokenRow,
        before: Option<u64>,
    ) -> Result<bool, Error> {
        let id = s(channel.id.as_str());
        let marker = PendingConnection { pair: None, claimed: Some(channel.id.clone()), ..pending.clone() };
        let marker = item(&Row { key: RowKey::ticket(ticket_hash), value: marker })?;
        let unclaimed = "attribute_exists(pk) AND (attribute_not_exists(claimed) OR claimed = :null)";
        let key = RowKey::account(channel.environment, &channel.account.pinterest_user_id, &channel.tenant);
        let account = item(&AccountRow { key, channel_id: channel.id.clone() })?;
        let ours = "attribute_not_exists(pk) OR channel_id = :id";
        // The channel is due at once, so that Pins that wait for it go out even after a crash right here.
        let due = self.table.due_channel(channel.connected_at, &channel.id);
        let row = item(&ChannelRow::due(channel, due))?;
        let same = match before {
            None => ("attribute_not_exists(pk)", values([])),
            Some(version) => ("version = :version", values([(":version", n(version))])),
        };
        let channel_as_read = match before {
            None => ("attribute_not_exists(pk)", values([])),
            Some(_) => ("version = :version", values([(":version", n(channel.version - 1))])),
        };
        let null = values([(":null", aws_sdk_dynamodb::types::AttributeValue::Null(true))]);
        let written = self
            .table
            .transact(vec![
                tokens.table.put_in_transaction(marker, unclaimed, null)?,
                self.table.put_in_transaction(account, ours, values([(":id", id)]))?,
                self.table.put_in_transaction(row, channel_as_read.0, channel_as_read.1)?,
                tokens.table.put_in_transaction(token.to_item(&tokens.table)?, same.0, same.1)?,
            ])
            .await?;
        Ok(matches!(written, Written::All))
    }

    /// Forgets a channel: its tokens, its row and the account's. `false`: it was changed meanwhile.
    pub async fn delete_channel(&self, tokens: &TokensTable, channel: &Channel) -> Result<bool, Error> {
        let account =
            RowKey::account(channel.environment, &channel.account.pinterest_user_id, &channel.tenant);
        let row = RowKey::channel(&channel.tenant, &channel.id);
        let as_read = Some(values([(":version", n(channel.version))]));
        let written = self
            .table
            .transact(vec![
                self.table.delete_in_transaction(&row, Some("version = :version"), as_read)?,
                self.table.delete_in_transaction(&account, None, None)?,
                tokens.table.delete_in_transaction(&RowKey::token(&channel.id), None, None)?,
            ])
            .await?;
        Ok(matches!(written, Written::All))
    }
}

impl TokensTable {
    /// Saves a connection under the hash of its ticket.
    pub async fn save_pending_connection(
        &self,
        ticket_hash: &str,
        pending: PendingConnection,
    ) -> Result<(), Error> {
        let new = item(&Row { key: RowKey::ticket(ticket_hash), value: pending })?;
        self.table.put(new).await
    }

    /// The connection of a ticket.
    pub async fn pending_connection(&self, ticket_hash: &str) -> Result<Option<PendingConnection>, Error> {
        let found = self.table.get(&RowKey::ticket(ticket_hash)).await?;
        found.map(|found| Ok(row::<Row<PendingConnection>>(found)?.value)).transpose()
    }
}

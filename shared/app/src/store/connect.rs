//! `STATE`, `TICKET` and `ACCOUNT`: connecting an account, from the first click to the claim.

use aws_sdk_dynamodb::types::{
    Delete, Put, ReturnValue, ReturnValuesOnConditionCheckFailure, TransactWriteItem,
};
use domain::{Account, Channel, ChannelId, Environment, PinterestUserId, Scopes, TenantId, UserId};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{
    MainTable, TokenRow, TokensTable,
    channels::ChannelRow,
    keys::Key,
    table::{Error, Item, Table, Written, item, n, row, s, values},
};
use crate::vault::SealedPair;

/// An OAuth flow under way.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Flow {
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
pub struct Pending {
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
    pub given_at: Timestamp,
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
    key: Key,
    #[serde(flatten)]
    value: T,
}

#[derive(Serialize, Deserialize)]
struct AccountRow {
    #[serde(flatten)]
    key: Key,
    channel_id: ChannelId,
}

impl MainTable {
    /// Remembers a flow by the hash of its state.
    pub async fn begin(&self, state_hash: &str, flow: Flow) -> Result<(), Error> {
        let new = item(&Row { key: Key::state(state_hash), value: flow })?;
        let put = self.table.client.put_item().table_name(&self.table.name).set_item(Some(new));
        put.send().await.map_err(Error::aws("PutItem"))?;
        Ok(())
    }

    /// Takes a flow: of two that ask, one gets it.
    pub async fn take(&self, state_hash: &str) -> Result<Option<Flow>, Error> {
        let delete = self.table.client.delete_item().table_name(&self.table.name);
        let delete = delete.set_key(Some(item(&Key::state(state_hash))?)).return_values(ReturnValue::AllOld);
        let taken = delete.send().await.map_err(Error::aws("DeleteItem"))?.attributes;
        taken.map(|found| Ok(row::<Row<Flow>>(found)?.value)).transpose()
    }

    /// Which channel an account already is.
    pub async fn channel_of(
        &self,
        environment: Environment,
        user: &PinterestUserId,
        tenant: &TenantId,
    ) -> Result<Option<ChannelId>, Error> {
        let found = self.table.get(&Key::account(environment, user, tenant)).await?;
        found.map(|found| Ok(row::<AccountRow>(found)?.channel_id)).transpose()
    }

    /// Turns a pending connection into a channel, all at once. `before` is the channel's row of tokens as read,
    /// if the account was a channel. `false`: somebody else was faster, nothing is written.
    pub async fn claim(
        &self,
        tokens: &TokensTable,
        ticket_hash: &str,
        pending: &Pending,
        channel: &Channel,
        token: &TokenRow,
        before: Option<u64>,
    ) -> Result<bool, Error> {
        let id = s(channel.id.as_str());
        let marker = Pending { pair: None, claimed: Some(channel.id.clone()), ..pending.clone() };
        let marker = item(&Row { key: Key::ticket(ticket_hash), value: marker })?;
        let unclaimed = "attribute_exists(pk) AND (attribute_not_exists(claimed) OR claimed = :null)";
        let key = Key::account(channel.environment, &channel.account.pinterest_user_id, &channel.tenant);
        let account = item(&AccountRow { key, channel_id: channel.id.clone() })?;
        let ours = "attribute_not_exists(pk) OR channel_id = :id";
        // The channel is due at once, so that Pins that wait for it go out even after a crash right here.
        let due = self.table.due_key(channel.connected_at, channel.id.as_str());
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
                put(&tokens.table, marker, unclaimed, null)?,
                put(&self.table, account, ours, values([(":id", id)]))?,
                put(&self.table, row, channel_as_read.0, channel_as_read.1)?,
                put(&tokens.table, token.to_item(&tokens.table)?, same.0, same.1)?,
            ])
            .await?;
        Ok(matches!(written, Written::All))
    }

    /// Forgets a channel: its tokens, its row and the account's. `false`: it was changed meanwhile.
    pub async fn forget(&self, tokens: &TokensTable, channel: &Channel) -> Result<bool, Error> {
        let account = Key::account(channel.environment, &channel.account.pinterest_user_id, &channel.tenant);
        let row = Key::channel(&channel.tenant, &channel.id);
        let as_read = Some(values([(":version", n(channel.version))]));
        let written = self
            .table
            .transact(vec![
                delete(&self.table, &row, Some("version = :version"), as_read)?,
                delete(&self.table, &account, None, None)?,
                delete(&tokens.table, &Key::token(&channel.id), None, None)?,
            ])
            .await?;
        Ok(matches!(written, Written::All))
    }
}

impl TokensTable {
    /// Keeps a connection until its ticket comes back.
    pub async fn keep(&self, ticket_hash: &str, pending: Pending) -> Result<(), Error> {
        let new = item(&Row { key: Key::ticket(ticket_hash), value: pending })?;
        let put = self.table.client.put_item().table_name(&self.table.name).set_item(Some(new));
        put.send().await.map_err(Error::aws("PutItem"))?;
        Ok(())
    }

    /// What a ticket stands for.
    pub async fn pending(&self, ticket_hash: &str) -> Result<Option<Pending>, Error> {
        let found = self.table.get(&Key::ticket(ticket_hash)).await?;
        found.map(|found| Ok(row::<Row<Pending>>(found)?.value)).transpose()
    }
}

/// A put of a transaction.
pub(super) fn put(
    table: &Table,
    new: Item,
    condition: &str,
    values: Item,
) -> Result<TransactWriteItem, Error> {
    let put = Put::builder()
        .table_name(&table.name)
        .set_item(Some(new))
        .condition_expression(condition)
        .set_expression_attribute_values((!values.is_empty()).then_some(values))
        .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
        .build()
        .map_err(|error| Error::Aws { operation: "TransactWriteItems", source: Box::new(error) })?;
    Ok(TransactWriteItem::builder().put(put).build())
}

fn delete(
    table: &Table,
    key: &Key,
    condition: Option<&str>,
    values: Option<Item>,
) -> Result<TransactWriteItem, Error> {
    let delete = Delete::builder()
        .table_name(&table.name)
        .set_key(Some(item(key)?))
        .set_condition_expression(condition.map(str::to_owned))
        .set_expression_attribute_values(values)
        .build()
        .map_err(|error| Error::Aws { operation: "TransactWriteItems", source: Box::new(error) })?;
    Ok(TransactWriteItem::builder().delete(delete).build())
}

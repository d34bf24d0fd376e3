//! `STATE`, `TICKET` and `ACCOUNT`: connecting an account, from the first click to the claim.

use aws_sdk_dynamodb::{
    operation::update_item::UpdateItemError,
    types::{AttributeValue, ReturnValue, ReturnValuesOnConditionCheckFailure},
};
use domain::{
    Account, Channel, ChannelId, Environment, PinterestUserId, Scopes, SealedPair, TenantId, UserId,
};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::{
    MainTable, TokenRow, TokensTable,
    channels::ChannelRow,
    keys::{DueIndexKey, RowKey},
    table::{Error, Item, Written, item, n, row, s, values},
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
    /// Repeated exactly at the token endpoint.
    pub redirect_uri: String,
    /// The address to which the browser returns.
    pub return_to: String,
    /// Seconds since 1970. Checked by us too: DynamoDB removes late.
    pub expires_at: i64,
}

/// The flow that a browser has come back with.
#[derive(Clone, Debug)]
pub enum ReturnedFlow {
    /// For the first time: this request, and no other, exchanges the code.
    First(OAuthFlow),
    /// Again, with the same code. The outcome, if it is known already.
    Again(OAuthFlow, Option<String>),
}

impl ReturnedFlow {
    /// The flow.
    #[must_use]
    pub fn flow(&self) -> &OAuthFlow {
        match self {
            Self::First(flow) | Self::Again(flow, _) => flow,
        }
    }
}

/// A flow, and the data of the browser's return.
#[derive(Serialize, Deserialize)]
struct FlowRow {
    #[serde(flatten)]
    key: RowKey,
    #[serde(flatten)]
    flow: OAuthFlow,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    code_hash: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    taken_by: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    outcome: Option<String>,
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
    /// The channel that it became.
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

/// After this time, no request that has read a channel before it was deleted can still create a Pin: API Gateway waits 30
/// seconds, and no function of the API runs for longer.
const CREATION_TIME: SignedDuration = SignedDuration::from_mins(1);
/// How long the row of a deleted channel is stored: as long as its work may be tried again.
const CLOSED_TTL: SignedDuration = SignedDuration::from_hours(7 * 24);

/// A channel that was deleted a moment ago.
#[derive(Serialize)]
struct ClosedChannelRow {
    #[serde(flatten)]
    key: RowKey,
    #[serde(flatten)]
    due: DueIndexKey,
    expires_at: i64,
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
        let key = RowKey::state(state_hash);
        let new = item(&FlowRow { key, flow, code_hash: None, taken_by: None, outcome: None })?;
        self.table.put(new).await
    }

    /// Takes a flow for the code that the browser brought. Of two concurrent calls, one is the first. `taken_by` is random: an
    /// SDK retry may meet its own first try.
    pub async fn take_oauth_flow(
        &self,
        state_hash: &str,
        code_hash: &str,
        taken_by: &str,
    ) -> Result<Option<ReturnedFlow>, Error> {
        let update = self
            .table
            .client
            .update_item()
            .table_name(&self.table.name)
            .set_key(Some(item(&RowKey::state(state_hash))?))
            .update_expression("SET code_hash = :code, taken_by = :by")
            .condition_expression("attribute_exists(pk) AND attribute_not_exists(code_hash)")
            .set_expression_attribute_values(Some(values([(":code", s(code_hash)), (":by", s(taken_by))])))
            .return_values(ReturnValue::AllOld)
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        let error = match update.send().await {
            Ok(taken) => {
                let flow = taken.attributes.map(row::<FlowRow>).transpose()?;
                return Ok(flow.map(|row| ReturnedFlow::First(row.flow)));
            }
            Err(error) => error,
        };
        let there = match error.as_service_error() {
            Some(UpdateItemError::ConditionalCheckFailedException(failed)) => failed.item().cloned(),
            _ => return Err(Error::aws("UpdateItem")(error)),
        };
        let there = there.map(row::<FlowRow>).transpose()?;
        let same_code = there.filter(|row| row.code_hash.as_deref() == Some(code_hash));
        Ok(same_code.map(|row| {
            if row.taken_by.as_deref() == Some(taken_by) {
                ReturnedFlow::First(row.flow)
            } else {
                ReturnedFlow::Again(row.flow, row.outcome)
            }
        }))
    }

    /// Stores the outcome of a flow, for repeated requests.
    pub async fn save_flow_outcome(&self, state_hash: &str, outcome: &str) -> Result<(), Error> {
        let names = values([(":outcome", s(outcome))]);
        let key = RowKey::state(state_hash);
        self.table.update_if(&key, "SET outcome = :outcome", "attribute_exists(pk)", names).await?;
        Ok(())
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

    /// Turns a pending connection into a channel, in one transaction. `before` is the channel's row of tokens as read, if
    /// the account was a channel. `false`: another process was faster, and nothing is written.
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
        let (marker, unclaimed, null) = claimed(ticket_hash, pending, &channel.id)?;
        let key = RowKey::account(channel.environment, &channel.account.pinterest_user_id, &channel.tenant);
        let account = item(&AccountRow { key, channel_id: channel.id.clone() })?;
        let ours = "attribute_not_exists(pk) OR channel_id = :id";
        // The channel is due at once, so that Pins that wait for it are sent even after a crash at this point.
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

    /// Claims a connection whose tokens are older than those of the channel that its account is. They become the spare pair,
    /// and nothing else changes. `version`: of the channel's tokens, as read. `false`: they were changed meanwhile.
    pub async fn claim_as_spare(
        &self,
        tokens: &TokensTable,
        ticket_hash: &str,
        pending: &PendingConnection,
        channel: &ChannelId,
        spare: &SealedPair,
        version: u64,
    ) -> Result<bool, Error> {
        let (marker, unclaimed, null) = claimed(ticket_hash, pending, channel)?;
        let names = values([(":pair", serde_dynamo::to_attribute_value(spare)?), (":version", n(version))]);
        let key = RowKey::token(channel);
        let written = self
            .table
            .transact(vec![
                tokens.table.put_in_transaction(marker, unclaimed, null)?,
                tokens.table.update_in_transaction(&key, "SET spare = :pair", "version = :version", names)?,
            ])
            .await?;
        Ok(matches!(written, Written::All))
    }

    /// Deletes a channel: its tokens, its row and the account's row. `false`: it was changed in the meantime.
    /// A moment later, a worker looks for Pins that were created at the same time.
    pub async fn delete_channel(
        &self,
        tokens: &TokensTable,
        channel: &Channel,
        now: Timestamp,
    ) -> Result<bool, Error> {
        let account =
            RowKey::account(channel.environment, &channel.account.pinterest_user_id, &channel.tenant);
        let row = RowKey::channel(&channel.tenant, &channel.id);
        let as_read = Some(values([(":version", n(channel.version))]));
        let closed = ClosedChannelRow {
            key: RowKey::closed_channel(&channel.tenant, &channel.id),
            due: self.table.due_channel(now + CREATION_TIME, &channel.id),
            expires_at: (now + CLOSED_TTL).as_second(),
        };
        self.note_channel(channel).await?;
        let written = self
            .table
            .transact(vec![
                self.table.delete_in_transaction(&row, Some("version = :version"), as_read)?,
                self.table.delete_in_transaction(&account, None, None)?,
                self.table.put_in_transaction(item(&closed)?, "attribute_not_exists(pk)", values([]))?,
                tokens.table.delete_in_transaction(&RowKey::token(&channel.id), None, None)?,
            ])
            .await?;
        Ok(matches!(written, Written::All))
    }

    /// Notes a channel that is about to go, for lists of its Pins. Where none are noted yet, it will be found among them.
    async fn note_channel(&self, channel: &Channel) -> Result<(), Error> {
        let id = AttributeValue::Ss(vec![channel.id.to_string()]);
        let key = RowKey::channels(&channel.tenant);
        let names = values([(":channel", id)]);
        self.table.update_if(&key, "ADD channels :channel", "attribute_exists(pk)", names).await?;
        Ok(())
    }
}

/// The ticket's row once it is claimed, and the condition that it is not yet, with its values.
fn claimed(
    ticket_hash: &str,
    pending: &PendingConnection,
    channel: &ChannelId,
) -> Result<(Item, &'static str, Item), Error> {
    let marker = PendingConnection { pair: None, claimed: Some(channel.clone()), ..pending.clone() };
    let marker = item(&Row { key: RowKey::ticket(ticket_hash), value: marker })?;
    let unclaimed = "attribute_exists(pk) AND (attribute_not_exists(claimed) OR claimed = :null)";
    Ok((marker, unclaimed, values([(":null", AttributeValue::Null(true))])))
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

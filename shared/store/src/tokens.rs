//! `TOKEN`: a channel's sealed pairs, and the lease of the process that refreshes them.

use aws_sdk_dynamodb::{
    operation::update_item::UpdateItemError,
    types::{AttributeValue, ReturnValue},
};
use domain::{
    ChannelId, SealedPair, TenantId,
    refresh::{Lease, TokenState},
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{
    MainTable, TokensTable,
    keys::RowKey,
    table::{Error, Item, Table, Written, item, n, row, s, values},
};

/// The stored tokens of a channel: one row, so that a refresh is one write.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenRow {
    /// Their state.
    #[serde(flatten)]
    pub state: TokenState,
    /// The newest pair.
    pub pair: SealedPair,
    /// The refresh token before it, until the next rotation. Older versions have kept its access token, too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous: Option<SealedPair>,
    /// A pair that came after the version had changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spare: Option<SealedPair>,
}

/// These attributes are removed if they are missing: an update does not change other attributes.
const OPTIONAL_ATTRIBUTES: [&str; 9] = [
    "refresh_expires_at",
    "lease",
    "lease_until",
    "believe_refusal_at",
    "due_at",
    "due_pk",
    "due_sk",
    "warned_days",
    "previous",
];

/// How the save of a new pair ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SaveOutcome {
    /// The pair is in the row.
    Saved,
    /// The version is right, but the channel was marked as lost in the meantime: both tables have to be written.
    ChannelLost,
    /// The version has changed, or the channel was deleted.
    VersionConflict,
}

impl TokenRow {
    pub(crate) fn from_item(found: Item) -> Result<Self, Error> {
        row(found)
    }

    pub(crate) fn to_item(&self, table: &Table) -> Result<Item, Error> {
        let mut new = item(self)?;
        new.extend(item(&RowKey::token(&self.state.channel_id))?);
        if let Some(at) = self.state.due_at {
            new.extend(item(&table.due_tokens(at, &self.state.tenant, &self.state.channel_id))?);
        }
        if let Some(lease) = &self.state.lease {
            new.insert("lease_until".to_owned(), n(lease.until.as_millisecond()));
        }
        Ok(new)
    }
}

impl TokensTable {
    /// A channel's tokens.
    pub async fn token(&self, channel: &ChannelId) -> Result<Option<TokenRow>, Error> {
        self.table.get(&RowKey::token(channel)).await?.map(TokenRow::from_item).transpose()
    }

    /// The tokens of `channels`, in few round trips. A row that cannot be read does not affect the others.
    pub async fn tokens(
        &self,
        channels: &[ChannelId],
    ) -> Result<Vec<(ChannelId, Result<TokenRow, Error>)>, Error> {
        let keys: Vec<_> = channels.iter().map(|channel| (&self.table, RowKey::token(channel))).collect();
        let mut found = self.table.batch(&keys).await?;
        let known = channels.iter().zip(&keys).filter_map(|(channel, (_, key))| {
            Some((channel.clone(), TokenRow::from_item(found.remove(key)?)))
        });
        Ok(known.collect())
    }

    /// A channel's tokens, if they are still due as `due_sk` says.
    pub async fn token_due(&self, channel: &ChannelId, due_sk: &str) -> Result<Option<TokenRow>, Error> {
        let found = self.table.get(&RowKey::token(channel)).await?;
        found.filter(|row| row.get("due_sk") == Some(&s(due_sk))).map(TokenRow::from_item).transpose()
    }

    /// Takes the lease of a row that is still as `state` and `due_sk` say, and tells the lease that was left behind, if one
    /// was. `None`: it has changed, or somebody holds it.
    pub async fn acquire_lease(
        &self,
        state: &TokenState,
        due_sk: &str,
        lease: &Lease,
        now: Timestamp,
    ) -> Result<Option<(TokenRow, Option<Lease>)>, Error> {
        let update = self
            .table
            .client
            .update_item()
            .table_name(&self.table.name)
            .set_key(Some(item(&RowKey::token(&state.channel_id))?))
            .update_expression("SET lease = :lease, lease_until = :until")
            .condition_expression(
                "version = :before AND due_sk = :seen AND \
                 (attribute_not_exists(lease_until) OR lease_until < :now OR lease.id = :mine)",
            )
            .set_expression_attribute_values(Some(values([
                (":lease", serde_dynamo::to_attribute_value(lease)?),
                (":until", n(lease.until.as_millisecond())),
                (":now", n(now.as_millisecond())),
                (":before", n(state.version)),
                (":seen", s(due_sk)),
                (":mine", s(&lease.id)), // an SDK retry may meet its own first try
            ])))
            .return_values(ReturnValue::AllOld);
        match update.send().await {
            Ok(claimed) => {
                let Some(before) = claimed.attributes else { return Ok(None) };
                let mut row = TokenRow::from_item(before)?;
                // An SDK retry may find our own lease, which may have replaced one that was not released.
                let left = row.state.take_lease(lease.clone());
                Ok(Some((row, left)))
            }
            Err(error) => match error.as_service_error() {
                Some(UpdateItemError::ConditionalCheckFailedException(_)) => Ok(None),
                _ => Err(Error::aws("UpdateItem")(error)),
            },
        }
    }

    /// Saves a new pair over version `before`, even if another process holds the lease by now.
    pub async fn save_new_tokens(&self, new: &TokenRow, before: u64) -> Result<SaveOutcome, Error> {
        let mut change = replace(&self.table, new, &["spare"])?;
        change.names.extend(values([(":before", n(before)), (":alive", s("connected"))]));
        let condition = "version = :before AND #connection.#status = :alive";
        if self.table.update_if(&change.key, &change.expression, condition, change.names).await? {
            return Ok(SaveOutcome::Saved);
        }
        self.saved(new, before).await
    }

    /// The result of a save that was not written. An SDK retry may find its own first try: that counts as saved.
    async fn saved(&self, new: &TokenRow, before: u64) -> Result<SaveOutcome, Error> {
        Ok(match self.token(&new.state.channel_id).await? {
            Some(there) if there.pair == new.pair => SaveOutcome::Saved,
            Some(there) if there.state.version == before => SaveOutcome::ChannelLost,
            _ => SaveOutcome::VersionConflict,
        })
    }

    /// Stores a good pair that came too late to be the current one. Nothing happens if the channel was deleted.
    pub async fn save_spare(&self, channel: &ChannelId, pair: &SealedPair) -> Result<(), Error> {
        let names = values([(":pair", serde_dynamo::to_attribute_value(pair)?)]);
        self.table
            .update_if(&RowKey::token(channel), "SET spare = :pair", "attribute_exists(pk)", names)
            .await?;
        Ok(())
    }

    /// Releases `lease`, and saves the new state. Nothing happens if the lease or the version has changed.
    pub async fn release_lease(&self, new: &TokenRow, lease: &str) -> Result<(), Error> {
        let mut change = replace(&self.table, new, &[])?;
        change.names.extend(values([(":before", n(new.state.version)), (":mine", s(lease))]));
        let condition = "version = :before AND lease.id = :mine";
        self.table.update_if(&change.key, &change.expression, condition, change.names).await?;
        Ok(())
    }

    /// Makes a channel's tokens due now, unless another process is refreshing them, or has tried and waits for the next
    /// try: an urgent Pin must not cause more calls.
    pub async fn request_refresh(
        &self,
        tenant: &TenantId,
        channel: &ChannelId,
        version: u64,
        now: Timestamp,
    ) -> Result<(), Error> {
        let mut names =
            values([(":before", n(version)), (":now", n(now.as_millisecond())), (":at", s(now.to_string()))]);
        names.insert(":none".to_owned(), n(0));
        let due = item(&self.table.due_tokens(now, tenant, channel))?;
        names.extend(due.into_iter().map(|(name, value)| (format!(":{name}"), value)));
        let condition = "version = :before AND (attribute_not_exists(lease_until) OR lease_until < :now) \
                         AND attribute_exists(due_sk) AND due_sk > :due_sk AND failures = :none \
                         AND attribute_not_exists(believe_refusal_at)";
        let expression = "SET due_pk = :due_pk, due_sk = :due_sk, due_at = :at";
        self.table.update_if(&RowKey::token(channel), expression, condition, names).await?;
        Ok(())
    }
}

/// The update that sets a row to `new`, and removes what `new` lacks.
fn replace(table: &Table, new: &TokenRow, removed: &[&str]) -> Result<Change, Error> {
    let key = RowKey::token(&new.state.channel_id);
    let new = new.to_item(table)?;
    let gone = OPTIONAL_ATTRIBUTES.iter().chain(removed).filter(|name| !new.contains_key(**name));
    let gone: Vec<_> = gone.copied().collect();
    let set: Vec<(String, AttributeValue)> =
        new.into_iter().filter(|(name, _)| !["pk", "sk", "spare"].contains(&name.as_str())).collect();
    // `connection` is a reserved word of DynamoDB; every name is written as a placeholder.
    let assignments: Vec<_> = set.iter().map(|(name, _)| format!("#{name} = :{name}")).collect();
    let mut expression = format!("SET {}", assignments.join(", "));
    if !gone.is_empty() {
        expression = format!("{expression} REMOVE {}", gone.join(", "));
    }
    let names = set.into_iter().map(|(name, value)| (format!(":{name}"), value)).collect();
    Ok(Change { key, expression, names })
}

struct Change {
    key: RowKey,
    expression: String,
    names: Item,
}

impl MainTable {
    /// Saves a new pair that makes a lost channel work again, over version `before`: its row and the channel's row
    /// together.
    pub async fn save_recovered(
        &self,
        tokens: &TokensTable,
        new: &TokenRow,
        before: u64,
        now: Timestamp,
    ) -> Result<SaveOutcome, Error> {
        let mut change = replace(&tokens.table, new, &["spare"])?;
        change.names.insert(":before".to_owned(), n(before));
        match self.with_connection(tokens, new, change, "version = :before", now).await? {
            Written::All => Ok(SaveOutcome::Saved),
            Written::Refused(_) => tokens.saved(new, before).await,
        }
    }

    /// Releases the lease, and saves that the channel has to be connected again: both rows together. Nothing happens if the
    /// lease or the version has changed.
    pub async fn release_dead(
        &self,
        tokens: &TokensTable,
        new: &TokenRow,
        lease: &str,
        now: Timestamp,
    ) -> Result<(), Error> {
        let mut change = replace(&tokens.table, new, &[])?;
        change.names.extend(values([(":before", n(new.state.version)), (":mine", s(lease))]));
        self.with_connection(tokens, new, change, "version = :before AND lease.id = :mine", now).await?;
        Ok(())
    }

    /// Saves the warning that a refresh token expires: both rows together, once for each number of days.
    pub async fn record_expiry_warning(
        &self,
        tokens: &TokensTable,
        state: &TokenState,
        days: u8,
    ) -> Result<(), Error> {
        let names = values([(":days", n(days)), (":before", n(state.version))]);
        let key = RowKey::token(&state.channel_id);
        let expression = "SET warned_days = :days";
        let token = tokens.table.update_in_transaction(&key, expression, "version = :before", names)?;
        let channel = self.expiry_warning(&state.tenant, &state.channel_id, days)?;
        self.table.transact(vec![token, channel]).await?;
        Ok(())
    }

    async fn with_connection(
        &self,
        tokens: &TokensTable,
        new: &TokenRow,
        change: Change,
        condition: &str,
        now: Timestamp,
    ) -> Result<Written, Error> {
        let state = &new.state;
        let token =
            tokens.table.update_in_transaction(&change.key, &change.expression, condition, change.names)?;
        let channel = self.connection_changes(&state.tenant, &state.channel_id, state.connection, now)?;
        self.table.transact(vec![token, channel]).await
    }
}

//! `CHANNEL` and `QUOTA`: connected accounts, and the data that publishing needs.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::TransactWriteItem;
use domain::{
    BlockedLinks, Channel, ChannelId, Connection, DefaultBoard, Environment, Pause, PublicSettings, TenantId,
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{
    IdempotencyRecord, MainTable, TokenRow, TokensTable,
    keys::{CHANNEL, DueIndexKey, RowKey, tenant_pk},
    settings::settings_of,
    table::{Error, Item, item, n, row, s, values},
};

/// A channel's row. In the `due` index only while Pins wait to be resumed.
#[derive(Serialize, Deserialize)]
pub(crate) struct ChannelRow {
    #[serde(flatten)]
    key: RowKey,
    #[serde(flatten)]
    due: Option<DueIndexKey>,
    #[serde(flatten)]
    channel: Channel,
}

impl ChannelRow {
    pub(crate) fn due(channel: &Channel, due: DueIndexKey) -> Self {
        Self { key: RowKey::channel(&channel.tenant, &channel.id), due: Some(due), channel: channel.clone() }
    }
}

#[derive(Serialize, Deserialize)]
struct QuotaRow {
    #[serde(flatten)]
    key: RowKey,
    pause: Pause,
}

/// The data that publishing needs, read in one round trip.
#[derive(Debug)]
pub struct ChannelSnapshot {
    /// The settings. `None`: nobody has saved any.
    pub settings: Option<PublicSettings>,
    /// The channel, if the tenant has it.
    pub channel: Option<Channel>,
    /// Its tokens.
    pub token: Option<TokenRow>,
    /// Until when no channel of its environment sends anything.
    pub app_pause: Option<Pause>,
    /// The earlier use of the caller's key.
    pub used: Option<IdempotencyRecord>,
}

impl MainTable {
    /// Reads a [`ChannelSnapshot`]: the settings come from memory if they are fresh.
    pub async fn channel_snapshot(
        &self,
        tokens: &TokensTable,
        tenant: &TenantId,
        channel: &ChannelId,
        key_hash: Option<&str>,
        now: Timestamp,
    ) -> Result<ChannelSnapshot, Error> {
        let main = &self.table;
        let quotas = [Environment::Sandbox, Environment::Production].map(RowKey::quota);
        let (channel_key, token_key) = (RowKey::channel(tenant, channel), RowKey::token(channel));
        let used_key = key_hash.map(|hash| RowKey::idempotency(tenant, hash));
        let mut keys =
            vec![(main, RowKey::settings()), (main, channel_key.clone()), (&tokens.table, token_key.clone())];
        keys.extend(quotas.iter().map(|key| (main, key.clone())));
        keys.extend(used_key.iter().map(|key| (main, key.clone())));

        let mut found = self.table.batch(&keys).await?;
        let settings = found.remove(&RowKey::settings()).map(settings_of).transpose()?;
        self.settings.insert(now, settings.clone());
        let channel: Option<Channel> = found.remove(&channel_key).map(channel_of).transpose()?;
        let environment = channel.as_ref().map_or(Environment::Sandbox, |channel| channel.environment);
        let quota: Option<QuotaRow> = found.remove(&RowKey::quota(environment)).map(row).transpose()?;
        let token = found.remove(&token_key).map(TokenRow::from_item).transpose()?;
        let used = used_key.and_then(|key| found.remove(&key)).map(row).transpose()?;
        Ok(ChannelSnapshot { settings, channel, token, app_pause: quota.map(|row| row.pause), used })
    }

    /// A channel, if the tenant has it.
    pub async fn channel(&self, tenant: &TenantId, id: &ChannelId) -> Result<Option<Channel>, Error> {
        self.table.get(&RowKey::channel(tenant, id)).await?.map(channel_of).transpose()
    }

    /// A channel with its tokens, in one round trip.
    pub async fn channel_and_token(
        &self,
        tokens: &TokensTable,
        tenant: &TenantId,
        id: &ChannelId,
    ) -> Result<Option<(Channel, TokenRow)>, Error> {
        let (channel_key, token_key) = (RowKey::channel(tenant, id), RowKey::token(id));
        let keys = [(&self.table, channel_key.clone()), (&tokens.table, token_key.clone())];
        let mut found = self.table.batch(&keys).await?;
        let channel = found.remove(&channel_key).map(channel_of).transpose()?;
        let token = found.remove(&token_key).map(TokenRow::from_item).transpose()?;
        Ok(channel.zip(token))
    }

    /// The tenant's channels with their tokens: those of one page, oldest first, and where the next page begins.
    pub async fn channels(
        &self,
        tokens: &TokensTable,
        tenant: &TenantId,
        after: Option<&str>,
        limit: i32,
    ) -> Result<(Vec<(Channel, TokenRow)>, Option<String>), Error> {
        let query = self.table.client.query().table_name(&self.table.name).consistent_read(true).limit(limit);
        let query = query
            .key_condition_expression("pk = :pk AND begins_with(sk, :prefix)")
            .expression_attribute_values(":pk", s(tenant_pk(tenant)))
            .expression_attribute_values(":prefix", s(CHANNEL));
        let start = after.map(|id| item(&RowKey { pk: tenant_pk(tenant), sk: format!("{CHANNEL}{id}") }));
        let query = query.set_exclusive_start_key(start.transpose()?);
        let page = query.send().await.map_err(Error::aws("Query"))?;
        let channels: Vec<Channel> =
            page.items.unwrap_or_default().into_iter().map(channel_of).collect::<Result<_, _>>()?;
        let next = page.last_evaluated_key.and(channels.last().map(|channel| channel.id.to_string()));

        let ids: Vec<_> = channels.iter().map(|channel| channel.id.clone()).collect();
        let mut known: HashMap<_, _> = tokens.tokens(&ids).await?.into_iter().collect();
        let with_tokens = channels.into_iter().filter_map(|channel| {
            let token = known.remove(&channel.id)?;
            Some(token.map(|token| (channel, token)))
        });
        Ok((with_tokens.collect::<Result<_, _>>()?, next))
    }

    /// Sets the default board. `false`: the channel was deleted.
    pub async fn set_default_board(
        &self,
        channel: &Channel,
        board: Option<&DefaultBoard>,
    ) -> Result<bool, Error> {
        let expression = match board {
            Some(_) => "SET default_board = :board ADD version :one",
            None => "REMOVE default_board ADD version :one",
        };
        let mut names = values([(":one", n(1))]);
        if let Some(board) = board {
            names.insert(":board".to_owned(), serde_dynamo::to_attribute_value(board)?);
        }
        self.table
            .update_if(
                &RowKey::channel(&channel.tenant, &channel.id),
                expression,
                "attribute_exists(pk)",
                names,
            )
            .await
    }

    /// Pauses a channel, unless a longer pause exists.
    pub async fn pause_channel(&self, tenant: &TenantId, id: &ChannelId, pause: Pause) -> Result<(), Error> {
        let mut names = until(pause)?;
        names.extend(values([(":one", n(1))]));
        let condition = format!("attribute_exists(pk) AND {EXTENDS_PAUSE}");
        let key = RowKey::channel(tenant, id);
        self.table.update_if(&key, "SET pause = :pause ADD version :one", &condition, names).await?;
        Ok(())
    }

    /// Stores the hosts to which Pinterest blocks links. Nothing happens if the channel was deleted.
    pub async fn save_blocked_links(
        &self,
        tenant: &TenantId,
        id: &ChannelId,
        links: &BlockedLinks,
    ) -> Result<(), Error> {
        let mut names = values([(":one", n(1))]);
        names.insert(":links".to_owned(), serde_dynamo::to_attribute_value(links)?);
        let expression = "SET blocked_links = :links ADD version :one";
        self.table.update_if(&RowKey::channel(tenant, id), expression, "attribute_exists(pk)", names).await?;
        Ok(())
    }

    /// Pauses all channels of an environment, unless a longer pause exists.
    pub async fn pause_app(&self, environment: Environment, pause: Pause) -> Result<(), Error> {
        let key = RowKey::quota(environment);
        self.table.update_if(&key, "SET pause = :pause", EXTENDS_PAUSE, until(pause)?).await?;
        Ok(())
    }

    /// The change of a channel's connection, for a transaction with the tokens' row.
    pub(crate) fn connection_changes(
        &self,
        tenant: &TenantId,
        id: &ChannelId,
        connection: Connection,
        now: Timestamp,
    ) -> Result<TransactWriteItem, Error> {
        let mut names =
            values([(":connection", serde_dynamo::to_attribute_value(connection)?), (":one", n(1))]);
        let expression = if connection == Connection::Connected {
            let due = item(&self.table.due_channel(now, id))?;
            names.extend(due.into_iter().map(|(name, value)| (format!(":{name}"), value)));
            "SET #connection = :connection, #due_pk = :due_pk, #due_sk = :due_sk REMOVE expiring_in_days \
             ADD version :one"
        } else {
            "SET #connection = :connection ADD version :one"
        };
        let key = RowKey::channel(tenant, id);
        self.table.update_in_transaction(&key, expression, "attribute_exists(pk)", names)
    }

    /// The warning that a channel's refresh token expires, for a transaction with the tokens' row.
    pub(crate) fn expiry_warning(
        &self,
        tenant: &TenantId,
        id: &ChannelId,
        days: u8,
    ) -> Result<TransactWriteItem, Error> {
        let names = values([(":days", n(days)), (":one", n(1))]);
        let expression = "SET expiring_in_days = :days ADD version :one";
        let key = RowKey::channel(tenant, id);
        self.table.update_in_transaction(&key, expression, "attribute_exists(pk)", names)
    }
}

/// A short pause must not replace a longer one.
const EXTENDS_PAUSE: &str = "(attribute_not_exists(pause) OR pause.#until < :until)";

fn until(pause: Pause) -> Result<Item, Error> {
    let pause_value = serde_dynamo::to_attribute_value(pause)?;
    Ok(values([(":pause", pause_value), (":until", s(format!("{:.3}", pause.until)))]))
}

fn channel_of(found: Item) -> Result<Channel, Error> {
    Ok(row::<ChannelRow>(found)?.channel)
}

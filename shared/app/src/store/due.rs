//! The `due` index: all work that waits for its time, however old, and nothing else.

use domain::{ChannelId, PinId, TenantId};
use futures_util::future::try_join_all;
use jiff::Timestamp;
use serde::Deserialize;

use super::{
    MainTable, TokensTable,
    keys::{CHANNEL, DueKey, Key, PIN, SHARDS, instant, instant_of},
    table::{Error, Table, item, row, s, values},
};

/// Something whose time has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Due {
    /// What it is.
    pub what: Work,
    /// Since when.
    pub since: Timestamp,
    /// The entry, to be named by whoever takes it: two workers that saw the same entry cannot both act on it.
    pub entry: String,
}

/// What is to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Work {
    /// A Pin is to be sent, looked for, or given up.
    Pin(TenantId, PinId),
    /// A channel is back: what waits for it is to be resumed.
    Channel(TenantId, ChannelId),
    /// A channel's tokens are to be refreshed.
    Token(ChannelId),
}

#[derive(Deserialize)]
struct Entry {
    pk: String,
    sk: String,
    due_sk: String,
}

impl MainTable {
    /// Pins and channels that are due, oldest first, at most `limit` of them.
    pub async fn due(&self, now: Timestamp, limit: usize) -> Result<Vec<Due>, Error> {
        due(&self.table, now, limit).await
    }

    /// Leaves a row alone until then, without reading it: it may be unreadable. Gives the new entry, unless somebody
    /// has moved the row since it was seen.
    pub async fn put_off(&self, due: &Due, until: Timestamp) -> Result<Option<Due>, Error> {
        put_off(&self.table, due, until).await
    }
}

impl TokensTable {
    /// Tokens that are due, oldest first, at most `limit` of them.
    pub async fn due(&self, now: Timestamp, limit: usize) -> Result<Vec<Due>, Error> {
        due(&self.table, now, limit).await
    }

    /// Leaves a row alone until then, without reading it: it may be unreadable. Gives the new entry, unless somebody
    /// has moved the row since it was seen.
    pub async fn put_off(&self, due: &Due, until: Timestamp) -> Result<Option<Due>, Error> {
        put_off(&self.table, due, until).await
    }
}

async fn put_off(table: &Table, due: &Due, until: Timestamp) -> Result<Option<Due>, Error> {
    let (key, id) = match &due.what {
        Work::Pin(tenant, id) => (Key::pin(tenant, id), id.as_str()),
        Work::Channel(tenant, id) => (Key::channel(tenant, id), id.as_str()),
        Work::Token(id) => (Key::token(id), id.as_str()),
    };
    let mut names = values([(":seen", s(&due.entry))]);
    let later = DueKey::new(until, id);
    let moved = Due { since: until, entry: later.entry().to_owned(), what: due.what.clone() };
    let later = item(&later)?;
    names.extend(later.into_iter().map(|(name, value)| (format!(":{name}"), value)));
    let expression = "SET due_pk = :due_pk, due_sk = :due_sk";
    Ok(table.update_if(&key, expression, "due_sk = :seen", names).await?.then_some(moved))
}

/// Asks every shard. The oldest of all come first, so that work which nobody can do blocks nothing: a row that
/// fails moves its own due time.
async fn due(table: &Table, now: Timestamp, limit: usize) -> Result<Vec<Due>, Error> {
    let shards = (0..SHARDS).map(|shard| of_shard(table, shard, now, limit));
    let mut all = try_join_all(shards).await?.concat();
    all.sort_by_key(|due| due.since);
    all.truncate(limit);
    Ok(all)
}

async fn of_shard(table: &Table, shard: u32, now: Timestamp, limit: usize) -> Result<Vec<Due>, Error> {
    let (mut found, mut start) = (Vec::new(), None);
    loop {
        let query = table.client.query().table_name(&table.name).index_name("due");
        let query = query
            .key_condition_expression("due_pk = :shard AND due_sk < :now")
            .expression_attribute_values(":shard", s(shard.to_string()))
            // `$` follows `#`: everything of this very millisecond is due too.
            .expression_attribute_values(":now", s(format!("{}$", instant(now))))
            .limit(i32::try_from(limit - found.len()).unwrap_or(i32::MAX))
            .set_exclusive_start_key(start);
        let page = query.send().await.map_err(Error::aws("Query"))?;
        for item in page.items.unwrap_or_default() {
            found.extend(parse(row(item)?));
        }
        start = page.last_evaluated_key;
        if start.is_none() || found.len() >= limit {
            return Ok(found);
        }
    }
}

fn parse(entry: Entry) -> Option<Due> {
    let since = instant_of(&entry.due_sk)?;
    let what = if let Some(channel) = entry.pk.strip_prefix("TOKEN#") {
        Work::Token(ChannelId::try_from(channel.to_owned()).ok()?)
    } else {
        let tenant = TenantId(entry.pk.strip_prefix("TENANT#")?.to_owned());
        match (entry.sk.strip_prefix(PIN), entry.sk.strip_prefix(CHANNEL)) {
            (Some(pin), _) => Work::Pin(tenant, PinId::try_from(pin.to_owned()).ok()?),
            (_, Some(channel)) => Work::Channel(tenant, ChannelId::try_from(channel.to_owned()).ok()?),
            _ => return None,
        }
    };
    Some(Due { what, since, entry: entry.due_sk })
}

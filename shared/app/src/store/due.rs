//! The `due` index: all work that waits for its time, however old, and nothing else.

use domain::{ChannelId, PinId, TenantId};
use futures_util::future::try_join_all;
use jiff::Timestamp;
use serde::Deserialize;

use super::{
    MainTable, TokensTable,
    keys::{CHANNEL, Key, PIN, instant, instant_of},
    table::{Error, Table, item, row, s, values},
};

/// How many entries one look takes from each shard.
const PAGE: usize = 64;

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

/// How far somebody has read in the index. Each look goes on where the one before it stopped, so an entry is read, and
/// paid for, once: what others hold, or what is kept for later, hides nothing and is not read again.
#[derive(Debug)]
pub struct Reading {
    /// Where each shard is read from: what stands before was read.
    from: Vec<String>,
    /// There was more in a shard than a look takes.
    more: bool,
}

impl Reading {
    /// From the very front.
    fn begin(table: &Table) -> Self {
        Self { from: (0..table.due_shards).map(|_| instant(Timestamp::UNIX_EPOCH)).collect(), more: true }
    }

    /// Whether the last look left something.
    #[must_use]
    pub fn has_more(&self) -> bool {
        self.more
    }

    async fn look(&mut self, table: &Table, by: Timestamp) -> Result<Vec<Due>, Error> {
        let shards = (0..).zip(&self.from);
        let pages = shards.map(|(shard, from)| of_shard(table, shard, from, by, PAGE));
        let pages = try_join_all(pages).await?;
        self.more = pages.iter().any(|page| page.len() == PAGE);
        for (from, page) in self.from.iter_mut().zip(&pages) {
            *from = match page.last() {
                // No entry begins with another: this is the first place after it.
                Some(last) if page.len() == PAGE => format!("{}#", last.due_sk),
                _ => end(by),
            };
        }
        let mut all: Vec<_> = pages.into_iter().flatten().filter_map(parse).collect();
        all.sort_by_key(|due| due.since);
        Ok(all)
    }
}

#[derive(Deserialize)]
struct Entry {
    pk: String,
    sk: String,
    due_sk: String,
}

impl MainTable {
    /// Reads the index from its front.
    #[must_use]
    pub fn reading(&self) -> Reading {
        Reading::begin(&self.table)
    }

    /// Pins and channels that are due by then and that `reading` has not come by yet, oldest first, some at a time.
    pub async fn look(&self, reading: &mut Reading, by: Timestamp) -> Result<Vec<Due>, Error> {
        reading.look(&self.table, by).await
    }

    /// What is due first, if anything is by then.
    pub async fn first_due(&self, by: Timestamp) -> Result<Option<Due>, Error> {
        first_due(&self.table, by).await
    }

    /// Leaves a row alone until then, without reading it: it may be unreadable. Gives the new entry, unless somebody
    /// has moved the row since it was seen.
    pub async fn put_off(&self, due: &Due, until: Timestamp) -> Result<Option<Due>, Error> {
        put_off(&self.table, due, until).await
    }
}

impl TokensTable {
    /// Reads the index from its front.
    #[must_use]
    pub fn reading(&self) -> Reading {
        Reading::begin(&self.table)
    }

    /// Tokens that are due by then and that `reading` has not come by yet, oldest first, some at a time.
    pub async fn look(&self, reading: &mut Reading, by: Timestamp) -> Result<Vec<Due>, Error> {
        reading.look(&self.table, by).await
    }

    /// What is due first, if anything is by then.
    pub async fn first_due(&self, by: Timestamp) -> Result<Option<Due>, Error> {
        first_due(&self.table, by).await
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
    let later = table.due_key(until, id);
    let moved = Due { since: until, entry: later.entry().to_owned(), what: due.what.clone() };
    let later = item(&later)?;
    names.extend(later.into_iter().map(|(name, value)| (format!(":{name}"), value)));
    let expression = "SET due_pk = :due_pk, due_sk = :due_sk";
    Ok(table.update_if(&key, expression, "due_sk = :seen", names).await?.then_some(moved))
}

async fn first_due(table: &Table, by: Timestamp) -> Result<Option<Due>, Error> {
    let front = instant(Timestamp::UNIX_EPOCH);
    let shards = (0..table.due_shards).map(|shard| of_shard(table, shard, &front, by, 1));
    let all = try_join_all(shards).await?.into_iter().flatten().filter_map(parse);
    Ok(all.min_by_key(|due| due.since))
}

/// `$` follows `#`: everything of this very millisecond is due too.
fn end(by: Timestamp) -> String {
    format!("{}$", instant(by))
}

/// At most `limit` entries, oldest first: so few fit into one page of an answer.
async fn of_shard(
    table: &Table,
    shard: u32,
    from: &str,
    by: Timestamp,
    limit: usize,
) -> Result<Vec<Entry>, Error> {
    let query = table.client.query().table_name(&table.name).index_name("due");
    let query = query
        .key_condition_expression("due_pk = :shard AND due_sk BETWEEN :from AND :now")
        .expression_attribute_values(":shard", s(shard.to_string()))
        .expression_attribute_values(":from", s(from))
        // A clock that was set back ends no tick.
        .expression_attribute_values(":now", s(end(by).max(from.to_owned())))
        .limit(i32::try_from(limit).unwrap_or(i32::MAX));
    let page = query.send().await.map_err(Error::aws("Query"))?;
    page.items.unwrap_or_default().into_iter().map(row).collect()
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

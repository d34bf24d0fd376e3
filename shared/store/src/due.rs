//! The `due` index: everything that is due at some time, and nothing else.

use domain::{ChannelId, PinId, TenantId};
use futures_util::future::try_join_all;
use jiff::Timestamp;
use serde::Deserialize;

use crate::{
    MainTable, TokensTable,
    keys::{CHANNEL, PIN, RowKey, parse_sort_key_time, sort_key_time},
    table::{Error, Table, item, row, s, values},
};

/// How many entries of each shard one page holds.
const PAGE_ENTRIES_PER_SHARD: usize = 64;

/// An entry of the index.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DueItem {
    /// What is due.
    pub kind: DueItemKind,
    /// Since when it is due.
    pub since: Timestamp,
    /// The sort key. Whoever takes or moves the entry names it, so that of two workers that have read it only one can.
    pub sort_key: String,
}

/// What is due.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DueItemKind {
    /// A Pin has to be sent, checked for, or given up.
    Pin(TenantId, PinId),
    /// A channel was connected again: its waiting Pins have to be resumed.
    Channel(TenantId, ChannelId),
    /// A channel's tokens have to be refreshed.
    Token(ChannelId),
}

/// A position in the index. Each page continues where the one before it ended, so that an entry is read, and paid for, once
/// in a tick, whether or not it could be taken.
#[derive(Debug)]
pub struct DueCursor {
    /// The sort key at which the next page of each shard begins.
    from: Vec<String>,
    /// Whether a shard had more entries than one page holds.
    has_more: bool,
}

impl DueCursor {
    /// Whether the last page was not the end.
    #[must_use]
    pub fn has_more(&self) -> bool {
        self.has_more
    }
}

#[derive(Deserialize)]
struct Entry {
    pk: String,
    sk: String,
    due_sk: String,
}

/// The `due` index of one of the tables.
#[derive(Clone, Copy, Debug)]
pub struct DueIndex<'a>(&'a Table);

impl MainTable {
    /// Pins and channels by the time when they are due.
    #[must_use]
    pub fn due_index(&self) -> DueIndex<'_> {
        DueIndex(&self.table)
    }
}

impl TokensTable {
    /// Tokens by the time when they are due.
    #[must_use]
    pub fn due_index(&self) -> DueIndex<'_> {
        DueIndex(&self.table)
    }
}

impl DueIndex<'_> {
    /// A cursor before the first entry.
    #[must_use]
    pub fn cursor(&self) -> DueCursor {
        let first = sort_key_time(Timestamp::UNIX_EPOCH);
        DueCursor {
            from: vec![first; usize::try_from(self.0.due_shards).unwrap_or_default()],
            has_more: true,
        }
    }

    /// The next page of what is due at `by`, oldest first.
    pub async fn next(&self, cursor: &mut DueCursor, by: Timestamp) -> Result<Vec<DueItem>, Error> {
        let shards = (0..).zip(&cursor.from);
        let pages = shards.map(|(shard, from)| self.read_shard(shard, from, by, PAGE_ENTRIES_PER_SHARD));
        let pages = try_join_all(pages).await?;
        cursor.has_more = pages.iter().any(|page| page.len() == PAGE_ENTRIES_PER_SHARD);
        for (from, page) in cursor.from.iter_mut().zip(&pages) {
            *from = match page.last() {
                // No sort key begins with another: this is the first one after it.
                Some(last) if page.len() == PAGE_ENTRIES_PER_SHARD => format!("{}#", last.due_sk),
                _ => end(by),
            };
        }
        let mut all: Vec<_> = pages.into_iter().flatten().filter_map(parse).collect();
        all.sort_by_key(|item| item.since);
        Ok(all)
    }

    /// The oldest entry that is due at `by`.
    pub async fn first(&self, by: Timestamp) -> Result<Option<DueItem>, Error> {
        let front = sort_key_time(Timestamp::UNIX_EPOCH);
        let shards = (0..self.0.due_shards).map(|shard| self.read_shard(shard, &front, by, 1));
        let all = try_join_all(shards).await?.into_iter().flatten().filter_map(parse);
        Ok(all.min_by_key(|item| item.since))
    }

    /// Moves an entry to another time, and returns it as it is then. `None`: it was moved or taken by somebody else.
    pub async fn postpone(&self, due: &DueItem, until: Timestamp) -> Result<Option<DueItem>, Error> {
        let (key, id) = match &due.kind {
            DueItemKind::Pin(tenant, id) => (RowKey::pin(tenant, id), id.as_str()),
            DueItemKind::Channel(tenant, id) => (RowKey::channel(tenant, id), id.as_str()),
            DueItemKind::Token(id) => (RowKey::token(id), id.as_str()),
        };
        let mut names = values([(":seen", s(&due.sort_key))]);
        let later = self.0.due_index_key(until, id);
        let moved = DueItem { since: until, sort_key: later.sort_key().to_owned(), kind: due.kind.clone() };
        let later = item(&later)?;
        names.extend(later.into_iter().map(|(name, value)| (format!(":{name}"), value)));
        let expression = "SET due_pk = :due_pk, due_sk = :due_sk";
        Ok(self.0.update_if(&key, expression, "due_sk = :seen", names).await?.then_some(moved))
    }

    async fn read_shard(
        &self,
        shard: u32,
        from: &str,
        by: Timestamp,
        limit: usize,
    ) -> Result<Vec<Entry>, Error> {
        let query = self.0.client.query().table_name(&self.0.name).index_name("due");
        let query = query
            .key_condition_expression("due_pk = :shard AND due_sk BETWEEN :from AND :now")
            .expression_attribute_values(":shard", s(shard.to_string()))
            .expression_attribute_values(":from", s(from))
            // A clock that was set back must not make the range invalid.
            .expression_attribute_values(":now", s(end(by).max(from.to_owned())))
            .limit(i32::try_from(limit).unwrap_or(i32::MAX));
        let page = query.send().await.map_err(Error::aws("Query"))?;
        page.items.unwrap_or_default().into_iter().map(row).collect()
    }
}

/// The sort key after all entries that are due at `by`.
fn end(by: Timestamp) -> String {
    format!("{}$", sort_key_time(by))
}

/// `None`: the entry is of a kind that this version does not know.
fn parse(entry: Entry) -> Option<DueItem> {
    let since = parse_sort_key_time(&entry.due_sk)?;
    let kind = if let Some(channel) = entry.pk.strip_prefix("TOKEN#") {
        DueItemKind::Token(ChannelId::try_from(channel.to_owned()).ok()?)
    } else {
        let tenant = TenantId(entry.pk.strip_prefix("TENANT#")?.to_owned());
        match (entry.sk.strip_prefix(PIN), entry.sk.strip_prefix(CHANNEL)) {
            (Some(pin), _) => DueItemKind::Pin(tenant, PinId::try_from(pin.to_owned()).ok()?),
            (_, Some(channel)) => DueItemKind::Channel(tenant, ChannelId::try_from(channel.to_owned()).ok()?),
            _ => return None,
        }
    };
    Some(DueItem { kind, since, sort_key: entry.due_sk })
}

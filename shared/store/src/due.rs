//! The `due` index: all rows with a due time, and nothing else. A partition of it holds whole channels.

use std::collections::{BTreeMap, BTreeSet};

use domain::{ChannelId, PinId, TenantId};
use futures_util::future::try_join_all;
use jiff::Timestamp;
use serde::Deserialize;

use crate::{
    MainTable, TokensTable,
    keys::{
        CHANNEL, CLOSED, DueIndexKey, PIN, RowKey, due_partition, parse_sort_key_channel,
        parse_sort_key_tenant, parse_sort_key_time, sort_key_time,
    },
    table::{Error, Table, item, row, s, values},
};

/// An entry of the index.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DueItem {
    /// What is due.
    pub kind: DueItemKind,
    /// The channel of the work. `None`: version 0.1 has written the entry, and only the Pin's row has the channel.
    pub channel: Option<ChannelId>,
    /// Since when it is due.
    pub since: Timestamp,
    /// The partition in which it was found.
    pub partition: u32,
    /// The sort key. A write that takes or moves the entry includes it in its condition, so that only one of two workers
    /// succeeds.
    pub sort_key: String,
}

/// What is due.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DueItemKind {
    /// A Pin has to be sent, checked for, or given up.
    Pin(TenantId, PinId),
    /// A channel was connected again: its waiting Pins have to be resumed.
    Channel(TenantId, ChannelId),
    /// A channel was disconnected a moment ago: Pins that were created at the same time have to be cancelled.
    ClosedChannel(TenantId, ChannelId),
    /// A channel's tokens have to be refreshed. No tenant: an older version has written the entry, and only the row tells.
    Token(Option<TenantId>, ChannelId),
}

impl DueItem {
    fn row_key(&self) -> RowKey {
        match &self.kind {
            DueItemKind::Pin(tenant, id) => RowKey::pin(tenant, id),
            DueItemKind::Channel(tenant, id) => RowKey::channel(tenant, id),
            DueItemKind::ClosedChannel(tenant, id) => RowKey::closed_channel(tenant, id),
            DueItemKind::Token(_, id) => RowKey::token(id),
        }
    }

    /// Whose work it is, if the entry tells.
    #[must_use]
    pub fn tenant(&self) -> Option<&TenantId> {
        match &self.kind {
            DueItemKind::Pin(tenant, _)
            | DueItemKind::Channel(tenant, _)
            | DueItemKind::ClosedChannel(tenant, _) => Some(tenant),
            DueItemKind::Token(tenant, _) => tenant.as_ref(),
        }
    }
}

/// A position in some partitions of the index. Each page continues after the one before, so that an entry is read and paid
/// for once, even if it could not be taken.
#[derive(Debug)]
pub struct DueCursor {
    /// The sort key at which the next page of each partition begins.
    from: BTreeMap<u32, String>,
    /// How many entries of each partition one page holds.
    page_entries: usize,
    /// The partitions that had more entries than the last page holds.
    unfinished: BTreeSet<u32>,
}

impl DueCursor {
    /// Whether there may be entries after the last page.
    #[must_use]
    pub fn has_more(&self) -> bool {
        !self.unfinished.is_empty()
    }

    /// The partitions that may have entries after the last page.
    #[must_use]
    pub fn unfinished(&self) -> &BTreeSet<u32> {
        &self.unfinished
    }

    /// Keeps only these partitions.
    pub fn retain(&mut self, partitions: &BTreeSet<u32>) {
        self.from.retain(|partition, _| partitions.contains(partition));
        self.unfinished.retain(|partition| partitions.contains(partition));
    }

    /// Moves back to entries that are due since then, if the cursor is further: an entry may have appeared late.
    pub fn rewind(&mut self, since: Timestamp) {
        let since = sort_key_time(since);
        for from in self.from.values_mut().filter(|from| **from > since) {
            from.clone_from(&since);
        }
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
    /// All partitions.
    #[must_use]
    pub fn partitions(&self) -> BTreeSet<u32> {
        (0..self.0.due_partitions).collect()
    }

    /// The partition that holds a channel's work.
    #[must_use]
    pub fn partition_of(&self, channel: &ChannelId) -> u32 {
        due_partition(channel.as_str(), self.0.due_partitions)
    }

    /// A cursor before the first entry of some partitions. `page_entries`: how many entries of each one page holds.
    #[must_use]
    pub fn cursor(&self, partitions: &BTreeSet<u32>, page_entries: usize) -> DueCursor {
        let first = sort_key_time(Timestamp::UNIX_EPOCH);
        DueCursor {
            from: partitions.iter().map(|partition| (*partition, first.clone())).collect(),
            page_entries,
            unfinished: partitions.clone(),
        }
    }

    /// The next page of what is due at `by`, oldest first.
    pub async fn next(&self, cursor: &mut DueCursor, by: Timestamp) -> Result<Vec<DueItem>, Error> {
        let limit = cursor.page_entries;
        let pages = cursor.from.iter().map(|(partition, from)| self.read(*partition, from, by, limit));
        let pages = try_join_all(pages).await?;
        cursor.unfinished.clear();
        let mut all = Vec::new();
        for ((partition, from), page) in cursor.from.iter_mut().zip(pages) {
            *from = match page.last() {
                // No sort key begins with another: this is the first one after it.
                Some(last) if page.len() == limit => {
                    cursor.unfinished.insert(*partition);
                    format!("{}#", last.due_sk)
                }
                _ => end(by),
            };
            all.extend(page.into_iter().filter_map(|entry| parse(entry, *partition)));
        }
        all.sort_by_key(|item| item.since);
        Ok(all)
    }

    /// The oldest entry that is due at `by`.
    pub async fn first(&self, by: Timestamp) -> Result<Option<DueItem>, Error> {
        let mut cursor = self.cursor(&self.partitions(), 1);
        Ok(self.next(&mut cursor, by).await?.into_iter().next())
    }

    /// Moves an entry to another time, and returns the new entry. `None`: another worker has moved or taken it, or it is a
    /// Pin that is being sent.
    pub async fn postpone(&self, due: &DueItem, until: Timestamp) -> Result<Option<DueItem>, Error> {
        let later = match (&due.kind, &due.channel) {
            (DueItemKind::Pin(_, id), Some(channel)) => self.0.due_pin(until, channel, id),
            (DueItemKind::Pin(_, id), None) => DueIndexKey::of_old_pin(until, id, due.partition),
            (DueItemKind::Token(Some(tenant), id), _) => self.0.due_tokens(until, tenant, id),
            (
                DueItemKind::Channel(_, id)
                | DueItemKind::ClosedChannel(_, id)
                | DueItemKind::Token(None, id),
                _,
            ) => self.0.due_channel(until, id),
        };
        self.move_to(due, &later, until).await
    }

    /// Removes an entry of a channel whose work is done, if nobody has made the channel due again since.
    pub async fn clear(&self, due: &DueItem) -> Result<(), Error> {
        let names = values([(":seen", s(&due.sort_key))]);
        self.0.update_if(&due.row_key(), "REMOVE due_pk, due_sk", "due_sk = :seen", names).await?;
        Ok(())
    }

    /// Moves an entry that version 0.1 has written to the partition of its channel. Its time stays.
    pub async fn move_home(&self, due: &DueItem, channel: &ChannelId) -> Result<(), Error> {
        let DueItemKind::Pin(_, id) = &due.kind else { return Ok(()) };
        self.move_to(due, &self.0.due_pin(due.since, channel, id), due.since).await?;
        Ok(())
    }

    async fn move_to(
        &self,
        due: &DueItem,
        to: &DueIndexKey,
        since: Timestamp,
    ) -> Result<Option<DueItem>, Error> {
        let key = due.row_key();
        let moved = DueItem { since, sort_key: to.sort_key().to_owned(), ..due.clone() };
        let mut names = values([(":seen", s(&due.sort_key))]);
        names.extend(item(to)?.into_iter().map(|(name, value)| (format!(":{name}"), value)));
        // The entry of a Pin that is being sent stays where it is, so that the next worker sees it before later Pins.
        let condition = if matches!(due.kind, DueItemKind::Pin(..)) {
            names.extend(values([(":sending", s("sending"))]));
            "due_sk = :seen AND #state <> :sending"
        } else {
            "due_sk = :seen"
        };
        let expression = "SET due_pk = :due_pk, due_sk = :due_sk";
        Ok(self.0.update_if(&key, expression, condition, names).await?.then_some(moved))
    }

    async fn read(
        &self,
        partition: u32,
        from: &str,
        by: Timestamp,
        limit: usize,
    ) -> Result<Vec<Entry>, Error> {
        let query = self.0.client.query().table_name(&self.0.name).index_name("due");
        let query = query
            .key_condition_expression("due_pk = :partition AND due_sk BETWEEN :from AND :now")
            .expression_attribute_values(":partition", s(partition.to_string()))
            .expression_attribute_values(":from", s(from))
            // If the clock was set back, the range must stay valid.
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
fn parse(entry: Entry, partition: u32) -> Option<DueItem> {
    let since = parse_sort_key_time(&entry.due_sk)?;
    let (kind, channel) = if let Some(channel) = entry.pk.strip_prefix("TOKEN#") {
        let channel = ChannelId::try_from(channel.to_owned()).ok()?;
        (DueItemKind::Token(parse_sort_key_tenant(&entry.due_sk), channel.clone()), Some(channel))
    } else {
        let tenant = TenantId(entry.pk.strip_prefix("TENANT#")?.to_owned());
        let (kind, id) = entry.sk.split_at(entry.sk.find('#')? + 1);
        let id = id.to_owned();
        match kind {
            PIN => {
                let pin = PinId::try_from(id).ok()?;
                (DueItemKind::Pin(tenant, pin), parse_sort_key_channel(&entry.due_sk))
            }
            CHANNEL => {
                let channel = ChannelId::try_from(id).ok()?;
                (DueItemKind::Channel(tenant, channel.clone()), Some(channel))
            }
            CLOSED => {
                let channel = ChannelId::try_from(id).ok()?;
                (DueItemKind::ClosedChannel(tenant, channel.clone()), Some(channel))
            }
            _ => return None,
        }
    };
    Some(DueItem { kind, channel, since, partition, sort_key: entry.due_sk })
}

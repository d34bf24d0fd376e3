//! The sources of lists: the rows, and the two indexes.

use aws_sdk_dynamodb::operation::query::builders::QueryFluentBuilder;
use domain::{PinId, TenantId};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use super::{ListedPin, Part, PinList, PinOrder, PinPosition};
use crate::{
    MainTable,
    keys::{PIN, RowKey, tenant_pk},
    table::{Error, Item, item, s, text},
};

/// How many partitions of an index are read in parallel.
const MAX_PARALLEL_QUERIES: usize = 16;
/// How many batches of rows are read in parallel.
const MAX_PARALLEL_READS: usize = 8;
/// The most rows in one batch.
const MAX_ROWS: usize = 100;
/// The entries of `list` that are read for each wanted Pin of one channel.
const LOOKED_AT_FOR_ONE: usize = 20;
/// The longest time in a request between the creation of a Pin's id and its `created_at`.
const MAX_REQUEST_TIME: SignedDuration = SignedDuration::from_mins(1);

/// The attribute by which `list` is sorted.
const TIME: &str = "publish_at";

/// The source of a list.
pub(super) enum Source {
    /// The rows of the tenant.
    Rows,
    /// Partitions of `queue`, merged.
    Queues(Vec<String>),
    /// `list`, within these times.
    Times { from: Option<Timestamp>, to: Option<Timestamp> },
    /// Everything in these partitions of `queue`, sorted in memory.
    Few(Vec<String>),
}

/// The key of an entry of `list`.
#[derive(Serialize)]
struct TimeKey {
    #[serde(flatten)]
    key: RowKey,
    tenant: TenantId,
    publish_at: String,
}

impl MainTable {
    /// The next Pins of a list after a position, from about `entries` entries.
    pub(super) async fn read_part(
        &self,
        tenant: &TenantId,
        list: &PinList<'_>,
        source: &Source,
        after: Option<&PinPosition>,
        entries: usize,
    ) -> Result<Part, Error> {
        match source {
            Source::Rows => self.read_rows(tenant, list, after, entries).await,
            Source::Queues(queues) => self.read_queues(tenant, list, queues, after, entries).await,
            Source::Times { from, to } => {
                self.read_times(tenant, list, bounds(*from, *to), after, entries).await
            }
            Source::Few(queues) => self.read_few(tenant, list, queues, after, entries).await,
        }
    }

    pub(super) fn query(&self, index: Option<&str>, latest_first: bool) -> QueryFluentBuilder {
        let query = self.table.client.query().table_name(&self.table.name);
        query.set_index_name(index.map(str::to_owned)).scan_index_forward(!latest_first)
    }

    async fn read_rows(
        &self,
        tenant: &TenantId,
        list: &PinList<'_>,
        after: Option<&PinPosition>,
        entries: usize,
    ) -> Result<Part, Error> {
        let Some((low, high)) = ids(list, after) else { return Ok(Part::end()) };
        let query = self.query(None, list.latest_first).consistent_read(true).limit(number(entries));
        let query = query
            .key_condition_expression("pk = :pk AND sk BETWEEN :low AND :high")
            .expression_attribute_values(":pk", s(tenant_pk(tenant)))
            .expression_attribute_values(":low", s(format!("{PIN}{low}")))
            .expression_attribute_values(":high", s(format!("{PIN}{high}")));
        let page = query.send().await.map_err(Error::aws("Query"))?;
        let rows = page.items.unwrap_or_default().into_iter();
        let rows: Vec<_> = rows.filter_map(|row| Some((place(&row)?, row))).collect();
        let end = page.last_evaluated_key.as_ref().and_then(place);
        Ok(Part { pins: rows.into_iter().filter_map(|(place, row)| list.take(place, row)).collect(), end })
    }

    /// Reads `entries` ids of each partition: together they certainly contain the first `entries` ids of all.
    async fn read_queues(
        &self,
        tenant: &TenantId,
        list: &PinList<'_>,
        queues: &[String],
        after: Option<&PinPosition>,
        entries: usize,
    ) -> Result<Part, Error> {
        let Some((low, high)) = ids(list, after) else { return Ok(Part::end()) };
        let (low, high) = (&low, &high);
        let pages = stream::iter(queues.to_vec()).map(|queue| async move {
            let query = self.query(Some("queue"), list.latest_first).limit(number(entries));
            let query = query
                .key_condition_expression("queue_pk = :queue AND queue_sk BETWEEN :low AND :high")
                .expression_attribute_values(":queue", s(queue))
                .expression_attribute_values(":low", s(low))
                .expression_attribute_values(":high", s(high));
            query.send().await.map_err(Error::aws("Query"))
        });
        let pages: Vec<_> = pages.buffer_unordered(MAX_PARALLEL_QUERIES).try_collect().await?;
        let mut more = pages.iter().any(|page| page.last_evaluated_key.is_some());
        let found = pages.into_iter().flat_map(|page| page.items.unwrap_or_default());
        let mut places: Vec<_> = found.filter_map(|entry| place(&entry)).collect();
        places.sort_by(|a, b| if list.latest_first { b.id.cmp(&a.id) } else { a.id.cmp(&b.id) });
        places.dedup(); // the index is eventually consistent: a Pin that has just changed its group may be in two
        more |= places.len() > entries;
        places.truncate(entries);
        let end = places.last().filter(|_| more).cloned();
        Ok(Part { pins: self.rows_at(tenant, list, places).await?, end })
    }

    /// If the list is of one channel, DynamoDB filters the entries. It bills all entries that it reads, but they are small.
    async fn read_times(
        &self,
        tenant: &TenantId,
        list: &PinList<'_>,
        (low, high): (String, String),
        after: Option<&PinPosition>,
        entries: usize,
    ) -> Result<Part, Error> {
        let at = after.and_then(|place| place.at.as_ref());
        let (is_before, is_behind) = match at {
            Some(at) if list.latest_first => (*at > high, *at < low),
            Some(at) => (*at < low, *at > high),
            None => (true, false),
        };
        if is_behind || low > high {
            return Ok(Part::end());
        }
        let start = match (after, at) {
            (Some(place), Some(at)) if !is_before => Some(item(&TimeKey {
                key: RowKey::pin(tenant, &place.id),
                tenant: tenant.clone(),
                publish_at: at.clone(),
            })?),
            _ => None,
        };
        let limit = if list.channel.is_some() { LOOKED_AT_FOR_ONE * entries } else { entries };
        let query = self.query(Some("list"), list.latest_first).limit(number(limit));
        let query = query
            .key_condition_expression("tenant = :tenant AND publish_at BETWEEN :low AND :high")
            .set_filter_expression(list.channel.map(|_| "channel_id = :channel".to_owned()))
            .expression_attribute_values(":tenant", s(&tenant.0))
            .expression_attribute_values(":low", s(low))
            .expression_attribute_values(":high", s(high));
        let query = match list.channel {
            Some(channel) => query.expression_attribute_values(":channel", s(channel.as_str())),
            None => query,
        };
        let page = query.set_exclusive_start_key(start).send().await.map_err(Error::aws("Query"))?;
        let found = page.items.unwrap_or_default();
        let mut places: Vec<_> = found.iter().filter_map(place_in_time).collect();
        let mut end = page.last_evaluated_key.as_ref().and_then(place_in_time);
        if places.len() > entries {
            places.truncate(entries);
            end = places.last().cloned();
        }
        Ok(Part { pins: self.rows_at(tenant, list, places).await?, end })
    }

    /// Reads all Pins for each page, and returns those of the page.
    async fn read_few(
        &self,
        tenant: &TenantId,
        list: &PinList<'_>,
        queues: &[String],
        after: Option<&PinPosition>,
        entries: usize,
    ) -> Result<Part, Error> {
        let ids = stream::iter(queues.to_vec()).map(|queue| self.all_of_queue(queue));
        let ids: Vec<_> = ids.buffer_unordered(MAX_PARALLEL_QUERIES).try_concat().await?;
        let batches: Vec<_> = ids.chunks(MAX_ROWS).map(<[_]>::to_vec).collect();
        let rows = stream::iter(batches).map(|ids| self.rows_at(tenant, list, ids));
        let mut rows = rows.buffer_unordered(MAX_PARALLEL_READS);
        let order = |place: &PinPosition| (place.time(), place.id.clone());
        let is_behind = |place: &PinPosition| {
            after.is_none_or(|after| (order(place) > order(after)) != list.latest_first && place != after)
        };
        let mut pins = Vec::new();
        while let Some(some) = rows.try_next().await? {
            pins.extend(some.into_iter().filter(|pin| is_behind(&pin.position)));
            pins.sort_by_key(|pin: &ListedPin| order(&pin.position));
            if list.latest_first {
                pins.reverse();
            }
            pins.truncate(entries);
        }
        Ok(Part { pins, end: None })
    }

    async fn all_of_queue(&self, queue: String) -> Result<Vec<PinPosition>, Error> {
        let (mut places, mut start) = (Vec::new(), None);
        loop {
            let query = self.query(Some("queue"), true).key_condition_expression("queue_pk = :queue");
            let query = query.expression_attribute_values(":queue", s(&queue));
            let page = query.set_exclusive_start_key(start).send().await.map_err(Error::aws("Query"))?;
            places.extend(page.items.unwrap_or_default().iter().filter_map(place));
            start = page.last_evaluated_key;
            if start.is_none() {
                return Ok(places);
            }
        }
    }

    /// Reads the rows, and returns the Pins that match the filters.
    async fn rows_at(
        &self,
        tenant: &TenantId,
        list: &PinList<'_>,
        places: Vec<PinPosition>,
    ) -> Result<Vec<ListedPin>, Error> {
        let keys: Vec<_> = places.iter().map(|place| (&self.table, RowKey::pin(tenant, &place.id))).collect();
        let mut found = self.table.batch(&keys).await?;
        let rows = places.iter().zip(&keys).filter_map(|(place, (_, key))| {
            let row = found.remove(key)?;
            let at =
                place.at.clone().or_else(|| (list.order == PinOrder::PublishAt).then(|| text(&row, TIME)));
            list.take(PinPosition { at, id: place.id.clone() }, row)
        });
        Ok(rows.collect())
    }
}

impl Part {
    /// The end of the list.
    fn end() -> Self {
        Self { pins: Vec::new(), end: None }
    }
}

impl PinPosition {
    /// An unreadable row without a time sorts first.
    fn time(&self) -> Timestamp {
        self.at.as_ref().and_then(|at| at.parse().ok()).unwrap_or_default()
    }
}

/// The first and the last id that may follow, as bounds. `None`: none does.
fn ids(list: &PinList<'_>, after: Option<&PinPosition>) -> Option<(String, String)> {
    let id_at = |at: Timestamp| PinId::new(at, [0; 10]).to_string();
    let earlier = |at: Timestamp| at.checked_sub(MAX_REQUEST_TIME).unwrap_or(Timestamp::MIN);
    let mut low = list.from.map_or_else(|| "pin_".to_owned(), |from| id_at(earlier(from)));
    let mut high = list.to.map_or_else(|| "pin_~".to_owned(), id_at);
    match after {
        Some(after) if list.latest_first => high = high.min(before(&after.id)),
        Some(after) => low = low.max(format!("{}!", after.id)),
        None => {}
    }
    (low <= high).then_some((low, high))
}

/// A text before this id, and behind all ids that are before it.
fn before(id: &PinId) -> String {
    let mut letters: Vec<char> = id.as_str().chars().collect();
    if let Some(last) = letters.last_mut() {
        *last = char::from_u32(u32::from(*last) - 1).unwrap_or_default();
    }
    letters.push('~');
    letters.into_iter().collect()
}

/// The texts between which those times stand as rows have them, with or without a fraction of the second. Rows tell the
/// rest.
fn bounds(from: Option<Timestamp>, to: Option<Timestamp>) -> (String, String) {
    let second = |at: Timestamp| {
        let whole = Timestamp::from_second(at.as_second()).unwrap_or(at).to_string();
        whole.trim_end_matches('Z').to_owned()
    };
    (
        from.map_or_else(|| "0".to_owned(), second),
        to.map_or_else(|| "~".to_owned(), |to| format!("{}~", second(to))),
    )
}

/// The position after a Pin in a list by `created_at`.
fn place(found: &Item) -> Option<PinPosition> {
    let id = PinId::try_from(text(found, "sk").strip_prefix(PIN)?.to_owned()).ok()?;
    Some(PinPosition { at: None, id })
}

/// The same in a list by `publish_at`.
fn place_in_time(entry: &Item) -> Option<PinPosition> {
    Some(PinPosition { at: Some(text(entry, TIME)), ..place(entry)? })
}

fn number(entries: usize) -> i32 {
    i32::try_from(entries).unwrap_or(i32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_between_an_id_and_the_bound_before_it() {
        let id = |random: u8| PinId::new(Timestamp::UNIX_EPOCH, [0, 0, 0, 0, 0, 0, 0, 0, 0, random]);
        for number in 1..=255 {
            let bound = before(&id(number));
            assert!(id(number - 1).to_string() < bound && bound < id(number).to_string(), "{bound}");
        }
    }

    #[test]
    fn the_bounds_hold_a_second_however_it_is_written() {
        let at = |text: &str| Some(text.parse::<Timestamp>().unwrap());
        let (low, high) = bounds(at("2026-12-01T09:00:00Z"), at("2026-12-01T09:00:01.5Z"));
        for inside in ["2026-12-01T09:00:00Z", "2026-12-01T09:00:00.000Z", "2026-12-01T09:00:01.499Z"] {
            assert!(low.as_str() < inside && inside < high.as_str(), "{inside}");
        }
        for outside in ["2026-12-01T08:59:59.999Z", "2026-12-01T08:59:59Z", "2026-12-01T09:00:02Z"] {
            assert!(outside < low.as_str() || high.as_str() < outside, "{outside}");
        }
    }
}

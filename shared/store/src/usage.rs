//! `USAGE`: how much of its limits a tenant has used, in one row.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Mutex, PoisonError},
};

use aws_sdk_dynamodb::{
    operation::update_item::UpdateItemError,
    types::{ReturnValue, ReturnValuesOnConditionCheckFailure, Select},
};
use domain::{Bucket, ChannelId, Limit, LimitReached, Limits, PinGroup, TenantId};
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;

use crate::{
    MainTable,
    keys::{CHANNEL, RowKey, queue_pk, tenant_pk},
    table::{Error, Item, item, n, row, s},
};

/// How many times an update is tried while others change the row.
const MAX_TRIES: usize = 4;
/// How many tenants a process caches.
const MAX_REMEMBERED: usize = 1000;
/// A tenant at its limit has its open Pins counted at most this often.
const RECOUNT_AFTER: SignedDuration = SignedDuration::from_mins(1);

/// The use of a tenant, as stored in the row.
#[derive(Clone, Debug, Default)]
pub struct Usage {
    /// The tenant's own limits.
    pub own: Limits,
    buckets: BTreeMap<Limit, Bucket>,
    /// About how many Pins are open: those that were counted, and those that were accepted since.
    open_pins: u64,
    counted_at: Option<Timestamp>,
}

impl Usage {
    /// How many units of a limit with a window are used.
    #[must_use]
    pub fn used(&self, limit: Limit, amount: u64, now: Timestamp) -> u64 {
        self.buckets.get(&limit).copied().unwrap_or_default().used(limit, amount, now)
    }

    fn from_item(found: Item) -> Result<Self, Error> {
        #[derive(Deserialize)]
        struct Row {
            #[serde(default)]
            own: Limits,
            #[serde(default)]
            open_pins: u64,
            #[serde(default)]
            counted_at: Option<i64>,
        }
        let bucket = |limit: Limit| {
            let empty_at = found.get(limit.name())?.as_n().ok()?.parse().ok()?;
            Some((limit, Bucket { empty_at }))
        };
        let mut buckets = BTreeMap::new();
        buckets.extend(Limit::ALL.into_iter().filter(|limit| limit.window().is_some()).filter_map(bucket));
        let Row { own, open_pins, counted_at } = row(found)?;
        let counted_at = counted_at.and_then(|seconds| Timestamp::from_second(seconds).ok());
        Ok(Self { own, buckets, open_pins, counted_at })
    }
}

/// The usage of tenants as this process saw it last. It only decides which form of an update
/// is tried first.
#[derive(Debug, Default)]
pub(crate) struct Remembered(Mutex<HashMap<TenantId, Usage>>);

impl Remembered {
    fn get(&self, tenant: &TenantId) -> Usage {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.get(tenant).cloned().unwrap_or_default()
    }

    fn insert(&self, tenant: &TenantId, usage: Usage) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= MAX_REMEMBERED {
            all.clear();
        }
        all.insert(tenant.clone(), usage);
    }
}

impl MainTable {
    /// Uses units of limits, all or none, in one write as a rule. `Ok(Err)`: a limit is reached, and nothing is used.
    pub async fn use_limits(
        &self,
        tenant: &TenantId,
        units: &[(Limit, u64)],
        limits: &Limits,
        now: Timestamp,
    ) -> Result<Result<(), LimitReached>, Error> {
        let (mut usage, mut is_fresh) = (self.usages.get(tenant), false);
        for _ in 0..MAX_TRIES {
            let effective = limits.with(&usage.own);
            let change = match Change::new(&usage, units, &effective, now) {
                Ok(change) => change,
                Err(reached) if reached.limit == Limit::OpenPins => {
                    match self.recount(tenant, &usage, reached, now).await? {
                        Ok(counted) => usage = counted,
                        Err(reached) => return Ok(Err(reached)),
                    }
                    continue;
                }
                Err(reached) if is_fresh => {
                    self.usages.insert(tenant, usage);
                    return Ok(Err(reached));
                }
                // The cached value may be old.
                Err(_) => {
                    (usage, is_fresh) = (self.stored_usage(tenant).await?, true);
                    continue;
                }
            };
            match self.update_usage(tenant, change).await? {
                Ok(after) => {
                    self.usages.insert(tenant, after);
                    return Ok(Ok(()));
                }
                Err(there) => (usage, is_fresh) = (there, true),
            }
        }
        Err(Error::Contended)
    }

    /// Returns units of a limit.
    pub async fn give_back(
        &self,
        tenant: &TenantId,
        limit: Limit,
        units: u64,
        limits: &Limits,
    ) -> Result<(), Error> {
        let Some(window) = limit.window() else { return Ok(()) };
        let own = self.stored_usage(tenant).await?.own;
        let less = Bucket::filled_by(units, limits.with(&own).amount(limit), window);
        let mut values = Item::new();
        values.insert(":less".to_owned(), n(less));
        let key = RowKey::usage(tenant);
        let name = limit.name();
        let (expression, condition) = (format!("SET #{name} = #{name} - :less"), format!("#{name} > :less"));
        self.table.update_if(&key, &expression, &condition, values).await?;
        Ok(())
    }

    /// The use of a tenant.
    pub async fn stored_usage(&self, tenant: &TenantId) -> Result<Usage, Error> {
        self.table.get(&RowKey::usage(tenant)).await?.map_or_else(|| Ok(Usage::default()), Usage::from_item)
    }

    /// Sets a tenant's own limits, which replace the earlier ones. Past use is kept, and rescaled to the new limits.
    pub async fn save_own_limits(
        &self,
        tenant: &TenantId,
        own: &Limits,
        limits: &Limits,
        now: Timestamp,
    ) -> Result<(), Error> {
        let usage = self.stored_usage(tenant).await?;
        let (before, after) = (limits.with(&usage.own), limits.with(own));
        let mut change = Change::default();
        for (limit, bucket) in &usage.buckets {
            let (before, after) = (before.amount(*limit), after.amount(*limit));
            if let Some(window) = limit.window().filter(|_| before != after) {
                let used = bucket.used(*limit, before, now);
                change.set(limit.name(), n(now.as_nanosecond() + Bucket::filled_by(used, after, window)));
            }
        }
        let mut expression = String::new();
        if *own == Limits::default() {
            expression.push_str("REMOVE own ");
        } else {
            change.set("own", serde_dynamo::to_attribute_value(own)?);
        }
        if !change.assignments.is_empty() {
            expression = format!("{expression}SET {}", change.assignments.join(", "));
        }
        let update = self.table.client.update_item().table_name(&self.table.name);
        let update = update
            .set_key(Some(item(&RowKey::usage(tenant))?))
            .update_expression(expression)
            .set_expression_attribute_values((!change.values.is_empty()).then_some(change.values));
        update.send().await.map_err(Error::aws("UpdateItem"))?;
        Ok(())
    }

    /// How many channels the tenant has.
    pub async fn count_channels(&self, tenant: &TenantId) -> Result<u64, Error> {
        Ok(self.channel_ids(tenant).await?.len() as u64)
    }

    /// How many of the tenant's Pins are open.
    pub async fn count_open_pins(&self, tenant: &TenantId) -> Result<u64, Error> {
        let mut open = 0;
        for channel in self.channel_ids(tenant).await? {
            let mut start = None;
            loop {
                let query = self.table.client.query().table_name(&self.table.name).index_name("queue");
                let query = query
                    .select(Select::Count)
                    .key_condition_expression("queue_pk = :queue")
                    .expression_attribute_values(":queue", s(queue_pk(&channel, PinGroup::Open)));
                let page = query.set_exclusive_start_key(start).send().await.map_err(Error::aws("Query"))?;
                open += u64::try_from(page.count).unwrap_or_default();
                start = page.last_evaluated_key;
                if start.is_none() {
                    break;
                }
            }
        }
        Ok(open)
    }

    /// The channels that the tenant has.
    pub(crate) async fn channel_ids(&self, tenant: &TenantId) -> Result<Vec<ChannelId>, Error> {
        let (mut ids, mut start) = (Vec::new(), None);
        loop {
            let query = self.table.client.query().table_name(&self.table.name);
            let query = query
                .key_condition_expression("pk = :pk AND begins_with(sk, :prefix)")
                .projection_expression("sk")
                .expression_attribute_values(":pk", s(tenant_pk(tenant)))
                .expression_attribute_values(":prefix", s(CHANNEL));
            let page = query.set_exclusive_start_key(start).send().await.map_err(Error::aws("Query"))?;
            for found in page.items.unwrap_or_default() {
                let id = found.get("sk").and_then(|sk| sk.as_s().ok()?.strip_prefix(CHANNEL));
                ids.extend(id.and_then(|id| ChannelId::try_from(id.to_owned()).ok()));
            }
            start = page.last_evaluated_key;
            if start.is_none() {
                return Ok(ids);
            }
        }
    }

    /// Counts the open Pins again, because some have ended, unless they were counted just now.
    async fn recount(
        &self,
        tenant: &TenantId,
        usage: &Usage,
        reached: LimitReached,
        now: Timestamp,
    ) -> Result<Result<Usage, LimitReached>, Error> {
        if usage.counted_at.is_some_and(|at| now.duration_since(at).abs() < RECOUNT_AFTER) {
            return Ok(Err(reached));
        }
        let open = self.count_open_pins(tenant).await?;
        let mut change = Change::default();
        change.set("open_pins", n(open));
        change.set("counted_at", n(now.as_second()));
        Ok(Ok(self.update_usage(tenant, change).await?.unwrap_or_else(|there| there)))
    }

    /// `Ok(Err)`: the row was not as expected; this is its content.
    async fn update_usage(&self, tenant: &TenantId, change: Change) -> Result<Result<Usage, Usage>, Error> {
        let update = self.table.client.update_item().table_name(&self.table.name);
        let update = update
            .set_key(Some(item(&RowKey::usage(tenant))?))
            .update_expression(format!("SET {}", change.assignments.join(", ")))
            .set_condition_expression(
                (!change.conditions.is_empty()).then(|| change.conditions.join(" AND ")),
            )
            .set_expression_attribute_values(Some(change.values))
            .return_values(ReturnValue::AllNew)
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        match update.send().await {
            Ok(answer) => Ok(Ok(Usage::from_item(answer.attributes.unwrap_or_default())?)),
            Err(error) => match error.as_service_error() {
                Some(UpdateItemError::ConditionalCheckFailedException(failed)) => {
                    Ok(Err(Usage::from_item(failed.item().cloned().unwrap_or_default())?))
                }
                _ => Err(Error::aws("UpdateItem")(error)),
            },
        }
    }
}

/// An update of the row that applies only while its conditions hold.
#[derive(Default)]
struct Change {
    assignments: Vec<String>,
    conditions: Vec<String>,
    values: Item,
}

impl Change {
    /// Uses units. An empty bucket is set to the units; another one is increased, so that parallel updates do not conflict.
    fn new(
        usage: &Usage,
        units: &[(Limit, u64)],
        limits: &Limits,
        now: Timestamp,
    ) -> Result<Self, LimitReached> {
        let mut change = Self::default();
        for (limit, units) in units {
            let (name, amount) = (limit.name(), limits.amount(*limit));
            let Some(window) = limit.window() else {
                if usage.open_pins + units > amount {
                    return Err(LimitReached { limit: *limit, amount, wait: None });
                }
                change.values.insert(format!(":{name}"), n(*units));
                change.values.insert(format!(":{name}_rest"), n(amount - units));
                change.values.insert(":none".to_owned(), n(0));
                change.assignments.push(format!("{name} = if_not_exists({name}, :none) + :{name}"));
                change.conditions.push(format!("(attribute_not_exists({name}) OR {name} <= :{name}_rest)"));
                continue;
            };
            let bucket = usage.buckets.get(limit).copied().unwrap_or_default();
            let after = bucket.fill(*limit, amount, *units, now)?;
            change.values.insert(":now".to_owned(), n(now.as_nanosecond()));
            if bucket.empty_at <= now.as_nanosecond() {
                change.values.insert(format!(":{name}"), n(after.empty_at));
                change.assignments.push(format!("{name} = :{name}"));
                change.conditions.push(format!("(attribute_not_exists({name}) OR {name} <= :now)"));
            } else {
                let more = Bucket::filled_by(*units, amount, window);
                change.values.insert(format!(":{name}"), n(more));
                change
                    .values
                    .insert(format!(":{name}_rest"), n(now.as_nanosecond() + window.as_nanos() - more));
                change.assignments.push(format!("{name} = {name} + :{name}"));
                change.conditions.push(format!("{name} BETWEEN :now AND :{name}_rest"));
            }
        }
        // If the tenant has been given limits of its own since, this fails, and the row with them comes back.
        if usage.own == Limits::default() {
            change.conditions.push("attribute_not_exists(own)".to_owned());
        }
        Ok(change)
    }

    fn set(&mut self, name: &str, value: aws_sdk_dynamodb::types::AttributeValue) {
        self.values.insert(format!(":{name}"), value);
        self.assignments.push(format!("{name} = :{name}"));
    }
}

//! `WORKER`: which worker has which partitions of the two `due` indexes, beside the heartbeats.
//!
//! All leases are in one row, so that a worker takes, renews and releases any number of partitions with one write.

use std::collections::BTreeSet;

use aws_sdk_dynamodb::{operation::update_item::UpdateItemError, types::ReturnValuesOnConditionCheckFailure};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{
    Heartbeat, MainTable,
    keys::RowKey,
    table::{Error, Item, item, n, s, values},
};

/// How many times a change is tried while others change the same partitions.
const MAX_TRIES: usize = 4;

/// Whose partitions they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DueOf {
    /// Main's index: Pins, and channels that were connected again.
    Pins,
    /// That of the tokens' table.
    Tokens,
}

/// A worker's right to some partitions. The id is its fencing token: it is random, and nobody has used it before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartitionLease {
    /// Whose it is.
    pub id: String,
    /// Of which index.
    pub of: DueOf,
    /// What it is for.
    pub partitions: BTreeSet<u32>,
    /// When it ends unless it is renewed.
    pub until: Timestamp,
}

/// A lease as the row has it.
#[derive(Serialize, Deserialize)]
struct Stored {
    id: String,
    /// Milliseconds since 1970.
    until: i64,
}

impl MainTable {
    /// Takes the partitions of a new lease that nobody has at `now`, and returns the lease with them.
    pub async fn acquire_partitions(
        &self,
        lease: PartitionLease,
        now: Timestamp,
    ) -> Result<PartitionLease, Error> {
        let (id, now_ms) = (lease.id.clone(), now.as_millisecond());
        let is_free = move |stored: Option<&Stored>| stored.is_none_or(|it| it.until < now_ms || it.id == id);
        let condition = |name: &str| {
            format!("(attribute_not_exists({name}) OR {name}.#until < :now OR {name}.#id = :mine)")
        };
        let names = values([(":now", n(now_ms))]);
        self.change_partitions(lease, Change::Keep, condition, names, is_free).await
    }

    /// Renews a lease until `lease.until`, for the partitions that nobody has taken since, and returns it with them.
    pub async fn renew_partitions(&self, lease: PartitionLease) -> Result<PartitionLease, Error> {
        let id = lease.id.clone();
        let is_mine = move |stored: Option<&Stored>| stored.is_some_and(|it| it.id == id);
        let condition = |name: &str| format!("{name}.#id = :mine");
        self.change_partitions(lease, Change::Keep, condition, Item::new(), is_mine).await
    }

    /// Gives a lease back, and leaves a sign of life at the same time.
    pub async fn release_partitions(
        &self,
        lease: PartitionLease,
        heartbeat: &Heartbeat,
        now: Timestamp,
    ) -> Result<(), Error> {
        let id = lease.id.clone();
        let is_mine = move |stored: Option<&Stored>| stored.is_some_and(|it| it.id == id);
        let condition = |name: &str| format!("{name}.#id = :mine");
        let (heartbeat, names) = heartbeat.change(now)?;
        self.change_partitions(lease, Change::Remove(heartbeat), condition, names, is_mine).await?;
        Ok(())
    }

    /// Changes the partitions of `lease` in one write, if `condition` holds for each. Otherwise it tries again with those
    /// for which `is_met` is true.
    async fn change_partitions(
        &self,
        mut lease: PartitionLease,
        change: Change,
        condition: impl Fn(&str) -> String,
        names: Item,
        is_met: impl Fn(Option<&Stored>) -> bool,
    ) -> Result<PartitionLease, Error> {
        for _ in 0..MAX_TRIES {
            if lease.partitions.is_empty() && matches!(change, Change::Keep) {
                return Ok(lease);
            }
            let attributes: Vec<_> =
                lease.partitions.iter().map(|number| attribute(lease.of, *number)).collect();
            let conditions: Vec<_> = attributes.iter().map(|name| condition(name)).collect();
            let mut names = names.clone();
            let expression = match change {
                Change::Keep => {
                    let stored = Stored { id: lease.id.clone(), until: lease.until.as_millisecond() };
                    names.insert(":lease".to_owned(), serde_dynamo::to_attribute_value(stored)?);
                    let set: Vec<_> = attributes.iter().map(|name| format!("{name} = :lease")).collect();
                    format!("SET {}", set.join(", "))
                }
                Change::Remove(heartbeat) => {
                    let remove = if attributes.is_empty() { "" } else { " REMOVE " };
                    format!("{heartbeat}{remove}{}", attributes.join(", "))
                }
            };
            let update = self.table.client.update_item().table_name(&self.table.name);
            let mut update = update
                .set_key(Some(item(&RowKey::worker())?))
                .update_expression(expression)
                .set_expression_attribute_values(Some(names));
            if !conditions.is_empty() {
                let conditions = conditions.join(" AND ");
                if conditions.contains("#until") {
                    update = update.expression_attribute_names("#until", "until");
                }
                update = update
                    .condition_expression(conditions)
                    .expression_attribute_names("#id", "id")
                    .expression_attribute_values(":mine", s(&lease.id))
                    .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
            }
            let Err(error) = update.send().await else {
                return Ok(lease);
            };
            let there = match error.as_service_error() {
                Some(UpdateItemError::ConditionalCheckFailedException(failed)) => {
                    failed.item().cloned().unwrap_or_default()
                }
                _ => return Err(Error::aws("UpdateItem")(error)),
            };
            lease.partitions.retain(|partition| is_met(stored(&there, lease.of, *partition).as_ref()));
        }
        Err(Error::Contended)
    }
}

/// The change of the partitions.
#[derive(Clone, Copy)]
enum Change {
    Keep,
    /// With this in the same write.
    Remove(&'static str),
}

fn attribute(of: DueOf, partition: u32) -> String {
    match of {
        DueOf::Pins => format!("lease_{partition}"),
        DueOf::Tokens => format!("token_lease_{partition}"),
    }
}

fn stored(row: &Item, of: DueOf, partition: u32) -> Option<Stored> {
    serde_dynamo::from_attribute_value(row.get(&attribute(of, partition))?.clone()).ok()
}

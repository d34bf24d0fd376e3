//! One table: reads and writes of items, transactions with retries after conflicts, complete reads of batches.

use std::{collections::HashMap, time::Duration};

use aws_sdk_dynamodb::{
    Client,
    error::SdkError,
    operation::{
        delete_item::DeleteItemError, put_item::PutItemError, transact_write_items::TransactWriteItemsError,
        update_item::UpdateItemError,
    },
    types::{
        AttributeValue, CancellationReason, Delete, KeysAndAttributes, Put,
        ReturnValuesOnConditionCheckFailure, TransactWriteItem, Update,
    },
};
use domain::{ChannelId, PinId, TenantId};
use jiff::Timestamp;
use serde::{Serialize, de::DeserializeOwned};

use platform::Random;

use crate::keys::{DueIndexKey, RowKey};

/// An item in DynamoDB's form.
pub(crate) type Item = HashMap<String, AttributeValue>;

/// How often a transaction is repeated after a conflict.
const MAX_TRIES: u32 = 8;

/// The most keys of a `BatchGetItem`.
const MAX_KEYS_PER_BATCH: usize = 100;

/// The tables could not be used.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// DynamoDB did not carry out a call, or its result is unknown.
    #[error("DynamoDB did not answer {operation}")]
    Aws {
        /// The call.
        operation: &'static str,
        /// The SDK's message, with AWS's request id.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A row has an unknown form.
    #[error("a row could not be read or written")]
    Row(#[from] serde_dynamo::Error),
    /// Others kept changing the same rows.
    #[error("the rows were changed by others each time")]
    Contended,
}

impl Error {
    pub(crate) fn aws<E, R>(operation: &'static str) -> impl FnOnce(SdkError<E, R>) -> Self
    where
        SdkError<E, R>: std::error::Error + Send + Sync + 'static,
    {
        move |error| Self::Aws { operation, source: Box::new(error) }
    }
}

/// A table by its name.
#[derive(Clone, Debug)]
pub struct Table {
    pub(crate) client: Client,
    pub(crate) name: String,
    /// How many partitions its `due` index has.
    pub(crate) due_partitions: u32,
    pub(crate) random: Random,
}

/// How a transaction ended.
#[derive(Debug)]
pub(crate) enum Written {
    /// Everything is written.
    All,
    /// Nothing was written: these conditions failed, by position, with the existing item.
    Refused(Vec<(usize, Option<Item>)>),
}

impl Table {
    #[must_use]
    pub fn new(client: Client, name: &str, due_partitions: u32, random: Random) -> Self {
        Self { client, name: name.to_owned(), due_partitions, random }
    }

    /// Where a channel's tokens that are due at `at` stand in the `due` index.
    pub(crate) fn due_tokens(&self, at: Timestamp, tenant: &TenantId, channel: &ChannelId) -> DueIndexKey {
        DueIndexKey::of_tokens(at, tenant, channel, self.due_partitions)
    }

    /// Where a channel that is due at `at` stands in the `due` index.
    pub(crate) fn due_channel(&self, at: Timestamp, channel: &ChannelId) -> DueIndexKey {
        DueIndexKey::of_channel(at, channel, self.due_partitions)
    }

    /// The position in the `due` index of a Pin of a channel that is due at `at`.
    pub(crate) fn due_pin(&self, at: Timestamp, channel: &ChannelId, pin: &PinId) -> DueIndexKey {
        DueIndexKey::of_pin(at, channel, pin, self.due_partitions)
    }

    pub(crate) async fn get(&self, key: &RowKey) -> Result<Option<Item>, Error> {
        let get =
            self.client.get_item().table_name(&self.name).set_key(Some(item(key)?)).consistent_read(true);
        Ok(get.send().await.map_err(Error::aws("GetItem"))?.item)
    }

    /// Puts an item if `condition` holds. Otherwise returns the existing item.
    ///
    /// An SDK retry may find its own first try: exactly the same item counts as written.
    pub(crate) async fn put_if(
        &self,
        new: Item,
        condition: &str,
        values: Item,
    ) -> Result<Result<(), Option<Item>>, Error> {
        let put = self
            .client
            .put_item()
            .table_name(&self.name)
            .set_item(Some(new.clone()))
            .condition_expression(condition)
            .set_expression_attribute_values((!values.is_empty()).then_some(values))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        let Err(error) = put.send().await else {
            return Ok(Ok(()));
        };
        match error.as_service_error() {
            Some(PutItemError::ConditionalCheckFailedException(failed)) => {
                let there = failed.item().cloned();
                if there.as_ref() == Some(&new) { Ok(Ok(())) } else { Ok(Err(there)) }
            }
            Some(PutItemError::TransactionConflictException(_)) => Err(Error::Contended),
            _ => Err(Error::aws("PutItem")(error)),
        }
    }

    /// Changes a row if `condition` holds. `false`: it does not hold, and nothing changed.
    ///
    /// Attributes that `expression` writes as `#name` are put in by their names: DynamoDB reserves many words.
    pub(crate) async fn update_if(
        &self,
        key: &RowKey,
        expression: &str,
        condition: &str,
        values: Item,
    ) -> Result<bool, Error> {
        let update = self
            .client
            .update_item()
            .table_name(&self.name)
            .set_key(Some(item(key)?))
            .update_expression(expression)
            .condition_expression(condition)
            .set_expression_attribute_names(placeholders(&[expression, condition]))
            .set_expression_attribute_values(Some(values));
        let Err(error) = update.send().await else {
            return Ok(true);
        };
        match error.as_service_error() {
            Some(UpdateItemError::ConditionalCheckFailedException(_)) => Ok(false),
            Some(UpdateItemError::TransactionConflictException(_)) => Err(Error::Contended),
            _ => Err(Error::aws("UpdateItem")(error)),
        }
    }

    /// The same as part of a transaction.
    pub(crate) fn update_in_transaction(
        &self,
        key: &RowKey,
        expression: &str,
        condition: &str,
        values: Item,
    ) -> Result<TransactWriteItem, Error> {
        let update = Update::builder()
            .table_name(&self.name)
            .set_key(Some(item(key)?))
            .update_expression(expression)
            .condition_expression(condition)
            .set_expression_attribute_names(placeholders(&[expression, condition]))
            .set_expression_attribute_values(Some(values))
            .build()
            .map_err(|error| Error::Aws { operation: "TransactWriteItems", source: Box::new(error) })?;
        Ok(TransactWriteItem::builder().update(update).build())
    }

    /// A put of a transaction. If its condition fails, the row that is there is returned.
    pub(crate) fn put_in_transaction(
        &self,
        new: Item,
        condition: &str,
        values: Item,
    ) -> Result<TransactWriteItem, Error> {
        let put = Put::builder()
            .table_name(&self.name)
            .set_item(Some(new))
            .condition_expression(condition)
            .set_expression_attribute_values((!values.is_empty()).then_some(values))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .build()
            .map_err(|error| Error::Aws { operation: "TransactWriteItems", source: Box::new(error) })?;
        Ok(TransactWriteItem::builder().put(put).build())
    }

    /// A delete of a transaction.
    pub(crate) fn delete_in_transaction(
        &self,
        key: &RowKey,
        condition: Option<&str>,
        values: Option<Item>,
    ) -> Result<TransactWriteItem, Error> {
        let delete = Delete::builder()
            .table_name(&self.name)
            .set_key(Some(item(key)?))
            .set_condition_expression(condition.map(str::to_owned))
            .set_expression_attribute_values(values)
            .build()
            .map_err(|error| Error::Aws { operation: "TransactWriteItems", source: Box::new(error) })?;
        Ok(TransactWriteItem::builder().delete(delete).build())
    }

    /// Deletes a row if `condition` holds.
    pub(crate) async fn delete_if(&self, key: &RowKey, condition: &str, values: Item) -> Result<(), Error> {
        let delete = self
            .client
            .delete_item()
            .table_name(&self.name)
            .set_key(Some(item(key)?))
            .condition_expression(condition)
            .set_expression_attribute_values(Some(values));
        let Err(error) = delete.send().await else {
            return Ok(());
        };
        match error.as_service_error() {
            Some(DeleteItemError::ConditionalCheckFailedException(_)) => Ok(()),
            _ => Err(Error::aws("DeleteItem")(error)),
        }
    }

    /// A put without a condition.
    pub(crate) async fn put(&self, new: Item) -> Result<(), Error> {
        let put = self.client.put_item().table_name(&self.name).set_item(Some(new));
        put.send().await.map_err(Error::aws("PutItem"))?;
        Ok(())
    }

    /// Adds texts to a set of a row, which is made if there is none.
    pub(crate) async fn add_to_set(&self, key: &RowKey, name: &str, texts: Vec<String>) -> Result<(), Error> {
        let update = self.client.update_item().table_name(&self.name).set_key(Some(item(key)?));
        let update = update
            .update_expression(format!("ADD {name} :texts"))
            .expression_attribute_values(":texts", AttributeValue::Ss(texts));
        update.send().await.map_err(Error::aws("UpdateItem"))?;
        Ok(())
    }

    /// Writes all of `items` or none of them. A collision with another transaction is tried again, with jitter.
    pub(crate) async fn transact(&self, items: Vec<TransactWriteItem>) -> Result<Written, Error> {
        for round in 1..=MAX_TRIES {
            let write = self.client.transact_write_items().set_transact_items(Some(items.clone()));
            let Err(error) = write.send().await else {
                return Ok(Written::All);
            };
            let reasons = match error.as_service_error() {
                Some(TransactWriteItemsError::TransactionCanceledException(cancelled)) => {
                    cancelled.cancellation_reasons().to_vec()
                }
                _ => return Err(Error::aws("TransactWriteItems")(error)),
            };
            let refused = refusals(&reasons);
            if !refused.is_empty() {
                return Ok(Written::Refused(refused));
            }
            if !reasons.iter().any(is_passing) {
                return Err(Error::aws("TransactWriteItems")(error));
            }
            let most = Duration::from_millis(10 << round.min(6));
            tokio::time::sleep(most.mul_f64(self.random.jitter())).await;
        }
        Err(Error::Contended)
    }

    /// Reads rows of several tables with strong consistency, in one round trip for each hundred. The keys must be
    /// different.
    pub(crate) async fn batch(&self, keys: &[(&Table, RowKey)]) -> Result<HashMap<RowKey, Item>, Error> {
        let mut found = HashMap::with_capacity(keys.len());
        for some in keys.chunks(MAX_KEYS_PER_BATCH) {
            self.read_batch(some, &mut found).await?;
        }
        Ok(found)
    }

    async fn read_batch(
        &self,
        keys: &[(&Table, RowKey)],
        found: &mut HashMap<RowKey, Item>,
    ) -> Result<(), Error> {
        let mut wanted: HashMap<String, KeysAndAttributes> = HashMap::new();
        for (table, key) in keys {
            let mut all = wanted.remove(&table.name).map(|one| one.keys).unwrap_or_default();
            all.push(item(key)?);
            wanted.insert(table.name.clone(), keys_of(all)?);
        }
        for round in 1..=MAX_TRIES {
            let read = self.client.batch_get_item().set_request_items(Some(wanted));
            let answer = read.send().await.map_err(Error::aws("BatchGetItem"))?;
            for row in answer.responses.unwrap_or_default().into_values().flatten() {
                let key = RowKey { pk: text(&row, "pk"), sk: text(&row, "sk") };
                found.insert(key, row);
            }
            wanted = answer.unprocessed_keys.unwrap_or_default();
            if wanted.is_empty() {
                return Ok(());
            }
            let most = Duration::from_millis(10 << round.min(6));
            tokio::time::sleep(most.mul_f64(self.random.jitter())).await;
        }
        Err(Error::Contended)
    }
}

/// The names behind the placeholders `#name` of expressions.
fn placeholders(expressions: &[&str]) -> Option<HashMap<String, String>> {
    let names: HashMap<_, _> = expressions
        .iter()
        .flat_map(|text| text.split(word_end))
        .filter_map(|word| Some((word.to_owned(), word.strip_prefix('#')?.to_owned())))
        .collect();
    (!names.is_empty()).then_some(names)
}

fn word_end(letter: char) -> bool {
    !(letter.is_ascii_alphanumeric() || matches!(letter, '#' | '_'))
}

fn keys_of(keys: Vec<Item>) -> Result<KeysAndAttributes, Error> {
    let keys = KeysAndAttributes::builder().set_keys(Some(keys)).consistent_read(true).build();
    keys.map_err(|error| Error::Aws { operation: "BatchGetItem", source: Box::new(error) })
}

fn refusals(reasons: &[CancellationReason]) -> Vec<(usize, Option<Item>)> {
    reasons
        .iter()
        .enumerate()
        .filter(|(_, reason)| reason.code() == Some("ConditionalCheckFailed"))
        .map(|(position, reason)| (position, reason.item().cloned()))
        .collect()
}

fn is_passing(reason: &CancellationReason) -> bool {
    matches!(reason.code(), Some("TransactionConflict" | "ThrottlingError" | "ProvisionedThroughputExceeded"))
}

/// A row in DynamoDB's form.
pub(crate) fn item(row: &impl Serialize) -> Result<Item, Error> {
    Ok(serde_dynamo::to_item(row)?)
}

/// A row as a `domain` value.
pub(crate) fn row<T: DeserializeOwned>(item: Item) -> Result<T, Error> {
    Ok(serde_dynamo::from_item(item)?)
}

/// A text of a row. Empty: it has none of that name.
pub(crate) fn text(item: &Item, name: &str) -> String {
    item.get(name).and_then(|value| value.as_s().ok()).cloned().unwrap_or_default()
}

/// `:name` and its value, for an expression.
pub(crate) fn values<const N: usize>(pairs: [(&str, AttributeValue); N]) -> Item {
    pairs.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

/// A text in an expression.
pub(crate) fn s(text: impl Into<String>) -> AttributeValue {
    AttributeValue::S(text.into())
}

/// A number in an expression.
pub(crate) fn n(number: impl Into<i128>) -> AttributeValue {
    AttributeValue::N(number.into().to_string())
}

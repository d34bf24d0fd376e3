//! The two tables, as the deployed stack defines them.

use dynoxide::{
    Database,
    actions::{
        create_table::{CreateTableRequest, StreamSpecification},
        update_table::{CreateGsiAction, GlobalSecondaryIndexUpdate, UpdateTableRequest},
        update_time_to_live::{TimeToLiveSpecification, UpdateTimeToLiveRequest},
    },
    types::{
        AttributeDefinition, GlobalSecondaryIndex, KeySchemaElement, KeyType, Projection, ProjectionType,
        ScalarAttributeType,
    },
};

use crate::Error;

/// An index: its name, its keys, and what an entry holds beside keys.
struct Index {
    name: &'static str,
    keys: [&'static str; 2],
    holds: &'static [&'static str],
}

const DUE: Index = Index { name: "due", keys: ["due_pk", "due_sk"], holds: &[] };
const QUEUE: Index = Index { name: "queue", keys: ["queue_pk", "queue_sk"], holds: &[] };
const LIST: Index = Index { name: "list", keys: ["tenant", "publish_at"], holds: &["channel_id"] };

const MAIN_INDEXES: &[Index] = &[DUE, QUEUE, LIST];
const TOKENS_INDEXES: &[Index] = &[DUE];

/// The names of the two tables.
#[derive(Clone, Debug)]
pub struct Tables {
    /// The main table. It has a stream, from which events are made.
    pub main: String,
    /// The table of sealed tokens. It has no stream, and no index by channel.
    pub tokens: String,
}

impl Tables {
    /// Creates both tables in an empty database, without the stream: its records need more time than the rows.
    ///
    /// # Errors
    ///
    /// [`Error`] if the database refuses.
    pub fn create_in(&self, database: &Database) -> Result<(), Error> {
        create_table_if_missing(database, &self.main, MAIN_INDEXES, None)?;
        create_table_if_missing(database, &self.tokens, TOKENS_INDEXES, None)
    }
}

/// Creates those of `tables` that do not exist.
pub(crate) fn create_missing(database: &Database, tables: &Tables) -> Result<(), Error> {
    create_table_if_missing(database, &tables.main, MAIN_INDEXES, Some("NEW_AND_OLD_IMAGES"))?;
    create_table_if_missing(database, &tables.tokens, TOKENS_INDEXES, None)
}

fn create_table_if_missing(
    database: &Database,
    name: &str,
    indexes: &[Index],
    stream: Option<&str>,
) -> Result<(), Error> {
    match database.get_table_metadata(name)? {
        None => {
            database.create_table(table_definition(name, indexes, stream))?;
        }
        // A folder of an earlier version.
        Some(table) => {
            let there = table.gsi_definitions.unwrap_or_default();
            let is_missing = |index: &&Index| !there.contains(&format!("\"{}\"", index.name));
            for index in indexes.iter().filter(is_missing) {
                database.update_table(index.addition_to(name))?;
            }
        }
    }
    database.update_time_to_live(UpdateTimeToLiveRequest {
        table_name: name.to_owned(),
        time_to_live_specification: TimeToLiveSpecification {
            attribute_name: "expires_at".to_owned(),
            enabled: true,
        },
    })?;
    Ok(())
}

fn table_definition(name: &str, indexes: &[Index], stream: Option<&str>) -> CreateTableRequest {
    let keys = ["pk", "sk"].into_iter().chain(indexes.iter().flat_map(|index| index.keys));

    CreateTableRequest {
        table_name: name.to_owned(),
        billing_mode: Some("PAY_PER_REQUEST".to_owned()),
        key_schema: key_schema("pk", "sk"),
        attribute_definitions: keys.map(text_attribute).collect(),
        global_secondary_indexes: Some(indexes.iter().map(Index::definition).collect()),
        stream_specification: stream.map(|view_type| StreamSpecification {
            stream_enabled: true,
            stream_view_type: Some(view_type.to_owned()),
        }),
        ..CreateTableRequest::default()
    }
}

impl Index {
    fn definition(&self) -> GlobalSecondaryIndex {
        let [partition, sort] = self.keys;
        GlobalSecondaryIndex {
            index_name: self.name.to_owned(),
            key_schema: key_schema(partition, sort),
            projection: self.projection(),
            provisioned_throughput: None,
        }
    }

    /// Adds the index to a table, with what is in it.
    fn addition_to(&self, table: &str) -> UpdateTableRequest {
        let GlobalSecondaryIndex { index_name, key_schema, projection, .. } = self.definition();
        let create = CreateGsiAction { index_name, key_schema, projection };
        let update =
            GlobalSecondaryIndexUpdate { create: Some(create), ..GlobalSecondaryIndexUpdate::default() };
        UpdateTableRequest {
            table_name: table.to_owned(),
            attribute_definitions: Some(self.keys.into_iter().map(text_attribute).collect()),
            global_secondary_index_updates: Some(vec![update]),
            ..UpdateTableRequest::default()
        }
    }

    fn projection(&self) -> Projection {
        let held = || self.holds.iter().map(|name| (*name).to_owned()).collect();
        match self.holds {
            [] => Projection { projection_type: Some(ProjectionType::KEYS_ONLY), non_key_attributes: None },
            _ => Projection {
                projection_type: Some(ProjectionType::INCLUDE),
                non_key_attributes: Some(held()),
            },
        }
    }
}

fn text_attribute(name: &str) -> AttributeDefinition {
    AttributeDefinition { attribute_name: name.to_owned(), attribute_type: ScalarAttributeType::S }
}

fn key_schema(partition: &str, sort: &str) -> Vec<KeySchemaElement> {
    let key = |name: &str, key_type| KeySchemaElement { attribute_name: name.to_owned(), key_type };
    vec![key(partition, KeyType::HASH), key(sort, KeyType::RANGE)]
}

#[cfg(test)]
mod tests {
    use dynoxide::{
        actions::{put_item::PutItemRequest, query::QueryRequest},
        types::{AttributeValue, Item},
    };

    use super::*;

    fn texts<const N: usize>(pairs: [(&str, &str); N]) -> Item {
        pairs.map(|(name, text)| (name.to_owned(), AttributeValue::S(text.to_owned()))).into()
    }

    #[test]
    fn a_table_of_an_earlier_version_gets_the_index_that_it_lacks_with_all_rows() {
        let database = Database::memory().unwrap();
        create_table_if_missing(&database, "main", &[DUE, QUEUE], Some("NEW_AND_OLD_IMAGES")).unwrap();
        let pin = [
            ("pk", "TENANT#ada"),
            ("sk", "PIN#1"),
            ("tenant", "ada"),
            ("publish_at", "2026-12-01T09:00:00Z"),
        ];
        for row in [texts(pin), texts([("pk", "TENANT#ada"), ("sk", "CHANNEL#1"), ("tenant", "ada")])] {
            let put =
                PutItemRequest { table_name: "main".to_owned(), item: row, ..PutItemRequest::default() };
            database.put_item(put).unwrap();
        }

        for _ in 0..2 {
            create_table_if_missing(&database, "main", MAIN_INDEXES, Some("NEW_AND_OLD_IMAGES")).unwrap();
        }

        let query = QueryRequest {
            table_name: "main".to_owned(),
            index_name: Some("list".to_owned()),
            key_condition_expression: Some("tenant = :tenant".to_owned()),
            expression_attribute_values: Some(texts([(":tenant", "ada")])),
            ..QueryRequest::default()
        };
        assert_eq!(database.query(query).unwrap().items.unwrap(), [texts(pin)]);
    }
}

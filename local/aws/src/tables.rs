//! The two tables, as the deployed stack defines them.

use dynoxide::{
    Database,
    actions::{
        create_table::{CreateTableRequest, StreamSpecification},
        update_time_to_live::{TimeToLiveSpecification, UpdateTimeToLiveRequest},
    },
    types::{
        AttributeDefinition, GlobalSecondaryIndex, KeySchemaElement, KeyType, Projection, ProjectionType,
        ScalarAttributeType,
    },
};

use crate::Error;

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
        create_table_if_missing(database, &self.main, &["due", "queue"], None)?;
        create_table_if_missing(database, &self.tokens, &["due"], None)
    }
}

/// Creates those of `tables` that do not exist.
pub(crate) fn create_missing(database: &Database, tables: &Tables) -> Result<(), Error> {
    create_table_if_missing(database, &tables.main, &["due", "queue"], Some("NEW_AND_OLD_IMAGES"))?;
    create_table_if_missing(database, &tables.tokens, &["due"], None)
}

fn create_table_if_missing(
    database: &Database,
    name: &str,
    indexes: &[&str],
    stream: Option<&str>,
) -> Result<(), Error> {
    if database.get_table_metadata(name)?.is_none() {
        database.create_table(table_definition(name, indexes, stream))?;
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

fn table_definition(name: &str, indexes: &[&str], stream: Option<&str>) -> CreateTableRequest {
    let index_keys = indexes.iter().flat_map(|index| [format!("{index}_pk"), format!("{index}_sk")]);
    let keys = ["pk".to_owned(), "sk".to_owned()].into_iter().chain(index_keys);

    CreateTableRequest {
        table_name: name.to_owned(),
        billing_mode: Some("PAY_PER_REQUEST".to_owned()),
        key_schema: key_schema("pk", "sk"),
        attribute_definitions: keys
            .map(|attribute_name| AttributeDefinition {
                attribute_name,
                attribute_type: ScalarAttributeType::S,
            })
            .collect(),
        global_secondary_indexes: Some(indexes.iter().map(|index| keys_only_index(index)).collect()),
        stream_specification: stream.map(|view_type| StreamSpecification {
            stream_enabled: true,
            stream_view_type: Some(view_type.to_owned()),
        }),
        ..CreateTableRequest::default()
    }
}

fn keys_only_index(index: &str) -> GlobalSecondaryIndex {
    GlobalSecondaryIndex {
        index_name: index.to_owned(),
        key_schema: key_schema(&format!("{index}_pk"), &format!("{index}_sk")),
        projection: Projection { projection_type: Some(ProjectionType::KEYS_ONLY), non_key_attributes: None },
        provisioned_throughput: None,
    }
}

fn key_schema(partition: &str, sort: &str) -> Vec<KeySchemaElement> {
    let key = |name: &str, key_type| KeySchemaElement { attribute_name: name.to_owned(), key_type };
    vec![key(partition, KeyType::HASH), key(sort, KeyType::RANGE)]
}

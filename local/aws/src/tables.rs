//! The two tables, as the deployed stack defines them.

use crate::Error;
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

/// What the two tables are called, as the handlers' settings call them.
#[derive(Clone, Debug)]
pub struct Tables {
    /// The table whose changes leave as events: it has the stream.
    pub main: String,
    /// The table of sealed tokens: no stream, and not in the index by channel.
    pub tokens: String,
}

impl Tables {
    /// Creates both tables in an empty database: without the stream, whose records cost more than the rows.
    ///
    /// # Errors
    ///
    /// [`Error`] if the database refuses.
    pub fn create_in(&self, database: &Database) -> Result<(), Error> {
        create(database, &self.main, &["due", "queue"], None)?;
        create(database, &self.tokens, &["due"], None)
    }
}

/// Creates what is missing of `tables`. What exists stays as it is.
pub(crate) fn create_missing(database: &Database, tables: &Tables) -> Result<(), Error> {
    create(database, &tables.main, &["due", "queue"], Some("NEW_AND_OLD_IMAGES"))?;
    create(database, &tables.tokens, &["due"], None)
}

fn create(database: &Database, name: &str, indexes: &[&str], stream: Option<&str>) -> Result<(), Error> {
    if database.get_table_metadata(name)?.is_none() {
        database.create_table(definition(name, indexes, stream))?;
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

fn definition(name: &str, indexes: &[&str], stream: Option<&str>) -> CreateTableRequest {
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
        global_secondary_indexes: Some(indexes.iter().map(|index| keys_only(index)).collect()),
        stream_specification: stream.map(|view_type| StreamSpecification {
            stream_enabled: true,
            stream_view_type: Some(view_type.to_owned()),
        }),
        ..CreateTableRequest::default()
    }
}

fn keys_only(index: &str) -> GlobalSecondaryIndex {
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

//! The AWS services beside DynamoDB: the media bucket, the settings secret, the vault of tokens, the event bus
//! and the workers that are started.

pub mod event_bus;
pub mod media_bucket;
pub mod settings_secret;
mod short_requests;
mod signer;
mod transports;
pub mod vault;
pub mod workers;

pub use event_bus::EventBus;
pub use media_bucket::MediaBucket;
pub use settings_secret::SettingsSecret;
pub use short_requests::ShortRequests;
pub use signer::Signer;
pub use transports::{ResponseFuture, Transport, Transports};
pub use vault::{Binding, Vault};
pub use workers::Workers;

//! The integration's settings, and connecting accounts to it.

mod credentials;
mod oauth;
mod reconnect;
pub(crate) mod settings;

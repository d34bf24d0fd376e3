//! Authorization codes.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::tokens::Grant;

/// A user's consent, until the app exchanges it for tokens.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct AuthorizationCode {
    pub(crate) grant: Grant,
    pub(crate) redirect_uri: String,
    pub(crate) expires_at: Timestamp,
}

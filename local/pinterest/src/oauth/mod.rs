//! Consent and tokens, as OAuth 2.0 (RFC 6749) has them.

pub(crate) mod authorize;
pub(crate) mod token;

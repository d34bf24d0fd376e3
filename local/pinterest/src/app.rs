//! The one app that this Pinterest knows.

/// The App ID of the one app that this Pinterest knows.
pub const APP_ID: &str = "1234567";
/// The App Secret of that app.
pub const APP_SECRET: &str = "simulated-app-secret";

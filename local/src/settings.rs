//! The variables that the functions see: those of the stack, which are ours, and those that a person may set.

use std::collections::BTreeMap;

use app::Variables;
use loopback_aws::{LoopbackAws, Tables};
use simulated_pinterest::SimulatedPinterest;

/// The tables' names.
pub(crate) fn tables() -> Tables {
    Tables { main: "pinwright-main".to_owned(), tokens: "pinwright-tokens".to_owned() }
}

/// The secret with the integration's settings: there, and empty, as a new stack leaves it.
pub(crate) const SETTINGS_SECRET: &str = "pinwright/settings";
/// The secret with the keys that seal tokens.
pub(crate) const KEY_RING_SECRET: &str = "pinwright/token-keys";
/// The bucket that people's files lie in.
pub(crate) const BUCKET: &str = "pinwright-media";

/// The file of the data folder from which `cargo lambda watch` gives the same variables to the real binaries.
pub(crate) const FILE: &str = "lambda.env";

/// What a person may set, in the environment or in `.env`. The names of AWS are not among them: whoever works
/// with a real account on this machine must not meet it here.
const OPEN: [&str; 22] = [
    "ADMIN_GROUP",
    "ADMIN_SCOPE",
    "ALLOWED_RETURN_ORIGINS",
    "BASE_URL",
    "FRONTEND_URL",
    "GROUPS_CLAIM",
    "PINTEREST_API_URL",
    "PINTEREST_APP_ID",
    "PINTEREST_APP_SECRET",
    "PINTEREST_AUTHORIZE_URL",
    "PINTEREST_ENVIRONMENT",
    "PINTEREST_SANDBOX_API_URL",
    "PINTEREST_SCOPES",
    "PINWRIGHT_FETCH_ALLOW",
    "REDIRECT_PATH",
    "REFRESH_AT_ONCE",
    "SIGN_IN_CLIENT_ID",
    "SIGN_IN_ISSUER",
    "SIGN_IN_ORIGINS",
    "SIGN_IN_SCOPES",
    "TENANT_CLAIM",
    "TOKEN_KEYS",
];

/// Whether a person has named a Pinterest of their own.
pub(crate) fn names_a_pinterest(given: &BTreeMap<String, String>) -> bool {
    ["PINTEREST_API_URL", "PINTEREST_SANDBOX_API_URL", "PINTEREST_AUTHORIZE_URL"]
        .iter()
        .any(|name| given.get(*name).is_some_and(|value| !value.is_empty()))
}

/// Everything together: what a person has set wins over what is open, and over nothing else.
pub(crate) fn variables(
    given: &BTreeMap<String, String>,
    url: &str,
    aws: &LoopbackAws,
    pinterest: Option<&SimulatedPinterest>,
) -> Variables {
    let mut all: BTreeMap<&str, String> = BTreeMap::from([
        ("BASE_URL", url.to_owned()),
        ("TENANT_CLAIM", "tenant".to_owned()),
        ("KEY_RING_SECRET", KEY_RING_SECRET.to_owned()),
    ]);
    if let Some(pinterest) = pinterest {
        all.insert("PINTEREST_API_URL", pinterest.api_url());
        all.insert("PINTEREST_SANDBOX_API_URL", pinterest.sandbox_api_url());
        all.insert("PINTEREST_AUTHORIZE_URL", pinterest.authorize_url());
    }
    for name in OPEN {
        if let Some(value) = given.get(name).filter(|value| !value.is_empty()) {
            all.insert(name, value.clone());
        }
    }
    if all.contains_key("TOKEN_KEYS") {
        all.remove("KEY_RING_SECRET");
    }
    let tables = tables();
    all.extend([
        ("AWS_REGION", loopback_aws::REGION.to_owned()),
        ("AWS_ACCESS_KEY_ID", loopback_aws::ACCESS_KEY.to_owned()),
        ("AWS_SECRET_ACCESS_KEY", loopback_aws::ACCESS_KEY.to_owned()),
        ("AWS_ENDPOINT_URL", aws.url().to_owned()),
        ("MAIN_TABLE", tables.main),
        ("TOKENS_TABLE", tables.tokens),
        ("SETTINGS_SECRET", SETTINGS_SECRET.to_owned()),
        ("EVENT_BUS", "pinwright".to_owned()),
        ("MEDIA_BUCKET", BUCKET.to_owned()),
    ]);
    Variables::from_iter(all)
}

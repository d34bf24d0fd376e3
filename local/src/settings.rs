//! The variables that the functions see: those that the stack sets, and those that the user may set.

use std::collections::BTreeMap;

use loopback_aws::{LoopbackAws, Tables};
use platform::Variables;
use simulated_pinterest::SimulatedPinterest;

/// The names of the tables.
pub(crate) fn tables() -> Tables {
    Tables { main: "pinwright-main".to_owned(), tokens: "pinwright-tokens".to_owned() }
}

/// The secret with the settings of the integration. It exists and is empty, as in a newly deployed stack.
pub(crate) const SETTINGS_SECRET: &str = "pinwright/settings";
/// The secret with the keys that seal tokens.
pub(crate) const KEY_RING_SECRET: &str = "pinwright/token-keys";
/// The bucket for the files of users.
pub(crate) const BUCKET: &str = "pinwright-media";

/// The file of the data folder with which `cargo lambda watch` gives the same variables to the real binaries.
pub(crate) const VARIABLES_FILE: &str = "lambda.env";

/// The variables that the user may set, in the environment or in `.env`. Those of AWS are not among them, so that this
/// stack never uses a real AWS account that is set up on this machine.
const USER_VARIABLES: [&str; 26] = [
    "ADMIN_GROUP",
    "ADMIN_SCOPE",
    "AI_DISCLOSURES",
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
    "REFRESHES_PER_MINUTE",
    "REFRESH_AT_ONCE",
    "SIGN_IN_CLIENT_ID",
    "SIGN_IN_ISSUER",
    "SIGN_IN_ORIGINS",
    "SIGN_IN_SCOPES",
    "TENANT_CLAIM",
    "TENANT_LIMITS",
    "TOKEN_KEYS",
    "WORKER_CONCURRENCY",
];

/// Whether the user has set an address of Pinterest.
pub(crate) fn sets_pinterest_address(user_variables: &BTreeMap<String, String>) -> bool {
    ["PINTEREST_API_URL", "PINTEREST_SANDBOX_API_URL", "PINTEREST_AUTHORIZE_URL"]
        .iter()
        .any(|name| user_variables.get(*name).is_some_and(|value| !value.is_empty()))
}

/// Where Pinterest sends people back to: the address that is registered at the simulated Pinterest.
pub(crate) fn redirect_uri(user_variables: &BTreeMap<String, String>, url: &str) -> String {
    let set = |name: &str| user_variables.get(name).filter(|value| !value.is_empty()).map(String::as_str);
    let path = set("REDIRECT_PATH").unwrap_or("/api/v1/auth/pinterest/callback");
    format!("{}{path}", set("BASE_URL").unwrap_or(url).trim_end_matches('/'))
}

/// All variables. The user's values replace defaults, but not the addresses and names of this stack.
pub(crate) fn build_variables(
    user_variables: &BTreeMap<String, String>,
    url: &str,
    aws: &LoopbackAws,
    pinterest: Option<&SimulatedPinterest>,
) -> Variables {
    let mut all: BTreeMap<&str, String> = BTreeMap::from([
        ("BASE_URL", url.to_owned()),
        ("TENANT_CLAIM", "tenant".to_owned()),
        ("KEY_RING_SECRET", KEY_RING_SECRET.to_owned()),
        ("REFRESHES_PER_MINUTE", "60000".to_owned()), // nobody waits while the clock is moved on
    ]);
    if let Some(pinterest) = pinterest {
        all.insert("PINTEREST_API_URL", pinterest.api_url());
        all.insert("PINTEREST_SANDBOX_API_URL", pinterest.sandbox_api_url());
        all.insert("PINTEREST_AUTHORIZE_URL", pinterest.authorize_url());
    }
    for name in USER_VARIABLES {
        if let Some(value) = user_variables.get(name).filter(|value| !value.is_empty()) {
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
        ("AWS_SECRET_ACCESS_KEY", aws.secret_key().to_owned()),
        ("AWS_ENDPOINT_URL", aws.url().to_owned()),
        ("AWS_LAMBDA_FUNCTION_NAME", "deliver".to_owned()), // an event says whose worker it starts
        ("MAIN_TABLE", tables.main),
        ("TOKENS_TABLE", tables.tokens),
        ("SETTINGS_SECRET", SETTINGS_SECRET.to_owned()),
        ("EVENT_BUS", "pinwright".to_owned()),
        ("MEDIA_BUCKET", BUCKET.to_owned()),
    ]);
    Variables::from_iter(all)
}

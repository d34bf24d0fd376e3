//! Variables that nobody sets, reads or explains.

use super::{Mutation, at, t};
use crate::{project::SETTINGS, variables};

pub(super) const MUTATIONS: &[Mutation] = &[
    t(
        variables::template_variables,
        "",
        "        GROUPS_CLAIM: !Ref GroupsClaim\n",
        "",
        "reads GROUPS_CLAIM, and the template does not set it",
    ),
    t(
        variables::template_variables,
        "",
        "        GROUPS_CLAIM:",
        "        GROUP_CLAIM:",
        "sets GROUP_CLAIM, and no code reads it",
    ),
    t(
        variables::template_variables,
        "  DocsFunction:",
        "      Events:",
        "      Environment: {Variables: {TOKEN_KEYS: x}}\n      Events:",
        "sets TOKEN_KEYS",
    ),
    at(
        variables::template_variables,
        "shared/app/src/setup.rs",
        "",
        "\"AWS_SESSION_TOKEN\"",
        "\"AWS_SESSION\"",
        "no code reads AWS_SESSION_TOKEN",
    ),
    at(
        variables::template_variables,
        "shared/edge/src/site.rs",
        "",
        "\"TENANT_CLAIM\"",
        "\"TENANTS_CLAIM\"",
        "site.rs reads TENANTS_CLAIM, and the template does not set it",
    ),
    at(
        variables::documented_variables,
        SETTINGS,
        "## Variables",
        "`REFRESH_AT_ONCE`",
        "`AT_ONCE`",
        "REFRESH_AT_ONCE, and docs/settings.md",
    ),
    at(
        variables::documented_variables,
        SETTINGS,
        "## Variables",
        "`RUST_LOG`",
        "`RUST_LOG`, `LOG_LEVEL`",
        "explains LOG_LEVEL",
    ),
    at(
        variables::documented_variables,
        SETTINGS,
        "## Variables",
        ", `AWS_ENDPOINT_URL_<SERVICE>`",
        "",
        "AWS_ENDPOINT_URL_DYNAMODB",
    ),
];

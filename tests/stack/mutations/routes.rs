//! The routes of the API.

use super::{Mutation, t};
use crate::routes;

pub(super) const MUTATIONS: &[Mutation] = &[
    t(
        routes::routes,
        "  PinsFunction:",
        "Path: /api/v1/pins}",
        "Path: /api/v2/pins}",
        "GET /api/v1/pins is no route of the template",
    ),
    t(
        routes::routes,
        "  PinsFunction:",
        "Path: /api/v1/pins}",
        "Path: /api/v2/pins}",
        "GET /api/v2/pins is no route of the code",
    ),
    t(routes::routes, "  PinsFunction:", "Method: DELETE", "Method: GET", "stands there twice"),
    t(
        routes::routes,
        "  PinsFunction:",
        "CodeUri: functions/pins",
        "CodeUri: functions/docs",
        "leads to Docs, not to Pins",
    ),
    t(
        routes::routes,
        "  PinsFunction:",
        "Path: /api/v1/pins}",
        "Path: /api/v1/pins, Auth: {Authorizer: NONE}}",
        "GET /api/v1/pins is for User, and the template says otherwise",
    ),
    t(routes::routes, "  DocsFunction:", ", Auth: {Authorizer: NONE}", "", "GET /api/v1/health is for Open"),
    t(
        routes::routes,
        "  DocsFunction:",
        "{Authorizer: NONE}",
        "{Authorizer: None}",
        "is neither NONE nor the usual",
    ),
    t(routes::routes, "  PinsFunction:", "!Ref Api", "!Ref OtherApi", "is not a route of Api"),
    t(
        routes::routes,
        "  Api:",
        "DefaultAuthorizer: Jwt",
        "EnableIamAuthorizer: true",
        "does not need a token",
    ),
    t(routes::rules, "  DeliverFunction:", "rate(1 minute)", "rate(2 minutes)", "deliver: rate(2 minutes)"),
    t(routes::rules, "  RefreshFunction:", "daily_check", "dailycheck", "refresh: daily, Tick"),
    t(routes::rules, "  RefreshFunction:", "cron(0 3 * * ? *)", "cron(0 * * * ? *)", "the rules are"),
];

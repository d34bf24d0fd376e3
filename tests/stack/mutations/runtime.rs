//! How functions run.

use super::{Mutation, t};
use crate::runtime;

pub(super) const MUTATIONS: &[Mutation] = &[
    // A refresh that never has time enough to begin.
    t(runtime::timeouts, "  RefreshFunction:", "Timeout: 300", "Timeout: 60", "RefreshFunction has 60 s"),
    t(runtime::timeouts, "  DeliverFunction:", "Timeout: 900", "Timeout: 29", "DeliverFunction has 29 s"),
    t(runtime::timeouts, "Globals:", "Timeout: 29", "Timeout: 10", "OauthCallbackFunction has 10 s"),
    t(runtime::timeouts, "Globals:", "Timeout: 29", "Timeout: 60", "may answer after 60 s"),
    t(runtime::timeouts, "  EventsFunction:", "Timeout: 60", "Timeout: 3", "EventsFunction has 3 s"),
    t(
        runtime::memory,
        "Globals:",
        "MemorySize: 256",
        "MemorySize: 128",
        "PublishFunction has less than 256 MB",
    ),
    t(
        runtime::retries,
        "  DeliverFunction:",
        "            RetryPolicy: {MaximumEventAgeInSeconds: 60, MaximumRetryAttempts: 0}\n",
        "",
        "deliver: Minute is kept",
    ),
    t(
        runtime::retries,
        "      CodeUri: functions/refresh",
        "RetryPolicy: {MaximumEventAgeInSeconds: 60, MaximumRetryAttempts: 0}",
        "RetryPolicy: {MaximumEventAgeInSeconds: 60, MaximumRetryAttempts: 2}",
        "refresh: Minute is kept",
    ),
    t(
        runtime::retries,
        "  DeliverFunction:",
        "EventInvokeConfig: {MaximumEventAgeInSeconds: 60, MaximumRetryAttempts: 0}",
        "EventInvokeConfig: {MaximumEventAgeInSeconds: 60, MaximumRetryAttempts: 2}",
        "is tried again",
    ),
    t(
        runtime::retries,
        "      CodeUri: functions/refresh",
        "        DestinationConfig: {OnFailure: {Type: SQS, Destination: !GetAtt DeadLetters.Arn}}\n",
        "",
        "is forgotten",
    ),
    t(
        runtime::stream,
        "  EventsFunction:",
        "            FunctionResponseTypes: [ReportBatchItemFailures]\n",
        "",
        "is not believed",
    ),
    t(runtime::stream, "  EventsFunction:", "TRIM_HORIZON", "LATEST", "misses what changes"),
    t(
        runtime::stream,
        "  EventsFunction:",
        "BisectBatchOnFunctionError: true",
        "BisectBatchOnFunctionError: false",
        "gives up a whole batch",
    ),
    t(
        runtime::stream,
        "  EventsFunction:",
        "MaximumRetryAttempts: 20",
        "MaximumRetryAttempts: 1",
        "after a short outage",
    ),
    t(
        runtime::stream,
        "  EventsFunction:",
        "MaximumRecordAgeInSeconds: 21600",
        "MaximumRecordAgeInSeconds: 60",
        "gives up too early",
    ),
    t(
        runtime::stream,
        "  EventsFunction:",
        "            DestinationConfig: {OnFailure: {Type: SQS, Destination: !GetAtt DeadLetters.Arn}}\n",
        "",
        "leaves no trace",
    ),
    t(runtime::stream, "  EventsFunction:", r#","SETTINGS"]"#, "]", "the filter stops SETTINGS"),
    t(
        runtime::stream,
        "  EventsFunction:",
        r#"{"prefix":"TENANT#"}"#,
        r#"{"prefix":"TENANTS#"}"#,
        "the filter stops TENANT#acme",
    ),
    t(runtime::stream, "  EventsFunction:", r#","SETTINGS"]"#, r#","SETTINGS","WORKER"]"#, "lets in WORKER"),
    t(
        runtime::stream,
        "  MainTable:",
        "StreamViewType: NEW_AND_OLD_IMAGES",
        "StreamViewType: NEW_IMAGE",
        "needs both images",
    ),
    t(
        runtime::expiry,
        "  TokensTable:",
        "AttributeName: expires_at",
        "AttributeName: ttl",
        "TokensTable does not",
    ),
    t(
        runtime::expiry,
        "  MainTable:",
        "{AttributeName: expires_at, Enabled: true}",
        "{AttributeName: expires_at, Enabled: false}",
        "MainTable does not",
    ),
];

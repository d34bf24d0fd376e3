//! Alarms and what they watch.

use super::{Mutation, at, t};
use crate::watch;

pub(super) const MUTATIONS: &[Mutation] = &[
    t(
        watch::alarms,
        "  LatePinsAlarm:",
        "      AlarmActions: [!Ref Alarms]\n",
        "",
        "LatePinsAlarm has no AlarmActions",
    ),
    t(
        watch::alarms,
        "  LatePinsAlarm:",
        "AlarmActions: [!Ref Alarms]",
        "AlarmActions: [!Ref Bus]",
        "LatePinsAlarm has no AlarmActions",
    ),
    t(
        watch::alarms,
        "  LatePinsAlarm:",
        "      OKActions: [!Ref Alarms]",
        "      OKActions: []",
        "LatePinsAlarm has no OKActions",
    ),
    t(
        watch::alarms,
        "  ThrottlesAlarm:",
        "AlarmDescription: >-",
        "Other: >-",
        "ThrottlesAlarm does not say what to do",
    ),
    t(watch::alarms, "  ThrottlesAlarm:", "      TreatMissingData: notBreaching\n", "", "what silence means"),
    t(
        watch::alarms,
        "  ThrottlesAlarm:",
        "      Statistic",
        "      ActionsEnabled: false\n      Statistic",
        "ThrottlesAlarm is mute",
    ),
    t(
        watch::dashboard,
        "  Dashboard:",
        " | SOURCE '${PinsLog}'",
        "",
        "errors in PinsLog are not on the dashboard",
    ),
    t(
        watch::metrics,
        "  DeliverAge:",
        "MetricValue: $.fields.oldest_due_age_s",
        "MetricValue: $.fields.age",
        "DeliverAge counts fields.age",
    ),
    t(
        watch::metrics,
        "  RefreshAboutToExpire:",
        "$.fields.about_to_expire = *",
        "$.about_to_expire = *",
        "RefreshAboutToExpire counts about_to_expire",
    ),
    t(watch::metrics, "  DeliverTrouble:", "ERROR", "FATAL", "DeliverTrouble counts level"),
    t(
        watch::metrics,
        "  DeliverAge:",
        "!Ref DeliverLog",
        "!Ref ApiLog",
        "DeliverAge counts fields.oldest_due_age_s, which no code logs",
    ),
    t(watch::metrics, "  DeliverAge:", "Pinwright/", "Other/", "DeliverAge counts for another product"),
    t(
        watch::metrics,
        "  LatePinsAlarm:",
        "MetricName: OldestPinAge",
        "MetricName: PinAge",
        "watches \"PinAge\", which nothing counts",
    ),
    t(
        watch::metrics,
        "  LatePinsAlarm:",
        "MetricName: OldestPinAge",
        "MetricName: PinAge",
        "\"OldestPinAge\" is counted",
    ),
    at(
        watch::metrics,
        "shared/app/src/handlers/due.rs",
        "",
        "tracing::warn!(oldest_due_age_s,",
        "tracing::warn!(",
        "counts fields.oldest_due_age_s, which no code logs",
    ),
    at(
        watch::metrics,
        "shared/app/src/handlers/refresh/daily.rs",
        "",
        "                about_to_expire,\n",
        "",
        "counts fields.about_to_expire, which no code logs",
    ),
];

//! `admin-save`: the integration's settings, and whether they work.

use domain::{AppSecret, Effective, Environment, Source, Status, Values, refresh::Probe, words};
use jiff::{SignedDuration, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tokio::join;

use crate::{
    Clock,
    error::Result,
    http::{self, Answer, Call, Response, Site},
    routes::Operation,
    secrets::SettingsSecret,
    setup::Setup,
    store::{MainTable, Worker},
};

/// Settings to save. What is absent stays as it is.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "SaveSettingsRequest")]
pub struct SaveSettings {
    /// Pinterest's App ID. Empty: the environment's counts again.
    #[serde(default)]
    #[schemars(length(max = 40))]
    app_id: Option<String>,
    /// Pinterest's App Secret ("App Secret Key" on Pinterest's page). Absent or empty: the stored one stays.
    #[serde(default)]
    #[schemars(with = "Option<String>", length(max = 512))]
    app_secret: Option<AppSecret>,
    /// Whether the integration runs.
    #[serde(default)]
    status: Option<Status>,
    /// Which of Pinterest's hosts new channels live on.
    #[serde(default)]
    environment: Option<Environment>,
}

/// The settings as they are. The secret itself is never answered.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Settings")]
pub struct SettingsView {
    app_id: Option<String>,
    app_id_source: Source,
    app_secret_set: bool,
    app_secret_source: Source,
    status: Status,
    status_source: Source,
    environment: Environment,
    environment_source: Source,
    /// What to paste at developers.pinterest.com, the one in use first.
    redirect_uris: Vec<String>,
    /// Whether App ID and App Secret are both known.
    configured: bool,
    worker: WorkerView,
}

/// A minute worker that has not run for longer is reported as stopped.
const WORKER_ALARM: SignedDuration = SignedDuration::from_mins(5);

/// Whether the workers run.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "WorkerStatus")]
struct WorkerView {
    /// When both minute workers had run last.
    last_tick_at: Option<Timestamp>,
    /// When the daily roll-call ran last.
    last_daily_at: Option<Timestamp>,
    /// Since when the oldest work waits.
    oldest_due_at: Option<Timestamp>,
    /// What is wrong, if the workers have not run for five minutes.
    detail: Option<String>,
    /// What to do about it.
    fix: Option<String>,
}

/// What Pinterest says to App ID and App Secret.
#[derive(Debug, Serialize, JsonSchema)]
pub struct CredentialsTest {
    result: TestResult,
    detail: String,
    fix: String,
    tested_at: Timestamp,
}

#[derive(Clone, Copy, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "CredentialsTestResult")]
enum TestResult {
    Ok,
    WrongAppIdOrSecret,
    Inconclusive,
    PinterestUnreachable,
    NotConfigured,
}

/// What `admin-save` may touch.
#[derive(Debug)]
pub struct AdminSave {
    secret: SettingsSecret,
    main: MainTable,
    pinterest: pinterest::Client,
    site: Site,
    clock: Clock,
}

impl AdminSave {
    /// Of its parts.
    #[must_use]
    pub fn new(secret: SettingsSecret, main: MainTable, pinterest: pinterest::Client, setup: &Setup) -> Self {
        Self { secret, main, pinterest, site: setup.site(), clock: setup.clock.clone() }
    }

    /// The settings as stored right now. Repairs the row that everyone else reads, if a save was cut off
    /// between the secret and the row.
    async fn read(&self, base_url: &str) -> Result<SettingsView> {
        let effective = Effective::of(self.secret.stored().await?, self.secret.env().clone());
        let (row, worker) = self.main.settings_and_worker().await?;
        let version = row.as_ref().map_or(0, |row| row.version);
        let shown = effective.shown(version);
        if row.as_ref() != Some(&shown) && (row.is_some() || effective.configured()) {
            self.main.save_settings(&effective.shown(version + 1), self.clock.now()).await?;
        }
        Ok(self.view(&effective, &worker, base_url))
    }

    /// Saves the secret, then the row without the secret.
    async fn save(&self, wanted: SaveSettings, base_url: &str) -> Result<SettingsView> {
        let app_id = wanted.app_id.as_deref().map(app_id).transpose()?;
        let app_secret = wanted.app_secret.as_ref().map(app_secret).transpose()?.flatten();
        let before = self.secret.stored().await?;
        let effective = self
            .secret
            .save(Values {
                app_id: app_id.unwrap_or(before.app_id),
                app_secret: app_secret.or(before.app_secret),
                status: wanted.status.or(before.status),
                environment: wanted.environment.or(before.environment),
            })
            .await?;
        let (row, worker) = self.main.settings_and_worker().await?;
        let version = row.map_or(0, |row| row.version) + 1;
        self.main.save_settings(&effective.shown(version), self.clock.now()).await?;
        Ok(self.view(&effective, &worker, base_url))
    }

    /// Asks Pinterest's token endpoint, which makes nothing, on the host that is selected.
    async fn test(&self) -> Result<CredentialsTest> {
        let effective = Effective::of(self.secret.stored().await?, self.secret.env().clone());
        let (result, detail, fix) = match (&effective.app_id.0, &effective.app_secret.0) {
            (Some(id), Some(secret)) => {
                let app = pinterest::App { id, secret };
                let (probe, answer) = self.pinterest.probe(effective.environment.0, app).await;
                verdict(probe, &answer)
            }
            _ => (
                TestResult::NotConfigured,
                words::NOT_CONFIGURED.to_owned(),
                "Enter App ID and App Secret and save, or set PINTEREST_APP_ID and PINTEREST_APP_SECRET.",
            ),
        };
        Ok(CredentialsTest { result, detail, fix: fix.to_owned(), tested_at: self.clock.now() })
    }

    fn view(&self, effective: &Effective, worker: &Worker, base_url: &str) -> SettingsView {
        SettingsView {
            app_id: effective.app_id.0.clone(),
            app_id_source: effective.app_id.1,
            app_secret_set: effective.app_secret.0.is_some(),
            app_secret_source: effective.app_secret.1,
            status: effective.status.0,
            status_source: effective.status.1,
            environment: effective.environment.0,
            environment_source: effective.environment.1,
            redirect_uris: self.site.redirect_uris(base_url),
            configured: effective.configured(),
            worker: WorkerView::of(worker, self.clock.now()),
        }
    }
}

impl WorkerView {
    fn of(worker: &Worker, now: Timestamp) -> Self {
        // Of two workers, the one that ran longer ago is the one to worry about. One that never ran is `None`, the least.
        let (name, last_tick_at) = if worker.delivered_at < worker.refreshed_at {
            ("deliver", worker.delivered_at)
        } else {
            ("refresh", worker.refreshed_at)
        };
        let late = last_tick_at.is_none_or(|last| now.duration_since(last) > WORKER_ALARM);
        let since = last_tick_at.map_or_else(|| "it was deployed".to_owned(), |last| last.to_string());
        Self {
            last_tick_at,
            last_daily_at: worker.rolled_at,
            oldest_due_at: [worker.deliver_oldest_at, worker.refresh_oldest_at].into_iter().flatten().min(),
            detail: late.then(|| format!("the {name} worker has not run since {since}")),
            fix: late.then(|| "check the stack's EventBridge rules".to_owned()),
        }
    }
}

fn verdict(probe: Probe, answer: &domain::Answer) -> (TestResult, String, &'static str) {
    let message = answer.message.as_deref().unwrap_or("no reason given");
    match probe {
        Probe::Right => (
            TestResult::Ok,
            "Pinterest accepts App ID and App Secret".to_owned(),
            "Nothing to do: connect an account.",
        ),
        Probe::Wrong => (
            TestResult::WrongAppIdOrSecret,
            format!("Pinterest refuses App ID or App Secret: {message}"),
            "Copy both again from developers.pinterest.com, My apps, your app; save, and test again.",
        ),
        Probe::Inconclusive => (
            TestResult::Inconclusive,
            format!("Pinterest refuses the test itself, which says nothing about the credentials: {message}"),
            "Connect an account to find out: the app may be waiting for approval, or may not use this grant on \
             Trial access.",
        ),
        Probe::Unreachable => (
            TestResult::PinterestUnreachable,
            "Pinterest did not answer".to_owned(),
            "Try again in a minute; Pinterest's status page tells whether it is down.",
        ),
    }
}

/// Empty means: nothing is stored.
fn app_id(text: &str) -> Result<Option<String>> {
    let text = text.trim();
    if text.len() > 40 || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        let fix = "Copy the App ID from developers.pinterest.com, My apps: it is a number.";
        let detail = "is not an App ID: those are decimal digits";
        return Err(domain::Invalid::new("app_id", "invalid_app_id", detail, fix).into());
    }
    Ok(Some(text.to_owned()).filter(|text| !text.is_empty()))
}

/// Empty means: the stored one stays.
fn app_secret(secret: &AppSecret) -> Result<Option<AppSecret>> {
    let text = secret.expose().trim();
    if text.len() > 512 || text.chars().any(|letter| letter.is_control() || letter.is_whitespace()) {
        let fix =
            "Copy the App Secret Key from developers.pinterest.com, My apps, without anything around it.";
        let detail = "holds white space or control characters, or is too long";
        return Err(domain::Invalid::new("app_secret", "invalid_app_secret", detail, fix).into());
    }
    Ok(Some(AppSecret::new(text.to_owned())).filter(|secret| !secret.expose().is_empty()))
}

impl Answer for AdminSave {
    fn site(&self) -> &Site {
        &self.site
    }

    async fn prepare(&self) -> Result<()> {
        let (settings, row) = join!(self.secret.effective(), self.main.settings_and_worker());
        settings?;
        row?;
        Ok(())
    }

    async fn answer(&self, call: Call) -> Result<Response<lambda_http::Body>> {
        match call.operation {
            Operation::ReadSettings => http::ok(&self.read(&call.base_url).await?),
            Operation::SaveSettings => http::ok(&self.save(http::json(&call)?, &call.base_url).await?),
            Operation::TestCredentials => http::ok(&self.test().await?),
            _ => Err(crate::Error::NotFound("address")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worker_that_stands_still_is_named() {
        let now = Timestamp::from_second(1_790_000_000).unwrap();
        let minutes_ago = |minutes| Some(now - SignedDuration::from_mins(minutes));
        let detail = |delivered_at, refreshed_at| {
            let worker = Worker { delivered_at, refreshed_at, ..Worker::default() };
            WorkerView::of(&worker, now).detail
        };

        assert_eq!(detail(minutes_ago(1), minutes_ago(5)), None);
        let stopped = |name: &str| Some(format!("the {name} worker has not run since 2026-09-21T14:03:20Z"));
        assert_eq!(detail(minutes_ago(10), minutes_ago(1)), stopped("deliver"));
        assert_eq!(detail(minutes_ago(1), minutes_ago(10)), stopped("refresh"));
        let never = Some("the deliver worker has not run since it was deployed".to_owned());
        assert_eq!(detail(None, minutes_ago(1)), never);
    }
}

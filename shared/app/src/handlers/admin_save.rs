//! `admin-save`: reads, saves and tests the integration's settings.

use adapters::SettingsSecret;
use domain::{
    AppSecret, Environment, PartialSettings, ResolvedSettings, ResponseMeta, Source, Status, phrases,
    refresh::CredentialCheck,
};
use edge::{ApiRequest, Body, Handler, Response, SiteConfig, json, ok};
use jiff::{SignedDuration, Timestamp};
use platform::Clock;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use store::{MainTable, WorkerStatus};
use tokio::join;

use crate::{
    error::{Error, Result},
    operations::SettingsOperation,
    problems::failed,
    setup::Setup,
};

/// Settings to save. An absent field keeps its value.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "SaveSettingsRequest")]
pub struct SaveSettings {
    /// Pinterest's App ID. If empty, the environment's App ID applies again.
    #[serde(default)]
    #[schemars(length(max = 40))]
    app_id: Option<String>,
    /// Pinterest's App Secret ("App Secret Key" on Pinterest's page). If absent or empty, the stored one stays.
    #[serde(default)]
    #[schemars(with = "Option<String>", length(max = 512))]
    app_secret: Option<AppSecret>,
    /// Whether the integration runs.
    #[serde(default)]
    status: Option<Status>,
    /// Pinterest's host for new channels.
    #[serde(default)]
    environment: Option<Environment>,
}

/// The current settings. The secret itself is never returned.
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
    /// The redirect URIs to register at developers.pinterest.com, the current one first.
    redirect_uris: Vec<String>,
    /// Whether App ID and App Secret are both known.
    configured: bool,
    worker: WorkerView,
}

/// A minute worker that has not run for longer is reported as stopped.
const WORKER_TIMEOUT: SignedDuration = SignedDuration::from_mins(5);

/// Whether the workers run.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "WorkerStatus")]
struct WorkerView {
    /// The older of the last runs of `deliver` and `refresh`.
    #[serde(serialize_with = "domain::instant::optional::serialize")]
    last_tick_at: Option<Timestamp>,
    /// When the daily check ran last.
    #[serde(serialize_with = "domain::instant::optional::serialize")]
    last_daily_at: Option<Timestamp>,
    /// The due time of the oldest work that no worker has done.
    #[serde(serialize_with = "domain::instant::optional::serialize")]
    oldest_due_at: Option<Timestamp>,
    /// What is wrong, if the workers have not run for five minutes.
    detail: Option<String>,
    /// What to do about it.
    fix: Option<String>,
}

/// Pinterest's answer to App ID and App Secret.
#[derive(Debug, Serialize, JsonSchema)]
pub struct CredentialsTest {
    result: TestResult,
    detail: String,
    fix: String,
    #[serde(serialize_with = "domain::instant::serialize")]
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

/// What `admin-save` may use.
#[derive(Debug)]
pub struct AdminSave {
    secret: SettingsSecret,
    main: MainTable,
    pinterest: pinterest::Client,
    site: SiteConfig,
    clock: Clock,
}

impl AdminSave {
    #[must_use]
    pub fn new(secret: SettingsSecret, main: MainTable, pinterest: pinterest::Client, setup: &Setup) -> Self {
        Self { secret, main, pinterest, site: setup.site(), clock: setup.clock.clone() }
    }

    /// The settings as they are stored now. It also repairs the row that the other functions read, if an earlier save ended
    /// between the secret and the row.
    async fn read(&self, base_url: &str) -> Result<SettingsView> {
        let resolved = ResolvedSettings::new(self.secret.stored().await?, self.secret.env().clone());
        let (row, worker) = self.main.settings_and_worker().await?;
        let version = row.as_ref().map_or(0, |row| row.version);
        let public = resolved.public(version);
        if row.as_ref() != Some(&public) && (row.is_some() || resolved.configured()) {
            self.main.save_settings(&resolved.public(version + 1), self.clock.now()).await?;
        }
        Ok(self.view(&resolved, &worker, base_url))
    }

    /// Saves the secret, then the row without the secret.
    async fn save(&self, wanted: SaveSettings, base_url: &str) -> Result<SettingsView> {
        let app_id = wanted.app_id.as_deref().map(app_id).transpose()?;
        let app_secret = wanted.app_secret.as_ref().map(app_secret).transpose()?.flatten();
        let before = self.secret.stored().await?;
        let resolved = self
            .secret
            .save(PartialSettings {
                app_id: app_id.unwrap_or(before.app_id),
                app_secret: app_secret.or(before.app_secret),
                status: wanted.status.or(before.status),
                environment: wanted.environment.or(before.environment),
            })
            .await?;
        let (row, worker) = self.main.settings_and_worker().await?;
        let version = row.map_or(0, |row| row.version) + 1;
        self.main.save_settings(&resolved.public(version), self.clock.now()).await?;
        Ok(self.view(&resolved, &worker, base_url))
    }

    /// Calls the token endpoint of the selected host, which creates nothing.
    async fn test(&self) -> Result<CredentialsTest> {
        let resolved = ResolvedSettings::new(self.secret.stored().await?, self.secret.env().clone());
        let (result, detail, fix) = match (&resolved.app_id.value, &resolved.app_secret.value) {
            (Some(id), Some(secret)) => {
                let app = pinterest::App { id, secret };
                let environment = resolved.environment.value;
                let (check, response) = self.pinterest.check_credentials(environment, app).await;
                verdict(check, &response)
            }
            _ => (
                TestResult::NotConfigured,
                phrases::NOT_CONFIGURED.text.to_owned(),
                "Enter App ID and App Secret and save, or set PINTEREST_APP_ID and PINTEREST_APP_SECRET.",
            ),
        };
        Ok(CredentialsTest { result, detail, fix: fix.to_owned(), tested_at: self.clock.now() })
    }

    fn view(&self, resolved: &ResolvedSettings, worker: &WorkerStatus, base_url: &str) -> SettingsView {
        SettingsView {
            app_id: resolved.app_id.value.clone(),
            app_id_source: resolved.app_id.source,
            app_secret_set: resolved.app_secret.value.is_some(),
            app_secret_source: resolved.app_secret.source,
            status: resolved.status.value,
            status_source: resolved.status.source,
            environment: resolved.environment.value,
            environment_source: resolved.environment.source,
            redirect_uris: self.site.redirect_uris(base_url),
            configured: resolved.configured(),
            worker: WorkerView::new(worker, self.clock.now()),
        }
    }
}

impl WorkerView {
    fn new(worker: &WorkerStatus, now: Timestamp) -> Self {
        // The worker whose last run is older counts. `None`, which is the smallest value, is a worker that never ran.
        let (name, last_tick_at) = if worker.delivered_at < worker.refreshed_at {
            ("deliver", worker.delivered_at)
        } else {
            ("refresh", worker.refreshed_at)
        };
        let late = last_tick_at.is_none_or(|last| now.duration_since(last) > WORKER_TIMEOUT);
        let since = last_tick_at.map_or_else(|| "it was deployed".to_owned(), |last| last.to_string());
        Self {
            last_tick_at,
            last_daily_at: worker.daily_check_at,
            oldest_due_at: [worker.deliver_oldest_at, worker.refresh_oldest_at].into_iter().flatten().min(),
            detail: late.then(|| format!("the {name} worker has not run since {since}")),
            fix: late.then(|| "check the stack's EventBridge rules".to_owned()),
        }
    }
}

fn verdict(check: CredentialCheck, response: &ResponseMeta) -> (TestResult, String, &'static str) {
    let message = response.message.as_deref().unwrap_or("no reason given");
    match (check, response.http_status) {
        (CredentialCheck::Right, _) => (
            TestResult::Ok,
            "Pinterest accepts App ID and App Secret".to_owned(),
            "Nothing to do: connect an account.",
        ),
        (CredentialCheck::Wrong, _) => (
            TestResult::WrongAppIdOrSecret,
            format!("Pinterest refuses App ID or App Secret: {message}"),
            "Copy both again from developers.pinterest.com, My apps, your app; save, and test again.",
        ),
        (CredentialCheck::Inconclusive, Some(429)) => (
            TestResult::Inconclusive,
            format!("Pinterest's rate limit is used up, which says nothing about the credentials: {message}"),
            "Wait a minute, and test again; on Trial access, the limit is a day's.",
        ),
        (CredentialCheck::Inconclusive, Some(200..=299)) => (
            TestResult::Inconclusive,
            "Pinterest answered in an unknown form, which says nothing about the credentials".to_owned(),
            "Connect an account to find out.",
        ),
        (CredentialCheck::Inconclusive, _) => (
            TestResult::Inconclusive,
            format!("Pinterest refuses the test itself, which says nothing about the credentials: {message}"),
            "Connect an account to find out: the app may be waiting for approval, or may not use this grant on \
             Trial access.",
        ),
        (CredentialCheck::Unreachable, status) => (
            TestResult::PinterestUnreachable,
            status.map_or_else(|| "Pinterest did not answer".to_owned(), |_| failed(response)),
            "Try again in a minute; Pinterest's status page tells whether it is down.",
        ),
    }
}

/// Empty: nothing is stored.
fn app_id(text: &str) -> Result<Option<String>> {
    let text = text.trim();
    if text.len() > 40 || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        let fix = "Copy the App ID from developers.pinterest.com, My apps: it is a number.";
        let detail = "is not an App ID: those are decimal digits";
        return Err(domain::Invalid::new("app_id", "invalid_app_id", detail, fix).into());
    }
    Ok(Some(text.to_owned()).filter(|text| !text.is_empty()))
}

/// Empty: the stored one stays.
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

impl Handler for AdminSave {
    type Operation = SettingsOperation;
    type Error = Error;

    fn site(&self) -> &SiteConfig {
        &self.site
    }

    async fn prepare(&self) -> Result<()> {
        let (settings, row) = join!(self.secret.resolved(), self.main.settings_and_worker());
        settings?;
        row?;
        Ok(())
    }

    async fn handle(&self, operation: SettingsOperation, request: ApiRequest) -> Result<Response<Body>> {
        let base_url = &request.base_url;
        Ok(match operation {
            SettingsOperation::Read => ok(&self.read(base_url).await?)?,
            SettingsOperation::Save => ok(&self.save(json(&request)?, base_url).await?)?,
            SettingsOperation::TestCredentials => ok(&self.test().await?)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stopped_worker_is_named() {
        let now = Timestamp::from_second(1_790_000_000).unwrap();
        let minutes_ago = |minutes| Some(now - SignedDuration::from_mins(minutes));
        let detail = |delivered_at, refreshed_at| {
            let worker = WorkerStatus { delivered_at, refreshed_at, ..WorkerStatus::default() };
            WorkerView::new(&worker, now).detail
        };

        assert_eq!(detail(minutes_ago(1), minutes_ago(5)), None);
        let stopped = |name: &str| Some(format!("the {name} worker has not run since 2026-09-21T14:03:20Z"));
        assert_eq!(detail(minutes_ago(10), minutes_ago(1)), stopped("deliver"));
        assert_eq!(detail(minutes_ago(1), minutes_ago(10)), stopped("refresh"));
        let never_run = Some("the deliver worker has not run since it was deployed".to_owned());
        assert_eq!(detail(None, minutes_ago(1)), never_run);
    }
}

// @ts-check
/**
 * The settings of the integration: App ID and App Secret, a test of both, and the state of the background
 * workers.
 */

import { callApi } from "./api.js";
import { button, externalLink, field, fill, form, h, select } from "./dom.js";
import * as session from "./session.js";
import { formatTime, relativeTime, t, textOr } from "./text.js";
import { copyButton, outcomeArea, problemBox, skeleton } from "./widgets.js";

const SETTINGS = "/api/v1/admin/integrations/pinterest";
const DEVELOPER_SITE = "https://developers.pinterest.com/apps/";

/** @type {Page} */
export default async function page(main, signal) {
  const container = h("div", {}, skeleton(8));
  fill(main, h("h1", {}, t("admin.title")), container);
  try {
    /** @type {IntegrationSettings} */
    const settings = await callApi("GET", SETTINGS, { signal });
    fill(container, await simulatorHint(), settingsCards(settings), setupGuide());
  } catch (error) {
    if (!signal.aborted)
      fill(
        container,
        problemBox(error, () => page(main, signal)),
        setupGuide(),
      );
  }
}

/** @param {IntegrationSettings} settings */
function settingsCards(settings) {
  const workerCard = h("section", { class: "card", "aria-label": t("admin.workers") });
  const showWorkers = (/** @type {IntegrationSettings} */ current) =>
    fill(workerCard, ...workerStatus(current.worker));
  showWorkers(settings);
  return [settingsForm(settings, showWorkers), redirectUris(settings.redirect_uris), workerCard];
}

/**
 * @param {IntegrationSettings} settings
 * @param {(saved: IntegrationSettings) => void} onSaved
 */
function settingsForm(settings, onSaved) {
  const appId = h("input", {
    value: settings.app_id ?? "",
    inputmode: "numeric",
    autocomplete: "off",
    spellcheck: "false",
  });
  const appSecret = h("input", { type: "password", autocomplete: "new-password", spellcheck: "false" });
  const status = h("input", { type: "checkbox", checked: settings.status === "enabled" });
  /** @type {[string, string][]} */
  const environments = [
    ["sandbox", "Sandbox"],
    ["production", "Production"],
  ];
  const environment = select(environments, settings.environment);
  const appIdSource = h("span");
  const appSecretSource = h("span");
  const statusSource = h("span");
  const environmentSource = h("span");
  const outcome = outcomeArea();

  /** @param {IntegrationSettings} current */
  const showSources = (current) => {
    fill(appIdSource, sourceTag(current.app_id_source));
    fill(appSecretSource, sourceTag(current.app_secret_source));
    fill(statusSource, sourceTag(current.status_source));
    fill(environmentSource, sourceTag(current.environment_source));
    appSecret.placeholder = current.app_secret_set ? t("admin.secret.kept") : "";
    appSecret.value = "";
  };
  showSources(settings);

  const save = async () => {
    const body = {
      app_id: appId.value.trim(),
      ...(appSecret.value ? { app_secret: appSecret.value } : {}),
      status: status.checked ? "enabled" : "disabled",
      environment: environment.value,
    };
    const saved = await callApi("PUT", SETTINGS, { body });
    showSources(saved);
    onSaved(saved);
  };
  const testCredentials = () => outcome.run(() => callApi("POST", `${SETTINGS}/test`), testResult);

  return form(
    () => outcome.run(save, () => t("admin.saved")),
    { class: "card" },
    field("App ID", appId, [t("admin.id.hint"), " ", appIdSource]),
    field("App Secret", appSecret, [t("admin.secret.hint"), " ", appSecretSource]),
    h(
      "fieldset",
      {},
      h("legend", {}, "Status"),
      h("label", { class: "check" }, status, "Enable"),
      h("p", { class: "hint" }, statusSource),
    ),
    field("Environment", environment, [t("admin.environment.hint"), " ", environmentSource]),
    h(
      "div",
      { class: "row" },
      h("button", { class: "main" }, "Save"),
      button("Test credentials", testCredentials),
    ),
    outcome.element,
  );
}

/** @param {SettingSource} source */
function sourceTag(source) {
  return h("em", { class: `source ${source}` }, t(`admin.source.${source}`));
}

/** @param {CredentialTest} test */
function testResult({ result, detail, fix, tested_at: testedAt }) {
  const isOk = result === "ok";
  const message = textOr(`test.${result}`, detail);
  return h(
    "div",
    { class: `${isOk ? "good" : "bad"} box`, role: "status", "data-result": result },
    h("p", {}, h("strong", {}, message)),
    isOk || message === detail ? null : h("p", { class: "hint" }, detail),
    h("p", {}, textOr(`test.${result}.fix`, fix)),
    h("p", { class: "hint" }, formatTime(testedAt)),
  );
}

/** @param {string[]} addresses */
function redirectUris(addresses) {
  const items = addresses.map((address, index) => {
    const note = index > 0 ? h("span", { class: "hint" }, t("admin.redirect.also")) : null;
    return h("li", { class: "row" }, h("code", {}, address), copyButton(address), note);
  });
  return h(
    "section",
    { class: "card" },
    h("h2", {}, t("admin.redirect")),
    h("p", {}, t("admin.redirect.hint")),
    h("ul", { class: "bare" }, items),
  );
}

/** @param {WorkerStatus} status */
function workerStatus({
  last_tick_at: lastTick,
  last_daily_at: lastDaily,
  oldest_due_at: oldestDue,
  detail,
  fix,
}) {
  const line = (/** @type {string} */ label, /** @type {string | null} */ time) => {
    const value = time
      ? [formatTime(time), " ", h("span", { class: "hint" }, relativeTime(time))]
      : t("never");
    return [h("dt", {}, label), h("dd", {}, value)];
  };
  return [
    h("h2", {}, t("admin.workers")),
    detail
      ? h("div", { class: "bad box", role: "alert" }, h("p", {}, h("strong", {}, detail)), h("p", {}, fix))
      : h("p", { class: "good" }, t("admin.workers.run")),
    h(
      "dl",
      {},
      line(t("admin.workers.tick"), lastTick),
      line(t("admin.workers.daily"), lastDaily),
      oldestDue ? line(t("admin.workers.oldest"), oldestDue) : [],
    ),
  ];
}

/** On a local stack: the credentials that the simulated Pinterest accepts. */
async function simulatorHint() {
  if (session.settings.sign_in !== "development") return null;
  const status = await fetch("/dev/pinterest")
    .then((response) => response.json())
    .catch(() => null);
  const app = status?.simulated;
  if (!app) return null;
  return h(
    "p",
    { class: "box warning" },
    t("admin.simulated"),
    " App ID ",
    h("code", {}, app.app_id),
    ", App Secret ",
    h("code", {}, app.app_secret),
  );
}

/** How to get an App ID and App Secret from Pinterest. */
function setupGuide() {
  /** @type {TextKey[]} */
  const steps = [
    "guide.business",
    "guide.app",
    "guide.redirect",
    "guide.copy",
    "guide.trial",
    "guide.standard",
  ];
  return h(
    "section",
    { class: "card guide" },
    h("h2", {}, t("guide.title")),
    h(
      "ol",
      {},
      steps.map((step) => h("li", {}, t(step))),
    ),
    h("p", {}, externalLink(DEVELOPER_SITE, t("guide.open"))),
  );
}

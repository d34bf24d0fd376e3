// @ts-check
/** The integration's settings: App ID and App Secret, whether they work, and whether the workers run. */

import { call } from "./api.js";
import { button, field, fill, form, h, outward, select } from "./dom.js";
import { copier, outcome, problem, soon } from "./parts.js";
import * as session from "./session.js";
import { away, known, moment, t } from "./text.js";

const SETTINGS = "/api/v1/admin/integrations/pinterest";
const DEVELOPERS = "https://developers.pinterest.com/apps/";

/** @type {import("./app.js").Page} */
export default async function page(main, signal) {
  const place = h("div", {}, soon(8));
  fill(main, h("h1", {}, t("admin.title")), place);
  try {
    const settings = await call("GET", SETTINGS, { signal });
    fill(place, await simulated(), parts(settings), guide());
  } catch (error) {
    if (!signal.aborted) fill(place, problem(error, () => page(main, signal)), guide());
  }
}

/** @param {any} settings */
function parts(settings) {
  const worker = h("section", { class: "card", "aria-label": t("admin.workers") });
  const saving = settingsForm(settings, (/** @type {any} */ saved) => fill(worker, ...workers(saved.worker)));
  fill(worker, ...workers(settings.worker));
  return [saving, redirects(settings.redirect_uris), worker];
}

/**
 * @param {any} settings
 * @param {(saved: any) => void} onsaved
 */
function settingsForm(settings, onsaved) {
  const id = h("input", { value: settings.app_id ?? "", inputmode: "numeric", autocomplete: "off", spellcheck: "false" });
  const secret = h("input", { type: "password", autocomplete: "new-password", spellcheck: "false" });
  const status = h("input", { type: "checkbox", checked: settings.status === "enabled" });
  const environment = select([["sandbox", "Sandbox"], ["production", "Production"]], settings.environment);
  const idSource = h("span");
  const secretSource = h("span");
  const statusSource = h("span");
  const environmentSource = h("span");
  const { place, of } = outcome();

  /** @param {any} shown */
  const show = (shown) => {
    fill(idSource, source(shown.app_id_source));
    fill(secretSource, source(shown.app_secret_source));
    fill(statusSource, source(shown.status_source));
    fill(environmentSource, source(shown.environment_source));
    secret.placeholder = shown.app_secret_set ? t("admin.secret.kept") : "";
    secret.value = "";
  };
  show(settings);

  const save = () =>
    of(
      async () => {
        const saved = await call("PUT", SETTINGS, {
          body: {
            app_id: id.value.trim(),
            ...(secret.value ? { app_secret: secret.value } : {}),
            status: status.checked ? "enabled" : "disabled",
            environment: environment.value,
          },
        });
        show(saved);
        onsaved(saved);
      },
      () => t("admin.saved"),
    );
  const test = () => of(() => call("POST", `${SETTINGS}/test`), tested);

  return form(
    save,
    { class: "card" },
    field("App ID", id, [t("admin.id.hint"), " ", idSource]),
    field("App Secret", secret, [t("admin.secret.hint"), " ", secretSource]),
    h("fieldset", {}, h("legend", {}, "Status"), h("label", { class: "check" }, status, "Enable"), h("p", { class: "hint" }, statusSource)),
    field("Environment", environment, [t("admin.environment.hint"), " ", environmentSource]),
    h(
      "div",
      { class: "row" },
      h("button", { class: "main" }, "Save"),
      button("Test credentials", test),
    ),
    place,
  );
}

/**
 * Where a value comes from.
 * @param {"stored" | "env" | "none"} from
 */
function source(from) {
  return h("em", { class: `source ${from}` }, t(`admin.source.${from}`));
}

/** @param {{ result: string, detail: string, fix: string, tested_at: string }} test */
function tested({ result, detail, fix, tested_at: at }) {
  return h(
    "div",
    { class: `${result === "ok" ? "good" : "bad"} box`, role: "status", "data-result": result },
    h("p", {}, h("strong", {}, known(`test.${result}`, detail))),
    result === "ok" || known(`test.${result}`, "") === "" ? null : h("p", { class: "hint" }, detail),
    h("p", {}, known(`test.${result}.fix`, fix)),
    h("p", { class: "hint" }, moment(at)),
  );
}

/** @param {string[]} addresses */
function redirects(addresses) {
  const rows = addresses.map((address, position) =>
    h("li", { class: "row" }, h("code", {}, address), copier(address), position ? h("span", { class: "hint" }, t("admin.redirect.also")) : null),
  );
  return h("section", { class: "card" }, h("h2", {}, t("admin.redirect")), h("p", {}, t("admin.redirect.hint")), h("ul", { class: "bare" }, rows));
}

/** @param {any} worker */
function workers({ last_tick_at: tick, last_daily_at: daily, oldest_due_at: oldest, detail, fix }) {
  const line = (/** @type {string} */ label, /** @type {string | null} */ at) => [
    h("dt", {}, label),
    h("dd", {}, at ? [moment(at), " ", h("span", { class: "hint" }, away(at))] : t("never")),
  ];
  return [
    h("h2", {}, t("admin.workers")),
    detail
      ? h("div", { class: "bad box", role: "alert" }, h("p", {}, h("strong", {}, detail)), h("p", {}, fix))
      : h("p", { class: "good" }, t("admin.workers.run")),
    h("dl", {}, line(t("admin.workers.tick"), tick), line(t("admin.workers.daily"), daily), oldest ? line(t("admin.workers.oldest"), oldest) : []),
  ];
}

/** Locally: what the simulated Pinterest takes in place of an app at the real one. */
async function simulated() {
  if (session.settings.sign_in !== "development") return null;
  const told = await fetch("/dev/pinterest")
    .then((answer) => answer.json())
    .catch(() => null);
  const app = told?.simulated;
  return app ? h("p", { class: "box warning" }, t("admin.simulated"), " App ID ", h("code", {}, app.app_id), ", App Secret ", h("code", {}, app.app_secret)) : null;
}

/** For somebody who has never been at developers.pinterest.com. */
function guide() {
  /** @type {import("./text.js").Key[]} */
  const steps = ["guide.business", "guide.app", "guide.redirect", "guide.copy", "guide.trial", "guide.standard"];
  return h(
    "section",
    { class: "card guide" },
    h("h2", {}, t("guide.title")),
    h("ol", {}, steps.map((step) => h("li", {}, t(step)))),
    h("p", {}, outward(DEVELOPERS, t("guide.open"))),
  );
}

// @ts-check
/**
 * Who is signed in. Tokens live in this page's memory and nowhere else.
 *
 * Deployed: the code flow of OpenID Connect with PKCE (RFC 7636, RFC 9700 section 2.1.1), by sending the browser to the
 * issuer first, and in a window of its own where work would be lost otherwise. Locally: the development sign-in.
 */

import { button, dialog, field, form, h } from "./dom.js";
import { t } from "./text.js";

/**
 * @typedef {object} Settings how people sign in here, as the function knows it
 * @property {"development" | "oidc" | "none"} sign_in
 * @property {string} [issuer]
 * @property {string} [client_id]
 * @property {string} [scope]
 * @property {string} admin_scope
 * @property {string} groups_claim
 * @property {string} admin_group
 */

/** @type {Settings} */
export const settings = JSON.parse(/** @type {HTMLMetaElement} */ (document.querySelector('meta[name="pinwright"]')).content);

/** Where the issuer sends the browser back to. It is registered there. */
const CALLBACK = `${location.origin}/app/sign-in`;

/** @typedef {{ token: string, refresh?: string, until: number }} Tokens `until`: milliseconds since 1970 */

/** @type {Tokens | null} */
let tokens = null;
/** @type {string} */
let name = "";
/** @type {Promise<void> | null} */
let renewing = null;
/** @type {{ authorization_endpoint: string, token_endpoint: string, end_session_endpoint?: string } | null} */
let provider = null;

/** Whoever is signed in, as far as the token says. */
export function person() {
  if (!tokens) return null;
  const claims = claimsOf(tokens.token);
  const groups = [claims[settings.groups_claim] ?? []].flat();
  const admin = String(claims.scope ?? "").split(" ").includes(settings.admin_scope) || groups.includes(settings.admin_group);
  return { name: name || String(claims.username ?? claims.sub ?? ""), admin };
}

/** A token that is still good, for the `Authorization` header. */
export async function token() {
  if (!tokens || tokens.until < Date.now()) await renew();
  return /** @type {Tokens} */ (tokens).token;
}

/** Gets a new token, asking the person where nothing else helps. Many callers wait for one sign-in. */
export function renew() {
  renewing ??= again().finally(() => {
    renewing = null;
  });
  return renewing;
}

async function again() {
  const before = tokens;
  tokens = null;
  if (settings.sign_in === "oidc" && before?.refresh && (await refreshed(before.refresh))) return;
  if (settings.sign_in === "development" && remembered() && (await developer(remembered()))) return;
  await dialog(
    t("session.ended"),
    (close) => [
      h("p", {}, t("session.ended.hint")),
      settings.sign_in === "oidc"
        ? button(t("session.sign-in"), async () => void ((await inWindow()) && close()), { class: "main" })
        : developmentForm(close),
    ],
    // There is no going on without a token, here or on another page.
    { "data-stays": true, oncancel: (/** @type {Event} */ event) => event.preventDefault() },
  );
}

/**
 * Signs in as the page opens: with what the issuer has sent along, or with what this tab remembers.
 * @returns {Promise<string | null>} where to go on, if it is certain already
 */
export async function open() {
  if (location.pathname === "/app/sign-in") return arrived();
  if (settings.sign_in === "development" && remembered()) await developer(remembered());
  if (settings.sign_in === "oidc" && sessionStorage.getItem("signed-in")) await leave(location.pathname + location.search + location.hash);
  return null;
}

/**
 * What stands where a page would, for somebody who is not signed in.
 * @param {() => void} done
 */
export function signInPage(done) {
  const ways = {
    development: () => developmentForm(done),
    oidc: () => button(t("session.sign-in"), () => leave(location.pathname + location.search + location.hash), { class: "main" }),
    none: () => h("p", { class: "warning" }, t("session.none", { address: CALLBACK })),
  };
  return h("section", { class: "card narrow" }, h("h1", {}, t("session.title")), h("p", {}, t("session.about")), ways[settings.sign_in]());
}

/** Forgets the tokens, here and at the issuer. */
export async function signOut() {
  tokens = null;
  sessionStorage.removeItem("signed-in");
  sessionStorage.removeItem("developer");
  const end = settings.sign_in === "oidc" && (await discover()).end_session_endpoint;
  if (!end) return location.assign("/app/channels");
  // `logout_uri` is what Cognito calls it; the other name is OpenID Connect's (RP-Initiated Logout 1.0, section 2).
  const query = { client_id: settings.client_id ?? "", post_logout_redirect_uri: CALLBACK, logout_uri: CALLBACK };
  location.assign(`${end}?${new URLSearchParams(query)}`);
}

// ---- Development ---------------------------------------------------------------------------------------------------

/** @typedef {{ sub: string, admin: boolean }} Developer */

/** @returns {Developer} */
function remembered() {
  return JSON.parse(sessionStorage.getItem("developer") ?? "null");
}

/** @param {Developer} who */
async function developer(who) {
  const answer = await fetch("/dev/token", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(who),
  }).catch(() => null);
  if (!answer?.ok) return false;
  const { token } = await answer.json();
  sessionStorage.setItem("developer", JSON.stringify(who)); // who it is, never the token
  keep(token, undefined, undefined, who.sub);
  return true;
}

/** @param {() => void} done */
function developmentForm(done) {
  const sub = h("input", { value: "ada", required: true, autocomplete: "username" });
  const admin = h("input", { type: "checkbox", checked: true });
  const refused = h("p", { class: "bad", role: "alert" });
  const submit = async () => {
    if (await developer({ sub: sub.value, admin: admin.checked })) done();
    else refused.textContent = t("session.refused");
  };
  return form(
    submit,
    {},
    field(t("session.name"), sub, t("session.name.hint")),
    h("label", { class: "check" }, admin, t("session.admin")),
    refused,
    h("button", { class: "main" }, t("session.sign-in")),
  );
}

// ---- OpenID Connect ------------------------------------------------------------------------------------------------

async function discover() {
  provider ??= await fetch(`${settings.issuer}/.well-known/openid-configuration`).then((answer) => answer.json());
  return /** @type {NonNullable<typeof provider>} */ (provider);
}

/** @param {Uint8Array} bytes */
const base64url = (bytes) => btoa(String.fromCharCode(...bytes)).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
const secret = () => base64url(crypto.getRandomValues(new Uint8Array(32)));

/**
 * The issuer's page for one sign-in, and what has to be remembered until it is over.
 * @param {string} back
 */
async function begin(back) {
  const flow = { state: secret(), verifier: secret(), back };
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(flow.verifier));
  const query = new URLSearchParams({
    response_type: "code",
    client_id: settings.client_id ?? "",
    redirect_uri: CALLBACK,
    scope: settings.scope ?? "openid",
    state: flow.state,
    code_challenge: base64url(new Uint8Array(digest)),
    code_challenge_method: "S256",
  });
  return { flow, address: `${(await discover()).authorization_endpoint}?${query}` };
}

/** @param {string} back */
async function leave(back) {
  const { flow, address } = await begin(back);
  sessionStorage.setItem("sign-in", JSON.stringify(flow));
  location.assign(address);
  await new Promise(() => {}); // the page ends here
}

/** The issuer has sent the browser back: to the tab that left, or to a window that a page is waiting for. */
async function arrived() {
  const told = Object.fromEntries(new URLSearchParams(location.search));
  const flow = JSON.parse(sessionStorage.getItem("sign-in") ?? "null");
  sessionStorage.removeItem("sign-in");
  history.replaceState(null, "", "/app/sign-in"); // the code is nobody's business any more
  if (flow && told.code && told.state === flow.state) {
    return (await exchange(told.code, flow.verifier)) ? flow.back : "/app/channels";
  }
  sessionStorage.removeItem("signed-in");
  if (told.code) {
    new BroadcastChannel("sign-in").postMessage(told);
    window.close();
  }
  return "/app/channels";
}

/** Signs in in a window of its own, so that what is on this page stays. */
async function inWindow() {
  const popup = window.open("about:blank", "sign-in", "popup,width=480,height=720"); // before anything is awaited
  const { flow, address } = await begin("");
  if (popup) popup.location.href = address;
  else return false;
  const channel = new BroadcastChannel("sign-in");
  /** @type {Promise<string>} */
  const code = new Promise((resolve) => {
    channel.onmessage = ({ data }) => data.state === flow.state && resolve(data.code);
  });
  const signedIn = await exchange(await code, flow.verifier);
  channel.close();
  return signedIn;
}

/**
 * @param {string} code
 * @param {string} verifier
 */
const exchange = (code, verifier) =>
  ask({ grant_type: "authorization_code", code, code_verifier: verifier, redirect_uri: CALLBACK });

/** @param {string} refresh */
const refreshed = (refresh) => ask({ grant_type: "refresh_token", refresh_token: refresh }, refresh);

/**
 * The token endpoint (RFC 6749, section 3.2), as a public client.
 * @param {Record<string, string>} grant
 * @param {string} [before] the refresh token that stays good unless a new one comes
 */
async function ask(grant, before) {
  const body = new URLSearchParams({ client_id: settings.client_id ?? "", ...grant });
  const answer = await fetch((await discover()).token_endpoint, { method: "POST", body }).catch(() => null);
  if (!answer?.ok) return false;
  const told = await answer.json();
  const whose = told.id_token ? claimsOf(told.id_token) : {};
  keep(told.access_token, told.refresh_token ?? before, told.expires_in, String(whose.email ?? whose.name ?? name));
  sessionStorage.setItem("signed-in", "yes");
  return true;
}

// ---- Tokens --------------------------------------------------------------------------------------------------------

/**
 * @param {string} token
 * @param {string | undefined} refresh
 * @param {number | undefined} seconds how long it lasts, if that was said
 * @param {string} whose
 */
function keep(token, refresh, seconds, whose) {
  const early = 30_000; // a token that dies on its way is of no use
  tokens = { token, refresh, until: seconds ? Date.now() + seconds * 1000 - early : Infinity };
  name = whose;
}

/**
 * What a token says, for what is shown. The API decides by its own look at it.
 * @param {string} jwt
 * @returns {Record<string, any>}
 */
function claimsOf(jwt) {
  try {
    const payload = jwt.split(".")[1].replaceAll("-", "+").replaceAll("_", "/");
    return JSON.parse(new TextDecoder().decode(Uint8Array.from(atob(payload), (letter) => letter.charCodeAt(0))));
  } catch {
    return {}; // an opaque token: the API knows what it is
  }
}

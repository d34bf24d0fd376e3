// @ts-check
/**
 * Sign-in and tokens. Tokens are kept in this page's memory only.
 *
 * A deployed stack uses OpenID Connect: the authorization code flow with PKCE (RFC 7636, RFC 9700 section
 * 2.1.1). The browser goes to the issuer first; where unsaved work would be lost, a popup is used instead. A
 * local stack uses the development sign-in.
 */

import { button, dialog, field, form, h } from "./dom.js";
import { t } from "./text.js";

const settingsElement = /** @type {HTMLMetaElement} */ (document.querySelector('meta[name="pinwright"]'));
/** @type {SignInSettings} */
export const settings = JSON.parse(settingsElement.content);

/** The redirect URI that is registered at the issuer. */
const REDIRECT_URI = `${location.origin}/app/sign-in`;

/** A token is renewed this long before it expires, so that it does not expire on its way to the server. */
const EXPIRY_MARGIN_MS = 30_000;

/** Keys of the session storage. No token is stored there. */
const SIGNED_IN = "signed-in";
const DEVELOPER = "developer";
const FLOW = "sign-in";

/** @type {Tokens | null} */
let tokens = null;
let userName = "";
/** @type {Promise<void> | null} */
let renewal = null;
/** @type {ProviderMetadata | null} */
let providerMetadata = null;

/**
 * The user who is signed in, as the token describes them.
 * @returns {User | null}
 */
export function currentUser() {
  if (!tokens) return null;
  const claims = decodeClaims(tokens.access);
  const scopes = [claims.scope ?? ""].flat().join(" ").split(" ");
  // As the API reads them: of a list it gets one text, in which a name with a blank looks like two.
  const groups = [claims[settings.groups_claim] ?? ""].flat().join(" ");
  const admin =
    scopes.includes(settings.admin_scope) ||
    groups === settings.admin_group ||
    (settings.several_groups && groups.split(" ").includes(settings.admin_group));
  return { name: userName || String(claims.username ?? claims.sub ?? ""), admin };
}

/** A valid access token for the `Authorization` header. */
export async function accessToken() {
  if (!tokens || tokens.expiresAt < Date.now()) await renewToken();
  return /** @type {Tokens} */ (tokens).access;
}

/** Gets a new token, and asks the user only if nothing else works. Concurrent callers share one renewal. */
export function renewToken() {
  renewal ??= replaceTokens().finally(() => {
    renewal = null;
  });
  return renewal;
}

async function replaceTokens() {
  const refreshToken = tokens?.refresh;
  tokens = null;
  if (settings.sign_in === "oidc" && refreshToken && (await refreshTokens(refreshToken))) return;
  if (settings.sign_in === "development" && (await restoreDeveloper())) return;
  await signInDialog();
}

/** Asks the user to sign in again, over the page. */
async function signInDialog() {
  // Without a token nothing works, here or on another page: the dialog stays until the user has signed in.
  const attributes = { "data-stays": true, oncancel: (/** @type {Event} */ event) => event.preventDefault() };
  await dialog(
    t("session.ended"),
    (close) => {
      const signIn = async () => {
        if (await signInWithPopup()) close();
      };
      const isOidc = settings.sign_in === "oidc";
      return [
        h("p", {}, t("session.ended.hint")),
        isOidc ? button(t("session.sign-in"), signIn, { class: "main" }) : developmentForm(close),
      ];
    },
    attributes,
  );
}

/**
 * Restores the sign-in when the console opens: from the issuer's redirect, or from what this tab remembers.
 * @returns {Promise<string | null>} the path to continue at, if the issuer has sent the browser back
 */
export async function restore() {
  if (location.pathname === "/app/sign-in") return completeSignIn();
  if (settings.sign_in === "development") await restoreDeveloper();
  if (settings.sign_in === "oidc" && sessionStorage.getItem(SIGNED_IN))
    await redirectToIssuer(currentAddress());
  return null;
}

/**
 * The page for users who are not signed in.
 * @param {() => void} onSignedIn
 */
export function signInPage(onSignedIn) {
  const content = {
    development: () => developmentForm(onSignedIn),
    oidc: () => button(t("session.sign-in"), () => redirectToIssuer(currentAddress()), { class: "main" }),
    none: () => h("p", { class: "warning" }, t("session.none", { address: REDIRECT_URI })),
  };
  return h(
    "section",
    { class: "card narrow" },
    h("h1", {}, t("session.title")),
    h("p", {}, t("session.about")),
    content[settings.sign_in](),
  );
}

/** Deletes the tokens and ends the session at the issuer. */
export async function signOut() {
  tokens = null;
  sessionStorage.removeItem(SIGNED_IN);
  sessionStorage.removeItem(DEVELOPER);
  const endSession = settings.sign_in === "oidc" && (await discoverProvider()).end_session_endpoint;
  if (!endSession) return location.assign("/app/channels");
  // Cognito expects `logout_uri`, OpenID Connect `post_logout_redirect_uri` (RP-Initiated Logout 1.0, section
  // 2).
  const query = new URLSearchParams({
    client_id: settings.client_id ?? "",
    post_logout_redirect_uri: REDIRECT_URI,
    logout_uri: REDIRECT_URI,
  });
  location.assign(`${endSession}?${query}`);
}

function currentAddress() {
  return location.pathname + location.search + location.hash;
}

// ---- Development sign-in -------------------------------------------------------------------------------------------

/** Signs in as the developer whom this tab remembers, if any. */
async function restoreDeveloper() {
  /** @type {Developer | null} */
  const developer = JSON.parse(sessionStorage.getItem(DEVELOPER) ?? "null");
  return developer !== null && (await signInAsDeveloper(developer));
}

/** @param {Developer} developer */
async function signInAsDeveloper(developer) {
  const response = await fetch("/dev/token", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(developer),
  }).catch(() => null);
  if (!response?.ok) return false;
  const { token } = await response.json();
  sessionStorage.setItem(DEVELOPER, JSON.stringify(developer)); // the name, never the token
  storeTokens({ access: token, expiresAt: Infinity }, developer.sub);
  return true;
}

/** @param {() => void} onSignedIn */
function developmentForm(onSignedIn) {
  const name = h("input", { value: "ada", required: true, autocomplete: "username" });
  const admin = h("input", { type: "checkbox", checked: true });
  const errorMessage = h("p", { class: "bad", role: "alert" });
  const submit = async () => {
    if (await signInAsDeveloper({ sub: name.value, admin: admin.checked })) onSignedIn();
    else errorMessage.textContent = t("session.refused");
  };
  return form(
    submit,
    {},
    field(t("session.name"), name, t("session.name.hint")),
    h("label", { class: "check" }, admin, t("session.admin")),
    errorMessage,
    h("button", { class: "main" }, t("session.sign-in")),
  );
}

// ---- OpenID Connect ---------------------------------------------------------------------------------------

async function discoverProvider() {
  if (!providerMetadata) {
    const response = await fetch(`${settings.issuer}/.well-known/openid-configuration`);
    providerMetadata = await response.json();
  }
  return /** @type {ProviderMetadata} */ (providerMetadata);
}

/** @param {Uint8Array} bytes */
function base64url(bytes) {
  return btoa(String.fromCharCode(...bytes))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replaceAll("=", "");
}

const randomSecret = () => base64url(crypto.getRandomValues(new Uint8Array(32)));

/**
 * Starts an authorization code flow: its secrets, and the issuer's address for it.
 * @param {string} returnPath where the user continues after the sign-in
 */
async function startFlow(returnPath) {
  const flow = { state: randomSecret(), verifier: randomSecret(), returnPath };
  const challenge = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(flow.verifier));
  const query = new URLSearchParams({
    response_type: "code",
    client_id: settings.client_id ?? "",
    redirect_uri: REDIRECT_URI,
    scope: settings.scope ?? "openid",
    state: flow.state,
    code_challenge: base64url(new Uint8Array(challenge)),
    code_challenge_method: "S256",
  });
  return { flow, authorizeUrl: `${(await discoverProvider()).authorization_endpoint}?${query}` };
}

/** @param {string} returnPath */
async function redirectToIssuer(returnPath) {
  const { flow, authorizeUrl } = await startFlow(returnPath);
  sessionStorage.setItem(FLOW, JSON.stringify(flow));
  location.assign(authorizeUrl);
  await new Promise(() => {}); // the browser leaves the page
}

/**
 * Handles the issuer's redirect, in the tab that started the flow or in a popup that another page waits for.
 * @returns {Promise<string>} the path to continue at
 */
async function completeSignIn() {
  const result = Object.fromEntries(new URLSearchParams(location.search));
  const flow = JSON.parse(sessionStorage.getItem(FLOW) ?? "null");
  sessionStorage.removeItem(FLOW);
  history.replaceState(null, "", "/app/sign-in"); // the code must not stay in the history
  if (flow && result.code && result.state === flow.state) {
    return (await exchangeCode(result.code, flow.verifier)) ? flow.returnPath : "/app/channels";
  }
  sessionStorage.removeItem(SIGNED_IN);
  if (result.code) {
    new BroadcastChannel("sign-in").postMessage(result);
    window.close();
  }
  return "/app/channels";
}

/** Signs in with a popup, so that unsaved work on this page is kept. */
async function signInWithPopup() {
  // A browser allows a popup only before the first `await` of a click.
  const popup = window.open("about:blank", "sign-in", "popup,width=480,height=720");
  const { flow, authorizeUrl } = await startFlow("");
  if (!popup) return false;
  popup.location.href = authorizeUrl;
  const channel = new BroadcastChannel("sign-in");
  /** @type {Promise<string>} */
  const code = new Promise((resolve) => {
    channel.onmessage = ({ data }) => {
      if (data.state === flow.state) resolve(data.code);
    };
  });
  const signedIn = await exchangeCode(await code, flow.verifier);
  channel.close();
  return signedIn;
}

/**
 * @param {string} code
 * @param {string} verifier
 */
function exchangeCode(code, verifier) {
  return requestTokens({
    grant_type: "authorization_code",
    code,
    code_verifier: verifier,
    redirect_uri: REDIRECT_URI,
  });
}

/** @param {string} refreshToken */
function refreshTokens(refreshToken) {
  return requestTokens({ grant_type: "refresh_token", refresh_token: refreshToken }, refreshToken);
}

/**
 * Calls the token endpoint as a public client (RFC 6749, section 3.2).
 * @param {Record<string, string>} grant
 * @param {string} [currentRefreshToken] is kept if the response brings no new one
 */
async function requestTokens(grant, currentRefreshToken) {
  const body = new URLSearchParams({ client_id: settings.client_id ?? "", ...grant });
  const response = await fetch((await discoverProvider()).token_endpoint, { method: "POST", body }).catch(
    () => null,
  );
  if (!response?.ok) return false;
  const {
    access_token: access,
    refresh_token: refresh,
    id_token: idToken,
    expires_in: seconds,
  } = await response.json();
  const profile = idToken ? decodeClaims(idToken) : {};
  const expiresAt = seconds ? Date.now() + seconds * 1000 - EXPIRY_MARGIN_MS : Infinity;
  storeTokens(
    { access, refresh: refresh ?? currentRefreshToken, expiresAt },
    String(profile.email ?? profile.name ?? userName),
  );
  sessionStorage.setItem(SIGNED_IN, "yes");
  return true;
}

// ---- Tokens -----------------------------------------------------------------------------------------------

/**
 * @param {Tokens} newTokens
 * @param {string} name
 */
function storeTokens(newTokens, name) {
  tokens = newTokens;
  userName = name;
}

/**
 * The claims of a token, for display only. The API verifies the token itself.
 * @param {string} jwt
 * @returns {Record<string, any>}
 */
function decodeClaims(jwt) {
  try {
    const payload = jwt.split(".")[1].replaceAll("-", "+").replaceAll("_", "/");
    return JSON.parse(new TextDecoder().decode(Uint8Array.from(atob(payload), (char) => char.charCodeAt(0))));
  } catch {
    return {}; // an opaque token
  }
}

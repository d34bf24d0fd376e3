// @ts-check
/** Sign-in on a deployed stack: the authorization code flow with PKCE at an issuer. */

import assert from "node:assert/strict";
import { after, before, beforeEach, test } from "node:test";
import { Issuer } from "./issuer.js";
import { launchBrowser, Person } from "./person.js";
import { Stack } from "./stack.js";

/** @type {Issuer} */
let issuer;
/** @type {Stack} */
let stack;
/** @type {import("playwright-core").Browser} */
let chromium;
/** @type {Person} */
let ada;

before(async () => {
  issuer = await Issuer.start();
  stack = await Stack.start({
    SIGN_IN_ISSUER: issuer.url,
    SIGN_IN_CLIENT_ID: "pages",
    SIGN_IN_SCOPES: "openid email",
  });
  issuer.stack = stack;
  chromium = await launchBrowser();
});

beforeEach(async () => {
  await ada?.close();
  issuer.acceptsRefreshTokens = true;
  ada = await Person.open(chromium, stack.url);
  await ada.visit("/admin/api-integration/pinterest?from=a-link");
  await ada.page.getByRole("button", { name: "Sign in" }).click();
  await ada.page.getByLabel("App ID").waitFor();
  issuer.grants.length = 0;
});

after(async () => {
  await chromium?.close();
  await stack?.stop();
  issuer?.stop();
});

/** Makes the next API call fail as with an expired token. */
const expireTokenOnce = () =>
  ada.page.route(
    "**/api/v1/**",
    (route) => route.fulfill({ status: 401, contentType: "application/problem+json", body: "{}" }),
    { times: 1 },
  );

test("after sign-in the user is back on the requested page", async () => {
  assert.equal(
    ada.page.url(),
    `${stack.url}/admin/api-integration/pinterest?from=a-link`,
    "the address has neither code nor state",
  );
  const visit = /** @type {URLSearchParams} */ (issuer.visits.at(-1));
  assert.equal(visit.get("response_type"), "code");
  assert.equal(visit.get("code_challenge_method"), "S256");
  assert.equal(visit.get("redirect_uri"), `${stack.url}/app/sign-in`);
  assert.equal(visit.get("scope"), "openid email");
  assert.ok((visit.get("state") ?? "").length >= 43, "256 bits");
  const stored = await ada.page.evaluate(() =>
    JSON.stringify([{ ...sessionStorage }, { ...localStorage }, document.cookie]),
  );
  assert.doesNotMatch(stored, /eyJ|verifier/);
  assert.deepEqual(ada.consoleErrors, []);
});

test("a reload keeps the user signed in", async () => {
  await ada.page.reload();
  await ada.page.getByLabel("App ID").waitFor();
  assert.deepEqual(
    issuer.grants.map((grant) => grant.grant_type),
    ["authorization_code"],
  );
});

test("an expired token is renewed silently, and each refresh token is used once", async () => {
  for (let round = 0; round < 2; round += 1) {
    await expireTokenOnce();
    await ada.page.getByRole("button", { name: "Test credentials" }).click();
    await ada.page.locator('[data-result="not_configured"]').waitFor();
  }
  assert.deepEqual(
    issuer.grants.map((grant) => grant.grant_type),
    ["refresh_token", "refresh_token"],
  );
  assert.notEqual(issuer.grants[0].refresh_token, issuer.grants[1].refresh_token);
});

test("a popup asks for sign-in when the refresh fails, and form input is kept", async () => {
  issuer.acceptsRefreshTokens = false;
  await ada.page.getByLabel("App ID").fill("7654321");
  await expireTokenOnce();
  await ada.page.getByRole("button", { name: "Test credentials" }).click();
  const dialog = ada.page.getByRole("dialog");
  await dialog.getByText("Nothing you entered is lost").waitFor();
  const [popup] = await Promise.all([
    ada.page.waitForEvent("popup"),
    dialog.getByRole("button", { name: "Sign in" }).click(),
  ]);
  await ada.page.locator('[data-result="not_configured"]').waitFor();
  assert.equal(await ada.page.getByLabel("App ID").inputValue(), "7654321");
  assert.equal(popup.isClosed(), true);
});

test("a sign-in response without a matching flow is ignored", async () => {
  const eve = await Person.open(chromium, stack.url);
  await eve.visit("/app/sign-in?code=planted&state=planted");
  await eve.page.getByRole("button", { name: "Sign in" }).waitFor();
  assert.deepEqual(issuer.grants, []);
  assert.doesNotMatch(eve.page.url(), /planted/);
  await eve.close();
});

test("sign-out also ends the session at the issuer", async () => {
  await ada.page.getByRole("button", { name: "Sign out" }).click();
  await ada.page.getByRole("button", { name: "Sign in" }).waitFor();
  const visit = /** @type {URLSearchParams} */ (issuer.visits.at(-1));
  assert.equal(visit.get("post_logout_redirect_uri"), `${stack.url}/app/sign-in`);
  assert.equal(visit.get("client_id"), "pages");
});

// @ts-check
/** Signing in where the stack is deployed: the code flow with PKCE, at an issuer of the operator's. */

import assert from "node:assert/strict";
import { after, before, beforeEach, test } from "node:test";
import { Issuer } from "./issuer.js";
import { browser, Person } from "./people.js";
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
  stack = await Stack.start({ SIGN_IN_ISSUER: issuer.url, SIGN_IN_CLIENT_ID: "pages", SIGN_IN_SCOPES: "openid email" });
  issuer.stack = stack;
  chromium = await browser();
});

beforeEach(async () => {
  await ada?.leaves();
  issuer.refreshes = true;
  ada = await Person.at(chromium, stack.url);
  await ada.goes("/admin/api-integration/pinterest?from=a-link");
  await ada.page.getByRole("button", { name: "Sign in" }).click();
  await ada.page.getByLabel("App ID").waitFor();
  issuer.grants.length = 0;
});

after(async () => {
  await chromium?.close();
  await stack?.stop();
  issuer?.stop();
});

/** The next call of the API is refused, as when a token has ended. */
const refuseOnce = () =>
  ada.page.route("**/api/v1/**", (route) => route.fulfill({ status: 401, contentType: "application/problem+json", body: "{}" }), { times: 1 });

test("a person signs in at the issuer, and comes back to where they were", async () => {
  assert.equal(ada.page.url(), `${stack.url}/admin/api-integration/pinterest?from=a-link`, "neither code nor state stays");
  const visit = /** @type {URLSearchParams} */ (issuer.visits.at(-1));
  assert.equal(visit.get("response_type"), "code");
  assert.equal(visit.get("code_challenge_method"), "S256");
  assert.equal(visit.get("redirect_uri"), `${stack.url}/app/sign-in`);
  assert.equal(visit.get("scope"), "openid email");
  assert.ok((visit.get("state") ?? "").length >= 43, "256 bits");
  const kept = await ada.page.evaluate(() => JSON.stringify([{ ...sessionStorage }, { ...localStorage }, document.cookie]));
  assert.doesNotMatch(kept, /eyJ|verifier/);
  assert.deepEqual(ada.complaints, []);
});

test("after a reload nobody is asked again", async () => {
  await ada.page.reload();
  await ada.page.getByLabel("App ID").waitFor();
  assert.deepEqual(issuer.grants.map((grant) => grant.grant_type), ["authorization_code"]);
});

test("a token that has ended is renewed without a word, each refresh token once", async () => {
  for (let round = 0; round < 2; round += 1) {
    await refuseOnce();
    await ada.page.getByRole("button", { name: "Test credentials" }).click();
    await ada.page.locator('[data-result="not_configured"]').waitFor();
  }
  assert.deepEqual(issuer.grants.map((grant) => grant.grant_type), ["refresh_token", "refresh_token"]);
  assert.notEqual(issuer.grants[0].refresh_token, issuer.grants[1].refresh_token);
});

test("where that does not help, a window asks, and what was typed stays", async () => {
  issuer.refreshes = false;
  await ada.page.getByLabel("App ID").fill("7654321");
  await refuseOnce();
  await ada.page.getByRole("button", { name: "Test credentials" }).click();
  const dialog = ada.page.getByRole("dialog");
  await dialog.getByText("Nothing you entered is lost").waitFor();
  const [popup] = await Promise.all([ada.page.waitForEvent("popup"), dialog.getByRole("button", { name: "Sign in" }).click()]);
  await ada.page.locator('[data-result="not_configured"]').waitFor();
  assert.equal(await ada.page.getByLabel("App ID").inputValue(), "7654321");
  assert.equal(popup.isClosed(), true);
});

test("a sign-in that nobody here began is nobody's", async () => {
  const eve = await Person.at(chromium, stack.url);
  await eve.goes("/app/sign-in?code=planted&state=planted");
  await eve.page.getByRole("button", { name: "Sign in" }).waitFor();
  assert.deepEqual(issuer.grants, []);
  assert.doesNotMatch(eve.page.url(), /planted/);
  await eve.leaves();
});

test("signing out ends it here and at the issuer", async () => {
  await ada.page.getByRole("button", { name: "Sign out" }).click();
  await ada.page.getByRole("button", { name: "Sign in" }).waitFor();
  const visit = /** @type {URLSearchParams} */ (issuer.visits.at(-1));
  assert.equal(visit.get("post_logout_redirect_uri"), `${stack.url}/app/sign-in`);
  assert.equal(visit.get("client_id"), "pages");
});

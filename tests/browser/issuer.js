// @ts-check
/** An OpenID Connect issuer: one person, who is always at home. Its tokens are those of the stack's own development sign-in. */

import { createHash, randomUUID } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:http";

/** A running issuer, and what it was asked. */
export class Issuer {
  /** @type {import("./stack.js").Stack | undefined} whose API takes the tokens */
  stack;
  /** @type {Record<string, string>[]} every request to the token endpoint */
  grants = [];
  /** @type {URLSearchParams[]} every sign-in, and every sign-out */
  visits = [];
  /** Whether refresh tokens are still good. */
  refreshes = true;
  /** @type {Map<string, { challenge: string, redirect: string }>} */
  #codes = new Map();
  /** @type {string} the one refresh token that is good */
  #refresh = "";

  /** @param {import("node:http").Server} server */
  constructor(server) {
    this.server = server;
    this.url = `http://127.0.0.1:${/** @type {import("node:net").AddressInfo} */ (server.address()).port}`;
    server.on("request", (request, answer) => this.#answer(request, answer));
  }

  static async start() {
    const server = createServer();
    await once(server.listen(0, "127.0.0.1"), "listening");
    return new Issuer(server);
  }

  stop() {
    this.server.close();
    this.server.closeAllConnections();
  }

  /**
   * @param {import("node:http").IncomingMessage} request
   * @param {import("node:http").ServerResponse} answer
   */
  async #answer(request, answer) {
    const { pathname, searchParams: query } = new URL(request.url ?? "", this.url);
    const json = (/** @type {number} */ status, /** @type {unknown} */ body) => {
      answer.writeHead(status, { "Content-Type": "application/json", "Access-Control-Allow-Origin": "*" });
      answer.end(JSON.stringify(body));
    };
    const back = (/** @type {string} */ address) => answer.writeHead(302, { Location: address }).end();
    switch (pathname) {
      case "/.well-known/openid-configuration":
        return json(200, { issuer: this.url, authorization_endpoint: `${this.url}/authorize`, token_endpoint: `${this.url}/token`, end_session_endpoint: `${this.url}/sign-out` });
      case "/authorize": {
        this.visits.push(query);
        const code = randomUUID();
        this.#codes.set(code, { challenge: query.get("code_challenge") ?? "", redirect: query.get("redirect_uri") ?? "" });
        return back(`${query.get("redirect_uri")}?${new URLSearchParams({ code, state: query.get("state") ?? "" })}`);
      }
      case "/token": {
        let form = "";
        for await (const some of request) form += some;
        const grant = Object.fromEntries(new URLSearchParams(form));
        this.grants.push(grant);
        return this.#good(grant) ? json(200, await this.#tokens()) : json(400, { error: "invalid_grant" });
      }
      case "/sign-out":
        this.visits.push(query);
        return back(query.get("post_logout_redirect_uri") ?? "/");
      default:
        return json(404, {});
    }
  }

  /** @param {Record<string, string>} grant */
  #good(grant) {
    if (grant.grant_type === "refresh_token") return this.refreshes && grant.refresh_token === this.#refresh;
    const known = this.#codes.get(grant.code);
    this.#codes.delete(grant.code); // once
    const challenge = createHash("sha256").update(grant.code_verifier ?? "").digest("base64url");
    return known?.challenge === challenge && known.redirect === grant.redirect_uri && grant.client_id === "pages";
  }

  async #tokens() {
    const { token } = await /** @type {import("./stack.js").Stack} */ (this.stack).post("/dev/token", { sub: "ada", admin: true });
    this.#refresh = randomUUID();
    return { access_token: token, refresh_token: this.#refresh, token_type: "Bearer", expires_in: 3600 };
  }
}

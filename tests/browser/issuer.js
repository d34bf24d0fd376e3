// @ts-check
/**
 * An OpenID Connect issuer for tests. It signs in one user without asking, with tokens of the development
 * sign-in.
 */

import { createHash, randomUUID } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:http";

/** A running issuer, and the requests that it has received. */
export class Issuer {
  /** The stack whose API accepts the tokens. @type {import("./stack.js").Stack | undefined} */
  stack;
  /** All requests to the token endpoint. @type {Record<string, string>[]} */
  grants = [];
  /** The queries of all visits to the sign-in and sign-out pages. @type {URLSearchParams[]} */
  visits = [];
  /** Whether refresh tokens are accepted. */
  acceptsRefreshTokens = true;
  /** @type {Map<string, { challenge: string, redirectUri: string }>} */
  #flowsByCode = new Map();
  /** The current refresh token. */
  #refreshToken = "";

  /** @param {import("node:http").Server} server */
  constructor(server) {
    this.server = server;
    const { port } = /** @type {import("node:net").AddressInfo} */ (server.address());
    this.url = `http://127.0.0.1:${port}`;
    server.on("request", (request, response) => this.#handle(request, response));
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
   * @param {import("node:http").ServerResponse} response
   */
  async #handle(request, response) {
    const { pathname, searchParams: query } = new URL(request.url ?? "", this.url);
    const sendJson = (/** @type {number} */ status, /** @type {unknown} */ body) => {
      response.writeHead(status, { "Content-Type": "application/json", "Access-Control-Allow-Origin": "*" });
      response.end(JSON.stringify(body));
    };
    const redirect = (/** @type {string} */ address) => response.writeHead(302, { Location: address }).end();
    switch (pathname) {
      case "/.well-known/openid-configuration":
        return sendJson(200, {
          issuer: this.url,
          authorization_endpoint: `${this.url}/authorize`,
          token_endpoint: `${this.url}/token`,
          end_session_endpoint: `${this.url}/sign-out`,
        });
      case "/authorize": {
        this.visits.push(query);
        const code = randomUUID();
        const redirectUri = query.get("redirect_uri") ?? "";
        this.#flowsByCode.set(code, { challenge: query.get("code_challenge") ?? "", redirectUri });
        return redirect(`${redirectUri}?${new URLSearchParams({ code, state: query.get("state") ?? "" })}`);
      }
      case "/token": {
        let body = "";
        for await (const chunk of request) body += chunk;
        const grant = Object.fromEntries(new URLSearchParams(body));
        this.grants.push(grant);
        if (!this.#isValid(grant)) return sendJson(400, { error: "invalid_grant" });
        return sendJson(200, await this.#createTokens());
      }
      case "/sign-out":
        this.visits.push(query);
        return redirect(query.get("post_logout_redirect_uri") ?? "/");
      default:
        return sendJson(404, {});
    }
  }

  /** @param {Record<string, string>} grant */
  #isValid(grant) {
    if (grant.grant_type === "refresh_token") {
      return this.acceptsRefreshTokens && grant.refresh_token === this.#refreshToken;
    }
    const flow = this.#flowsByCode.get(grant.code);
    this.#flowsByCode.delete(grant.code); // a code works once
    const challenge = createHash("sha256")
      .update(grant.code_verifier ?? "")
      .digest("base64url");
    return (
      flow?.challenge === challenge && flow.redirectUri === grant.redirect_uri && grant.client_id === "pages"
    );
  }

  async #createTokens() {
    const stack = /** @type {import("./stack.js").Stack} */ (this.stack);
    const { token } = await stack.post("/dev/token", { sub: "ada", admin: true });
    this.#refreshToken = randomUUID();
    return { access_token: token, refresh_token: this.#refreshToken, token_type: "Bearer", expires_in: 3600 };
  }
}

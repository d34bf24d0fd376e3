// @ts-check
/** A frontend of Pinwright: connects an account in a popup, chooses a board, publishes a Pin, and shows what went wrong. */

/** Where the stack is. Empty: `serve.js` passes calls on to the local stack. */
const api = "";

/** @typedef {{ code: string, detail: string, fix: string, field?: string }} Problem an answer of RFC 9457 */

/** The API has refused something: `problem` says what, and what to do. */
class ApiError extends Error {
  /** @param {Problem} problem */
  constructor(problem) {
    super(problem.detail);
    this.problem = problem;
  }
}

/** The local stack gives a token to anybody. Deployed, this is your users' sign-in. */
async function signIn() {
  const headers = { "Content-Type": "application/json" };
  const answer = await fetch(`${api}/dev/token`, { method: "POST", headers, body: '{"sub":"ada"}' });
  return (await answer.json()).token;
}

const token = await signIn();

/**
 * Calls the API.
 * @param {string} method
 * @param {string} path
 * @param {unknown} [body]
 * @param {Record<string, string>} [more] additional headers
 */
async function call(method, path, body, more = {}) {
  const headers = { Authorization: `Bearer ${token}`, "Content-Type": "application/json", ...more };
  const answer = await fetch(api + path, { method, headers, body: JSON.stringify(body) });
  const content = await answer.json();
  if (!answer.ok) throw new ApiError(content);
  return content;
}

/**
 * Connects an account. The popup opens within the click: browsers block one that comes later.
 * @returns {Promise<any>} the channel
 */
async function connect() {
  const popup = open("", "pinterest", "popup,width=600,height=800");
  const messages = new BroadcastChannel("pinterest");
  try {
    const return_to = new URL("connected.html", location.href).href;
    const { authorize_url } = await call("POST", "/api/v1/auth/pinterest/start", { return_to });
    if (popup) popup.location.href = authorize_url;
    const result = await new Promise((resolve) => {
      messages.addEventListener("message", ({ data }) => resolve(new URLSearchParams(data)));
    });
    const error = result.get("error");
    if (error) throw await describeCode(error);
    return await call("POST", "/api/v1/connections/claim", { connection: result.get("connection") });
  } finally {
    messages.close();
  }
}

/**
 * The words for a code.
 * @param {string} code
 */
async function describeCode(code) {
  const { meaning, fix } = await call("GET", `/problems/${code}`);
  return new ApiError({ code, detail: meaning, fix });
}

/**
 * @template {HTMLElement} T
 * @param {string} id
 * @param {new () => T} kind
 */
function element(id, kind) {
  const node = document.getElementById(id);
  if (!(node instanceof kind)) throw new Error(`there is no ${id}`);
  return node;
}

const board = element("board", HTMLSelectElement);
const form = element("pin", HTMLFormElement);
/** @type {any} */
let channel = (await call("GET", "/api/v1/channels")).items[0];
/** A key for each new Pin: a second click, or a repeated request, makes no second Pin. */
let key = crypto.randomUUID();

async function showChannel() {
  if (!channel) return;
  element("account", HTMLParagraphElement).textContent = `Connected: ${channel.account.username}`;
  const { items } = await call("GET", `/api/v1/channels/${channel.id}/boards`);
  const chosen = channel.default_board?.pinterest_board_id;
  board.replaceChildren(
    ...items.map((/** @type {any} */ item) => {
      const is_chosen = item.pinterest_board_id === chosen;
      return new Option(item.name, item.pinterest_board_id, is_chosen, is_chosen);
    }),
  );
}

/**
 * @param {boolean} ok
 * @param {string} text
 */
function show(ok, text) {
  const result = element("result", HTMLParagraphElement);
  result.dataset.ok = String(ok);
  result.textContent = text;
}

/**
 * Does something, and shows what went wrong.
 * @param {() => Promise<void>} work
 */
async function attempt(work) {
  try {
    await work();
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    show(false, `${error.problem.detail}\n${error.problem.fix}`);
  }
}

element("connect", HTMLButtonElement).addEventListener("click", () =>
  attempt(async () => {
    channel = await connect();
    await showChannel();
  }),
);

form.addEventListener("input", () => (key = crypto.randomUUID()));
form.addEventListener("submit", (event) => {
  event.preventDefault();
  attempt(async () => {
    const { url, title } = Object.fromEntries(new FormData(form));
    const newPin = { channel_id: channel?.id, board_id: board.value, title, media: { kind: "image", url } };
    const pin = await call("POST", "/api/v1/pins", newPin, { "Idempotency-Key": key });
    // 201: published. 202: it waits, and is published later without anybody's doing.
    const published = pin.state === "published";
    show(true, published ? `Published: ${pin.pinterest_pin_url}` : `Accepted: ${pin.state} (${pin.reason})`);
  });
});

await attempt(showChannel);

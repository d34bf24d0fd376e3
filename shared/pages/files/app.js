// @ts-check
/** The frame around all pages: who is signed in, where one can go, and what is shown. */

import { announce, fill, h, select } from "./dom.js";
import { problem } from "./parts.js";
import * as session from "./session.js";
import { choose, language, languages, t } from "./text.js";

/**
 * A page fills `main`, and does nothing any more once `signal` is aborted.
 * @typedef {(main: HTMLElement, signal: AbortSignal) => void | Promise<void>} Page
 */

/** @type {Record<string, { title: import("./text.js").Key, load: () => Promise<{ default: Page }>, admin?: true, open?: true }>} */
const PAGES = {
  "/app/channels": { title: "channels.title", load: () => import("./channels.js") },
  "/app/publishing": { title: "publishing.title", load: () => import("./publishing.js") },
  "/app/numbers": { title: "analytics.title", load: () => import("./numbers.js") },
  "/admin/api-integration/pinterest": { title: "admin.title", load: () => import("./admin.js"), admin: true },
  "/api-reference": { title: "reference.title", load: () => import("./reference.js"), open: true },
};
const FIRST = "/app/channels";

const main = /** @type {HTMLElement} */ (document.getElementById("main"));
const top = /** @type {HTMLElement} */ (document.getElementById("top"));
let leaving = new AbortController();

/**
 * Goes to a page, or to another state of the same one.
 * @param {string} address path, query and fragment
 */
export function go(address) {
  history.pushState(null, "", address);
  return show();
}

async function show() {
  leaving.abort();
  leaving = new AbortController();
  const { signal } = leaving;
  for (const dialog of document.querySelectorAll("dialog:not([data-stays])")) /** @type {HTMLDialogElement} */ (dialog).close();
  const path = location.pathname in PAGES ? location.pathname : FIRST;
  if (path !== location.pathname) history.replaceState(null, "", path + location.search + location.hash);
  const page = PAGES[path];
  const who = session.person();
  showTop(path, who);
  document.title = `${t(page.title)} · Pinwright`;
  main.removeAttribute("data-ready");
  if (!who && !page.open) {
    fill(main, session.signInPage(show));
  } else if (page.admin && !who?.admin) {
    fill(main, h("h1", {}, t(page.title)), h("p", { class: "warning" }, t("admin.not-admin")));
  } else {
    try {
      const { default: render } = await page.load();
      if (!signal.aborted) await render(main, signal);
    } catch (error) {
      if (!signal.aborted) fill(main, h("h1", {}, t(page.title)), problem(error, show));
    }
  }
  if (signal.aborted) return;
  main.dataset.ready = path;
  performance.mark("ready"); // what people came for is there
  announce(document.title);
}

/**
 * @param {string} path
 * @param {{ name: string, admin: boolean } | null} who
 */
function showTop(path, who) {
  const brand = /** @type {Element} */ (top.querySelector(".brand"));
  const links = Object.entries(PAGES)
    .filter(([, page]) => page.open || (who && (!page.admin || who.admin)))
    .map(([href, page]) => h("a", { href, "aria-current": href === path ? "page" : null }, t(page.title)));
  const chooser = select(Object.entries(languages), language, {
    "aria-label": t("language"),
    onchange: (/** @type {Event} */ event) => choose(/** @type {HTMLSelectElement} */ (event.target).value),
  });
  const out = h("button", { type: "button", class: "plain", onclick: session.signOut }, t("session.sign-out"));
  fill(
    top,
    h("a", { class: "skip", href: "#main" }, t("skip")),
    brand,
    h("nav", { "aria-label": t("navigation") }, links),
    h("div", { class: "who" }, who && h("span", { class: "name", title: who.name }, who.name), chooser, who && out),
  );
}

/** Links within these pages do not load them anew. */
document.addEventListener("click", (event) => {
  const link = /** @type {Element} */ (event.target).closest("a");
  const plain = event.button === 0 && !event.ctrlKey && !event.metaKey && !event.shiftKey && !event.defaultPrevented;
  if (!plain || !link || link.target || link.origin !== location.origin || !(link.pathname in PAGES)) return;
  if (link.getAttribute("href")?.startsWith("#")) return;
  event.preventDefault();
  go(link.href).then(() => main.focus());
});
window.addEventListener("popstate", show);

// The page's modules come while it is found out who is there. What goes wrong shows when they are needed.
PAGES[location.pathname]?.load().catch(() => {});
const back = await session.open();
if (back) history.replaceState(null, "", back);
await show();

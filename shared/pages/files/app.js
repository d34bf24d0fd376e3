// @ts-check
/** The frame of all pages: the header, the navigation, and which page is shown. */

import { announce, fill, h, select } from "./dom.js";
import * as session from "./session.js";
import { language, languages, setLanguage, t } from "./text.js";
import { problemBox } from "./widgets.js";

/** @type {Record<string, Route>} */
const ROUTES = {
  "/app/channels": { title: "channels.title", load: () => import("./channels.js") },
  "/app/publishing": { title: "publishing.title", load: () => import("./publishing.js") },
  "/app/analytics": { title: "analytics.title", load: () => import("./analytics.js") },
  "/admin/api-integration/pinterest": {
    title: "admin.title",
    load: () => import("./admin.js"),
    adminOnly: true,
  },
  "/api-reference": { title: "reference.title", load: () => import("./reference.js"), isPublic: true },
};
const DEFAULT_PATH = "/app/channels";

const main = /** @type {HTMLElement} */ (document.getElementById("main"));
const header = /** @type {HTMLElement} */ (document.getElementById("top"));
/** Aborted when the current page is left. */
let pageAbort = new AbortController();

/**
 * Navigates to another page, or to another query of the same page.
 * @param {string} address path, query and fragment
 */
export function navigate(address) {
  history.pushState(null, "", address);
  return renderPage();
}

async function renderPage() {
  pageAbort.abort();
  pageAbort = new AbortController();
  const { signal } = pageAbort;
  closeDialogs();
  const path = location.pathname in ROUTES ? location.pathname : DEFAULT_PATH;
  if (path !== location.pathname) history.replaceState(null, "", path + location.search + location.hash);
  const route = ROUTES[path];
  const user = session.currentUser();
  renderHeader(path, user);
  document.title = `${t(route.title)} · Pinwright`;
  main.removeAttribute("data-ready");
  if (!user && !route.isPublic) {
    fill(main, session.signInPage(renderPage));
  } else if (route.adminOnly && !user?.admin) {
    fill(main, h("h1", {}, t(route.title)), h("p", { class: "warning" }, t("admin.not-admin")));
  } else {
    try {
      const { default: render } = await route.load();
      if (!signal.aborted) await render(main, signal);
    } catch (error) {
      if (!signal.aborted) fill(main, h("h1", {}, t(route.title)), problemBox(error, renderPage));
    }
  }
  if (signal.aborted) return;
  main.dataset.ready = path;
  performance.mark("ready"); // the main content is visible
  announce(document.title);
}

/** Closes all dialogs but those that stay across pages: a sign-in, for example. */
function closeDialogs() {
  for (const dialog of document.querySelectorAll("dialog:not([data-stays])")) {
    /** @type {HTMLDialogElement} */ (dialog).close();
  }
}

/**
 * @param {string} path
 * @param {User | null} user
 */
function renderHeader(path, user) {
  const brand = /** @type {Element} */ (header.querySelector(".brand"));
  const links = Object.entries(ROUTES)
    .filter(([, route]) => route.isPublic || (user && (!route.adminOnly || user.admin)))
    .map(([href, route]) => h("a", { href, "aria-current": href === path ? "page" : null }, t(route.title)));
  const languageSelect = select(Object.entries(languages), language, {
    "aria-label": t("language"),
    onchange: () => setLanguage(languageSelect.value),
  });
  const signOut = h(
    "button",
    { type: "button", class: "plain", onclick: session.signOut },
    t("session.sign-out"),
  );
  const userName = user && h("span", { class: "name", title: user.name }, user.name);
  fill(
    header,
    h("a", { class: "skip", href: "#main" }, t("skip")),
    brand,
    h("nav", { "aria-label": t("navigation") }, links),
    h("div", { class: "user" }, userName, languageSelect, user && signOut),
  );
}

/** Follows links between the console's pages without a reload. */
document.addEventListener("click", (event) => {
  const modified = event.ctrlKey || event.metaKey || event.shiftKey;
  if (event.button !== 0 || modified || event.defaultPrevented) return;
  const link = /** @type {Element} */ (event.target).closest("a");
  if (!link || link.target || link.origin !== location.origin || !(link.pathname in ROUTES)) return;
  if (link.getAttribute("href")?.startsWith("#")) return;
  event.preventDefault();
  navigate(link.href).then(() => main.focus());
});
window.addEventListener("popstate", renderPage);

// The page's modules load while the sign-in is restored. If that fails, `renderPage` shows the error.
ROUTES[location.pathname]?.load().catch(() => {});
const returnPath = await session.restore();
if (returnPath) history.replaceState(null, "", returnPath);
await renderPage();

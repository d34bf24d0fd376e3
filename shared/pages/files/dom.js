// @ts-check
/** Elements, built from code. Text is only ever text: nothing here, or anywhere else, parses markup. */

/**
 * What stands in an element: nested as it comes, and nothing where there is nothing.
 * @typedef {Node | string | number | null | undefined | false | Child[]} Child
 */

const SVG = "http://www.w3.org/2000/svg";

/**
 * An element. `onclick` and the like are listeners, `true` is an empty attribute, `false` and `null` are none.
 * @template {keyof HTMLElementTagNameMap} T
 * @param {T} tag
 * @param {Record<string, any>} [attributes]
 * @param {...Child} children
 * @returns {HTMLElementTagNameMap[T]}
 */
export function h(tag, attributes = {}, ...children) {
  return dress(document.createElement(tag), attributes, children);
}

/**
 * The same for a picture.
 * @template {keyof SVGElementTagNameMap} T
 * @param {T} tag
 * @param {Record<string, any>} [attributes]
 * @param {...Child} children
 * @returns {SVGElementTagNameMap[T]}
 */
export function svg(tag, attributes = {}, ...children) {
  return dress(/** @type {any} */ (document.createElementNS(SVG, tag)), attributes, children);
}

/**
 * @template {Element} E
 * @param {E} element
 * @param {Record<string, any>} attributes
 * @param {Child[]} children
 */
function dress(element, attributes, children) {
  fill(element, ...children);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name === "value" || name === "checked") Object.assign(element, { [name]: value });
    else element.setAttribute(name, value === true ? "" : String(value));
  }
  return element;
}

/**
 * Puts `children` in the place of what is there.
 * @param {Element} element
 * @param {...Child} children
 */
export function fill(element, ...children) {
  element.replaceChildren(...children.flatMap(nodes));
}

/**
 * @param {Child} child
 * @returns {Node[]}
 */
function nodes(child) {
  if (Array.isArray(child)) return child.flatMap(nodes);
  if (child === null || child === undefined || child === false) return [];
  return [child instanceof Node ? child : new Text(String(child))];
}

/**
 * Somebody else's text: isolated, so that marks for right-to-left writing in it turn nothing else around.
 * @param {string | null | undefined} text
 */
export function theirs(text) {
  return h("bdi", {}, text ?? "");
}

/**
 * A link out of these pages, if the address is one of the web. Anything else is shown as text.
 * @param {string} address
 * @param {Child} [label]
 */
export function outward(address, label) {
  const shown = label ?? theirs(address);
  return isWebAddress(address) ? h("a", { href: address, target: "_blank", rel: "noopener noreferrer" }, shown) : h("span", {}, shown);
}

/** @param {string} address */
export function isWebAddress(address) {
  return URL.canParse(address) && ["http:", "https:"].includes(new URL(address).protocol);
}

/**
 * Tells those who do not see the page what has happened on it.
 * @param {string} text
 */
export function announce(text) {
  const announcer = document.getElementById("announcer");
  if (announcer) announcer.textContent = text;
}

let ids = 0;

/** An id that no other element has. */
export function newId() {
  ids += 1;
  return `e${ids}`;
}

/**
 * A labelled control, with a hint below it. The control gets its id here.
 * @param {string} label
 * @param {HTMLElement} control
 * @param {Child} [hint]
 */
export function field(label, control, hint) {
  control.id ||= newId();
  const below = hint ? h("p", { class: "hint", id: `${control.id}-hint` }, hint) : null;
  if (below) control.setAttribute("aria-describedby", below.id);
  return h("div", { class: "field" }, h("label", { for: control.id }, label), control, below);
}

/**
 * A choice of one.
 * @param {[string, string][]} options value and label
 * @param {string} chosen
 * @param {Record<string, any>} [attributes]
 */
export function select(options, chosen, attributes = {}) {
  const made = options.map(([value, label]) => h("option", { value }, label));
  return h("select", { ...attributes, value: chosen }, made);
}

/**
 * A button that is busy, and takes no second press, until what it does is done.
 * @param {string} label
 * @param {() => unknown} act
 * @param {Record<string, any>} [attributes]
 */
export function button(label, act, attributes = {}) {
  const element = h("button", { type: "button", ...attributes }, label);
  element.addEventListener("click", () => busy(element, act));
  return element;
}

/**
 * A form whose button does the same.
 * @param {() => unknown} act
 * @param {Record<string, any>} attributes
 * @param {...Child} children
 */
export function form(act, attributes, ...children) {
  const submit = (/** @type {SubmitEvent} */ event) => {
    event.preventDefault();
    return busy(/** @type {HTMLElement} */ (event.submitter), act);
  };
  return h("form", { ...attributes, onsubmit: submit }, ...children);
}

/**
 * @param {HTMLElement} element
 * @param {() => unknown} act
 */
async function busy(element, act) {
  if (element.getAttribute("aria-busy") === "true") return;
  element.setAttribute("aria-busy", "true");
  try {
    await act();
  } finally {
    element.removeAttribute("aria-busy");
  }
}

/**
 * A dialog over the page. Resolves when it is closed, however that happens.
 * @param {string} title
 * @param {(close: () => void) => Child[]} content
 * @param {Record<string, any>} [attributes]
 * @returns {Promise<void>}
 */
export function dialog(title, content, attributes = {}) {
  const heading = h("h2", { id: newId() }, title);
  const element = h("dialog", { "aria-labelledby": heading.id, ...attributes });
  const close = () => element.close();
  fill(element, heading, ...content(close));
  document.body.append(element);
  element.showModal();
  return new Promise((resolve) => {
    element.addEventListener("close", () => {
      element.remove();
      resolve();
    });
  });
}

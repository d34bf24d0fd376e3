// @ts-check
/** Builds elements from code. Text is always inserted as text: no part of the console parses markup. */

const SVG = "http://www.w3.org/2000/svg";

/**
 * Creates an HTML element. An attribute `onclick` and the like adds a listener, `true` sets an empty
 * attribute, and `false` or `null` sets none.
 * @template {keyof HTMLElementTagNameMap} T
 * @param {T} tag
 * @param {Attributes} [attributes]
 * @param {...Child} children
 * @returns {HTMLElementTagNameMap[T]}
 */
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  fill(element, ...children);
  return applyAttributes(element, attributes);
}

/**
 * Creates an SVG element in the same way.
 * @template {keyof SVGElementTagNameMap} T
 * @param {T} tag
 * @param {Attributes} [attributes]
 * @param {...Child} children
 * @returns {SVGElementTagNameMap[T]}
 */
export function svg(tag, attributes = {}, ...children) {
  const element = /** @type {any} */ (document.createElementNS(SVG, tag));
  fill(element, ...children);
  return applyAttributes(element, attributes);
}

/**
 * @template {Element} E
 * @param {E} element
 * @param {Attributes} attributes
 */
function applyAttributes(element, attributes) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name === "value" || name === "checked") Object.assign(element, { [name]: value });
    else element.setAttribute(name, value === true ? "" : String(value));
  }
  return element;
}

/**
 * Replaces the content of an element.
 * @param {Element} element
 * @param {...Child} children
 */
export function fill(element, ...children) {
  element.replaceChildren(...children.flatMap(toNodes));
}

/**
 * @param {Child} child
 * @returns {Node[]}
 */
function toNodes(child) {
  if (Array.isArray(child)) return child.flatMap(toNodes);
  if (child === null || child === undefined || child === false) return [];
  return [child instanceof Node ? child : new Text(String(child))];
}

/**
 * Text from outside, isolated: right-to-left marks in it do not change the direction of the text around it.
 * @param {string | null | undefined} text
 */
export function isolate(text) {
  return h("bdi", {}, text ?? "");
}

/**
 * A link that leaves the console. An address that is not http or https is shown as text.
 * @param {string} address
 * @param {Child} [label]
 */
export function externalLink(address, label) {
  const content = label ?? isolate(address);
  return isWebAddress(address)
    ? h("a", { href: address, target: "_blank", rel: "noopener noreferrer" }, content)
    : h("span", {}, content);
}

/** @param {string} address */
export function isWebAddress(address) {
  return URL.canParse(address) && ["http:", "https:"].includes(new URL(address).protocol);
}

/**
 * Announces a text to screen readers.
 * @param {string} text
 */
export function announce(text) {
  const announcer = document.getElementById("announcer");
  if (announcer) announcer.textContent = text;
}

let idCount = 0;

/** An id that no other element has. */
export function newId() {
  idCount += 1;
  return `e${idCount}`;
}

/**
 * A control with its label above and an optional hint below. Gives the control an id.
 * @param {string} label
 * @param {HTMLElement} control
 * @param {Child} [hint]
 */
export function field(label, control, hint) {
  control.id ||= newId();
  const hintElement = hint ? h("p", { class: "hint", id: `${control.id}-hint` }, hint) : null;
  if (hintElement) control.setAttribute("aria-describedby", hintElement.id);
  return h("div", { class: "field" }, h("label", { for: control.id }, label), control, hintElement);
}

/**
 * A list to select one option from.
 * @param {[string, string][]} options value and label
 * @param {string} selected
 * @param {Attributes} [attributes]
 */
export function select(options, selected, attributes = {}) {
  const elements = options.map(([value, label]) => h("option", { value }, label));
  return h("select", { ...attributes, value: selected }, elements);
}

/**
 * A button. While its action runs, it is marked as busy and ignores clicks.
 * @param {string} label
 * @param {() => unknown} action
 * @param {Attributes} [attributes]
 */
export function button(label, action, attributes = {}) {
  const element = h("button", { type: "button", ...attributes }, label);
  element.addEventListener("click", () => runOnce(element, action));
  return element;
}

/**
 * A form whose submit button behaves like `button`.
 * @param {() => unknown} action
 * @param {Attributes} attributes
 * @param {...Child} children
 */
export function form(action, attributes, ...children) {
  const onsubmit = (/** @type {SubmitEvent} */ event) => {
    event.preventDefault();
    return runOnce(/** @type {HTMLElement} */ (event.submitter), action);
  };
  return h("form", { ...attributes, onsubmit }, ...children);
}

/**
 * @param {HTMLElement} element
 * @param {() => unknown} action
 */
async function runOnce(element, action) {
  if (element.getAttribute("aria-busy") === "true") return;
  element.setAttribute("aria-busy", "true");
  try {
    await action();
  } finally {
    element.removeAttribute("aria-busy");
  }
}

/**
 * A modal dialog. Resolves when it is closed, in whatever way.
 * @param {string} title
 * @param {(close: () => void) => Child[]} content
 * @param {Attributes} [attributes]
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

// What every function of ours in a page rests on: seeing, reading, and the passing of a frame. `find.js` finds.
//
// The controls of a form hide what the form has by their names, and the named elements of a document do the same. So
// what may be a form or the document is asked by its class.

const member = (node, name) => {
  for (let at = Object.getPrototypeOf(node); at; at = Object.getPrototypeOf(at)) {
    const own = Object.getOwnPropertyDescriptor(at, name);
    if (own) return own;
  }
  return undefined;
};
const get = (node, name) => {
  const own = member(node, name);
  return own?.get ? Reflect.apply(own.get, node, []) : own?.value;
};
const call = (node, name, ...values) => Reflect.apply(get(node, name), node, values);

const shadow = node => (node.shadowRoot instanceof ShadowRoot ? node.shadowRoot : null);

// Open shadow roots of `root` and below it, outer before inner.
const shadows = function* (root) {
  for (const node of [root, ...call(root, "querySelectorAll", "*")]) {
    const inside = shadow(node);
    if (inside) {
      yield inside;
      yield* shadows(inside);
    }
  }
};

// What has the boxes of an element. An element that is `display: contents` has those of what is in it.
const drawn = element => {
  if (getComputedStyle(element).display !== "contents") return element;
  const range = new Range();
  range.selectNodeContents(element);
  return range;
};
const boxes = element => [...call(drawn(element), "getClientRects")];
const bounds = element => call(drawn(element), "getBoundingClientRect");

const visible = element => {
  const { width, height } = bounds(element);
  if (!(width > 0 && height > 0)) return false;
  const { display, visibility } = getComputedStyle(element);
  return display === "contents"
    ? visibility === "visible"
    : call(element, "checkVisibility", { visibilityProperty: true });
};

// Elements whose text nobody sees.
const UNSEEN = ["script", "style", "noscript", "template", "head"];

// The text that is shown, with that of open shadow roots and of drawings, which `innerText` leaves out.
const shown = root => {
  const parts = [];
  let length = 0;
  const walk = (node, seen) => {
    if (length > LONGEST) return;
    if (node.nodeType === Node.TEXT_NODE) {
      length += node.length;
      if (seen && length <= LONGEST) parts.push(node.data.replace(/\s+/g, " "));
    }
    if (node.nodeType !== Node.ELEMENT_NODE) return;
    const { display, visibility } = getComputedStyle(node);
    if (display === "none" || UNSEEN.includes(get(node, "localName"))) return;
    const isBlock = !/^(inline|contents|ruby)/.test(display) || get(node, "localName") === "br";
    if (isBlock) parts.push("\n");
    const slotted = node instanceof HTMLSlotElement ? node.assignedNodes({ flatten: true }) : [];
    const below = slotted.length ? slotted : get(shadow(node) ?? node, "childNodes");
    for (const child of below) walk(child, visibility === "visible");
    if (isBlock) parts.push("\n");
  };
  walk(root, true);
  return parts.join("").replace(/[^\S\n]*\n\s*/g, "\n").replace(/[^\S\n]+/g, " ").trim();
};

// Whether `shown` finds more than `innerText`. It takes longer, so it is asked only then.
const hidesText = element =>
  !shadows(element).next().done || call(element, "querySelector", "svg text") !== null;

// The text of an element as a reader sees it.
const textOf = element =>
  hidesText(element) ? shown(element) : (get(element, "innerText") ?? get(element, "textContent"));

const later = (resolve, delay) =>
  typeof scheduler === "object" ? scheduler.postTask(resolve, { delay }) : setTimeout(resolve, delay);

// The next frame; a page that is not drawn gets none, so a task stands in. It is no timer, because a page without
// permission to run scripts has no timers.
const frame = () =>
  new Promise(resolve => {
    requestAnimationFrame(resolve);
    later(resolve, 50);
  });

// As much of an element's tag as tells it from others.
const describe = element => {
  if (!element) return "nothing";
  const id = call(element, "getAttribute", "id");
  const names = call(element, "getAttribute", "class")?.trim().slice(0, 60);
  return `<${get(element, "localName")}${id ? ` id="${id.slice(0, 60)}"` : ""}${names ? ` class="${names}"` : ""}>`;
};

const excerpt = text => JSON.stringify(text.length > 200 ? `${text.slice(0, 200)}…` : text);

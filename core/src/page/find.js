// Finds elements by a selector: parts that are joined by ` >> `, each of which looks in what the one before it found.
// A part is CSS, or one of the kinds below.

const plain = text => text.replace(/\s+/g, " ").trim();
// A text in quotation marks is the whole text; another is a part of it, in small or capital letters.
const says = wanted => {
  const whole = /^"(.*)"$/s.exec(wanted)?.[1];
  if (whole !== undefined) return text => plain(text) === plain(whole);
  const part = plain(wanted).toLowerCase();
  return text => plain(text).toLowerCase().includes(part);
};

const inAll = (root, selector) =>
  [root, ...shadows(root)].flatMap(inside => [...call(inside, "querySelectorAll", selector)]);

const isButton = element =>
  element instanceof HTMLInputElement && ["submit", "button", "reset"].includes(element.type);

// The smallest elements with the text.
const byText = (root, wanted) => {
  const matches = says(wanted);
  const textIn = node => (isButton(node) ? node.value : (get(node, "textContent") ?? ""));
  // An element has an exact text, or something in it has.
  const part = says(wanted.replace(/^"(.*)"$/s, "$1"));
  const smallest = node => {
    const below = [...get(node, "children")].filter(child => !UNSEEN.includes(get(child, "localName")));
    const found = below.flatMap(child => (part(textIn(child)) ? smallest(child) : []));
    if (found.length || !matches(textIn(node))) return found;
    return node.nodeType === Node.ELEMENT_NODE ? [node] : [node.host].filter(Boolean);
  };
  return [root, ...shadows(root)].flatMap(smallest);
};

const ROLES = {
  article: "article", banner: "header", button: "button, summary, input[type=button], input[type=submit], " +
    "input[type=reset], input[type=image]", cell: "td", checkbox: "input[type=checkbox]", columnheader: "th",
  combobox: "select:not([multiple])", complementary: "aside", contentinfo: "footer", dialog: "dialog", form: "form",
  group: "fieldset", heading: "h1, h2, h3, h4, h5, h6", img: "img, svg", link: "a[href], area[href]",
  list: "ul, ol", listbox: "select[multiple]", listitem: "li", main: "main", navigation: "nav", option: "option",
  paragraph: "p", progressbar: "progress", radio: "input[type=radio]", region: "section", row: "tr",
  searchbox: "input[type=search]", separator: "hr", slider: "input[type=range]", spinbutton: "input[type=number]",
  status: "output", table: "table", textbox: "textarea, input:not([type]), input[type=text], input[type=email], " +
    "input[type=tel], input[type=url], [contenteditable=''], [contenteditable=true]",
};

const labels = element => {
  const ids = (call(element, "getAttribute", "aria-labelledby") ?? "").split(/\s+/).filter(Boolean);
  const named = ids.map(id => get(element, "ownerDocument").getElementById(id)).filter(Boolean);
  const given = [...named, ...(element.labels ?? [])].map(label => get(label, "textContent"));
  return [...given, call(element, "getAttribute", "aria-label")].filter(label => label?.trim());
};

const nameOf = element => {
  const [label] = labels(element);
  const attribute = name => call(element, "getAttribute", name);
  if (label) return label;
  if (isButton(element)) return element.value;
  return attribute("alt") || plain(get(element, "textContent")) || attribute("title") || attribute("placeholder") || "";
};

const byRole = (root, wanted) => {
  const [, role, name] = /^\s*([\w-]+)\s*(?:\[\s*name\s*=\s*(.*?)\s*\])?\s*$/s.exec(wanted) ?? [];
  if (!role) throw new Error(`\`role=${wanted}\` is not understood; write role=button or role=button[name="Save"]`);
  const selector = `[role~="${role}"]${ROLES[role] ? `, :is(${ROLES[role]}):not([role])` : ""}`;
  const found = inAll(root, selector).filter(visible);
  return name === undefined ? found : found.filter(element => says(name)(nameOf(element)));
};

const FIELDS = "input:not([type=hidden]), textarea, select, button, meter, output, progress, [contenteditable], [role]";
const byPath = (root, path) => {
  const found = call(document, "evaluate", path, root, null, XPathResult.ORDERED_NODE_SNAPSHOT_TYPE, null);
  const nodes = Array.from({ length: found.snapshotLength }, (_, n) => found.snapshotItem(n));
  return nodes.filter(node => node.nodeType === Node.ELEMENT_NODE);
};

const KINDS = {
  css: inAll,
  text: byText,
  role: byRole,
  label: (root, wanted) => inAll(root, FIELDS).filter(element => labels(element).some(says(wanted))),
  placeholder: (root, wanted) =>
    inAll(root, "[placeholder]").filter(element => says(wanted)(call(element, "getAttribute", "placeholder"))),
  testid: (root, id) =>
    inAll(root, "[data-testid]").filter(element => call(element, "getAttribute", "data-testid") === id),
  xpath: byPath,
};

// [kind, value] of each part.
const parts = selector =>
  selector
    .match(/(?:"(?:\\.|[^"\\])*"|(?!\s>>\s)[^])+/g)
    .map(part => part.replace(/^\s*>>\s/, "").trim())
    .map(part => {
      const [, kind, value] = /^(css|text|role|label|placeholder|testid|xpath|nth)=(.*)$/s.exec(part) ?? [];
      if (kind) return [kind, value.trim()];
      return [/^\(*\/\//.test(part) || part.startsWith("..") ? "xpath" : "css", part];
    });

const all = (selector, root = document) => {
  let found = [root];
  for (const [kind, value] of parts(selector)) {
    found =
      kind === "nth" ? found.slice(+value, +value + 1 || undefined) : [...new Set(found.flatMap(at => KINDS[kind](at, value)))];
  }
  return found;
};

// The first match, in the document itself before any shadow root.
const first = (selector, root = document) => {
  const [[kind, value], ...more] = parts(selector);
  if (more.length || kind !== "css") return all(selector, root)[0] ?? null;
  const found = call(root, "querySelector", value);
  if (found) return found;
  for (const inside of shadows(root)) {
    const deep = inside.querySelector(value);
    if (deep) return deep;
  }
  return null;
};

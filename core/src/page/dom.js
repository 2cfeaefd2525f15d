// What every function of ours in a page rests on: finding, seeing, and the passing of a frame.

// Open shadow roots of `root` and below it, outer before inner.
const shadows = function* (root) {
  for (const { shadowRoot } of [root, ...root.querySelectorAll("*")]) {
    if (shadowRoot) {
      yield shadowRoot;
      yield* shadows(shadowRoot);
    }
  }
};

// The first match in the document itself or, failing that, in a shadow root.
const first = (selector, root = document) => {
  const found = root.querySelector(selector);
  if (found) return found;
  for (const shadow of shadows(root)) {
    const inside = shadow.querySelector(selector);
    if (inside) return inside;
  }
  return null;
};

const all = (selector, root = document) =>
  [root, ...shadows(root)].flatMap(inside => [...inside.querySelectorAll(selector)]);

const visible = element => {
  const { width, height } = element.getBoundingClientRect();
  return width > 0 && height > 0 && element.checkVisibility({ visibilityProperty: true });
};

// The next frame; a page that is not drawn gets none, so a timer stands in.
const frame = () =>
  new Promise(resolve => {
    requestAnimationFrame(resolve);
    setTimeout(resolve, 50);
  });

// As much of an element's tag as tells it from others.
const describe = element => {
  if (!element) return "nothing";
  const id = element.id ? ` id="${element.id.slice(0, 60)}"` : "";
  const names = element.getAttribute("class")?.trim().slice(0, 60);
  return `<${element.localName}${id}${names ? ` class="${names}"` : ""}>`;
};

const excerpt = text => JSON.stringify(text.length > 200 ? `${text.slice(0, 200)}…` : text);

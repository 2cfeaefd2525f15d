// Finds the element of an action and waits two frames to see whether it is ready for it; then does what
// `then` says. The answer is {ready: ...}, {waiting: what it still has to become} or {refused: why never}.

const control = element => call(element, "closest", "label")?.control ?? element;

// A disabled button disables what is in it; `:disabled` knows of fieldsets.
const disabled = element =>
  call(call(element, "closest", "button, input, select, textarea, option") ?? element, "matches", ":disabled") ||
  call(element, "closest", "[aria-disabled=true]") !== null;

const TYPED = ["text", "search", "url", "tel", "email", "password", "number"];
const PICKED = ["date", "time", "datetime-local", "month", "week", "color", "range"];
const editable = element => {
  if (get(element, "isContentEditable")) return {};
  const input = element instanceof HTMLInputElement;
  if (!(element instanceof HTMLTextAreaElement) && !(input && [...TYPED, ...PICKED].includes(element.type))) {
    const what = input ? `an <input type="${element.type}">` : `a ${describe(element)}`;
    return { refused: `it is ${what}, which takes no text` };
  }
  return element.readOnly || element.ariaReadOnly === "true" ? { waiting: "to be editable; it is read-only" } : {};
};

// The element in which an element is drawn.
const above = element =>
  get(element, "assignedSlot") ?? get(element, "parentElement") ?? call(element, "getRootNode").host;

const box = element => {
  const { x, y, width, height } = bounds(element);
  return [x, y, width, height].join();
};
// An animation that is about to begin moves nothing in the frames before it does.
const still = element => !call(element, "getAnimations").some(animation => animation.pending);
const stable = async element => {
  const before = box(element);
  await frame();
  const between = box(element);
  await frame();
  return before === between && between === box(element) && still(element);
};

const act = async ({ selector, needs, value }, then) => {
  let element = first(selector);
  if (!element) return { waiting: "to be in the page" };
  if (needs.includes("control")) element = control(element);
  // A label stands for a box that is too small or too well hidden to be clicked.
  if (needs.includes("label") && !visible(element)) element = [...(element.labels ?? [])].find(visible) ?? element;
  if (needs.includes("visible") && !visible(element)) return { waiting: "to be visible" };
  if (needs.includes("enabled") && disabled(element)) return { waiting: "to be enabled" };
  if (needs.includes("editable")) {
    const verdict = editable(element);
    if (verdict.refused || verdict.waiting) return verdict;
  }
  if (needs.includes("stable") && !(await stable(element))) return { waiting: "to stop moving" };
  if (!get(element, "isConnected")) return { waiting: "to stay in the page" };
  return then(element, value);
};

// The bounds of what is brought back from a page, measured before the browser sends it.

const LONGEST = 16 << 20;

const cut = text => (text.length > 2000 ? `${text.slice(0, 2000)}… (cut; ${text.length} characters)` : text);

const tooLarge = size => `too large: ${size} characters, and at most ${LONGEST} are brought back`;

// What was thrown, which can be anything: even a description can throw. An error may come from another world than this
// script, so it is known by what it has.
const thrown = error => {
  try {
    if (typeof error?.name === "string" && typeof error.message === "string") {
      return cut(`${error.name}${error.message ? `: ${error.message}` : ""}`);
    }
    return cut((typeof error === "object" || typeof error === "string" ? JSON.stringify(error) : null) ?? String(error));
  } catch {
    return "something that cannot be described";
  }
};

// The number of characters in all texts of a value that a script of ours made.
const length = value => {
  if (typeof value === "string") return value.length;
  if (value === null || typeof value !== "object") return 0;
  return Object.keys(value).reduce((sum, name) => sum + name.length + length(value[name]), 0);
};

const bounded = verdict => {
  if (verdict.waiting) return { waiting: cut(verdict.waiting) };
  if (verdict.refused) return { refused: cut(verdict.refused) };
  const size = length(verdict.ready);
  return size > LONGEST ? { refused: tooLarge(size) } : verdict;
};

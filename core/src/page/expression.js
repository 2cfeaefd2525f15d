// What a job's expression comes to: {text}, its value as JSON text; {not}, why it has none; {truth}, where that is
// wanted; or {threw: [what, whether it is a syntax error]}. `origin` is an error made on the line before the expression's
// own first; without one, the expression is a script by itself.
async (expression, origin, wanted) => {
  // Where an error came from, in the lines that the job brought: [file, line].
  const place = error => {
    const stack = String(error?.stack);
    if (stack.length > 100_000) return undefined;
    return /^(?:.*@)?(?: *at (?:async )?)?(?:.*?\()?(.*?):(\d+):\d+\)?$/m.exec(stack.replace(/^.*Error.*\n/, ""))?.slice(1);
  };
  const line = error => {
    const [file, at] = place(error) ?? [];
    const [ours, before] = (origin && place(origin)) ?? [];
    return file === ours ? at - before : at;
  };
  const report = error => {
    let [at, isSyntax] = ["", false];
    try {
      isSyntax = error instanceof SyntaxError;
      if (error instanceof Error && line(error)) at = ` (line ${line(error)})`;
    } catch {
      // What was thrown throws itself when it is looked at.
    }
    return { threw: [`${thrown(error)}${at}`, isSyntax] };
  };

  let value;
  try {
    value = await expression();
    if (typeof value === "function") value = await value();
  } catch (error) {
    return report(error);
  }
  if (wanted === "truth") return { truth: Boolean(value) };
  if (value === undefined) return { text: "null" };
  if (typeof value === "bigint") return { not: cut(`the bigint ${value}n`) };
  if (typeof value === "number" && !Number.isFinite(value)) return { not: `the number ${value}` };
  try {
    if (typeof value?.nodeType === "number") {
      return { not: cut(`a ${value.nodeName} of the page; take its text or an attribute`) };
    }
    const text = JSON.stringify(value);
    if (text === undefined) return { not: `a ${typeof value}` };
    return text.length > LONGEST ? { not: tooLarge(text.length) } : { text };
  } catch (error) {
    // Each engine has its own words for this.
    const what = thrown(error).split("\n")[0];
    return { not: /cyclic|circular/.test(what) ? "a circular object" : `it threw ${what}` };
  }
}

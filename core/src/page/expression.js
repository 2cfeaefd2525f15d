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
  if (typeof value === "number" && !Number.isFinite(value)) return { not: `the number ${value}` };
  try {
    const text = written(value);
    return text === undefined ? { not: `a ${typeof value}` } : { text };
  } catch (error) {
    return { not: typeof error?.not === "string" ? error.not : `it threw ${thrown(error).split("\n")[0]}` };
  }
}

// What a job's expression comes to: its value ("value" is wanted) as JSON text, or whether it is true ("truth").
// `origin` is an error made on the line before the expression's own first.
async (text, expression, origin, wanted, longest) => {
  // Where an error came from, in the lines that the job brought: [file, line].
  const place = error => /^(?:.*@)?(?:.*?\()?(.*?):(\d+):\d+\)?$/m.exec(String(error?.stack).replace(/^.*Error.*\n/, ""))?.slice(1);
  const line = error => {
    const [file, at] = place(error) ?? [];
    const [ours, before] = (origin && place(origin)) ?? [];
    return file === ours ? at - before : at;
  };
  let value;
  try {
    value = await expression();
    if (typeof value === "function") value = await value();
  } catch (error) {
    if (!(error instanceof Error)) return text({ threw: [text(error) ?? String(error), false] });
    const at = line(error);
    return text({ threw: [`${error.name}: ${error.message}${at ? ` (line ${at})` : ""}`, error instanceof SyntaxError] });
  }
  if (wanted === "truth") return text({ truth: Boolean(value) });
  if (value === undefined) return text({ text: "null" });
  if (typeof value === "bigint") return text({ not: `the bigint ${value}n` });
  if (typeof value === "number" && !Number.isFinite(value)) return text({ not: `the number ${value}` });
  if (typeof value?.nodeType === "number") {
    return text({ not: `a ${value.nodeName} of the page; take its text or an attribute` });
  }
  try {
    const written = text(value);
    if (written === undefined) return text({ not: `a ${typeof value}` });
    return text(written.length > longest ? { not: `text of more than ${longest} characters` } : { text: written });
  } catch (error) {
    // Each engine has its own words for this.
    return text({ not: /cyclic|circular/.test(error.message) ? "a circular object" : error.message.split("\n")[0] });
  }
}

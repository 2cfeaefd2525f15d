// What a job's expression comes to, as JSON text: its value (`wanted` is "value") or whether it is true ("truth").
async (expression, wanted, longest) => {
  const settled = answer => JSON.stringify(answer, (_, part) => (typeof part === "string" ? part.toWellFormed() : part));
  let value;
  try {
    value = await expression();
    if (typeof value === "function") value = await value();
  } catch (error) {
    const told = error instanceof Error ? `${error.name}: ${error.message}` : (JSON.stringify(error) ?? String(error));
    return settled({ threw: [told, error instanceof SyntaxError] });
  }
  if (wanted === "truth") return settled({ truth: Boolean(value) });
  if (value === undefined) return settled({ text: "null" });
  if (typeof value === "bigint") return settled({ not: `the bigint ${value}n` });
  if (typeof value === "symbol") return settled({ not: "a symbol" });
  if (typeof value === "number" && !Number.isFinite(value)) return settled({ not: `the number ${value}` });
  if (typeof value?.nodeType === "number") {
    return settled({ not: `a ${value.nodeName} of the page; take its text or an attribute` });
  }
  try {
    const text = settled(value);
    return settled(text.length > longest ? { not: `text of more than ${longest} characters` } : { text });
  } catch (error) {
    return settled({ not: error.message.split("\n")[0] });
  }
}

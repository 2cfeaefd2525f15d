// A job's value as JSON text, or why it has none. A function is called first.
async function (longest) {
  const value = typeof this === "function" ? await this() : this;
  if (value === undefined) return { text: "null" };
  if (typeof value?.nodeType === "number") return { not: `a ${value.nodeName} of the page; take its text or an attribute` };
  if (typeof value === "number" && !Number.isFinite(value)) return { not: `the number ${value}` };
  try {
    const text = JSON.stringify(value);
    if (text === undefined) return { not: `a ${typeof value}` };
    return text.length > longest ? { not: `text of more than ${longest} characters` } : { text };
  } catch (error) {
    return { not: error.message.split("\n")[0] };
  }
}

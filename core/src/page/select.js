// Chooses exactly the options with these values or, failing that, these labels.
(element, wanted) => {
  if (!(element instanceof HTMLSelectElement)) return { refused: `it is a ${describe(element)}, not a <select>` };
  if (wanted.length > 1 && !element.multiple) return { refused: "it takes one option only" };
  const options = [...element.options];
  const label = option => option.label.trim().replace(/\s+/g, " ");
  const find = name => options.find(o => o.value === name) ?? options.find(o => label(o) === name.trim());
  const chosen = wanted.map(find);
  const missing = wanted.find((_, n) => !chosen[n]);
  if (missing !== undefined) {
    const there = options.slice(0, 20).map(o => excerpt(o.value === label(o) ? o.value : `${o.value} (${label(o)})`));
    return { waiting: `to have the option ${excerpt(missing)}; it has ${there.join(", ") || "none"}` };
  }
  const off = chosen.find(option => option.matches(":disabled"));
  if (off) return { waiting: `to have the option ${excerpt(off.value)} enabled` };
  for (const option of options) option.selected = chosen.includes(option);
  element.dispatchEvent(new Event("input", { bubbles: true, composed: true }));
  element.dispatchEvent(new Event("change", { bubbles: true }));
  return { ready: null };
}

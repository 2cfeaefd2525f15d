// Whether the element holds the text now: null, or what it holds instead, where it writes the text in its own way, as
// $4,300.00 for 4300.
(element, text) => {
  const held = get(element, "isContentEditable") ? get(element, "innerText") : element.value;
  const bare = text => text.toLowerCase().replace(/[^\p{L}\p{N}]/gu, "");
  // The letters and digits of the text, in their order.
  const keeps = () => {
    let from = 0;
    for (const sign of bare(text)) {
      from = bare(held).indexOf(sign, from) + 1;
      if (from === 0) return false;
    }
    return (text.trim() === "") === (held.trim() === "");
  };
  const isVerbatim = ["password", "email", "url"].includes(element.type);
  const is = isVerbatim ? held === text || (element.type !== "password" && held === text.trim()) : held === text || keeps();
  if (!is) return { waiting: `to keep the text; it holds ${element.type === "password" ? "another" : excerpt(held)}` };
  element.dispatchEvent(new Event("change", { bubbles: true }));
  return { ready: null };
}

// Whether the element holds the text now. Spaces and punctuation are not compared: pages format numbers.
(element, text) => {
  const held = element.isContentEditable ? element.innerText : element.value;
  const bare = text => text.toLowerCase().replace(/[^\p{L}\p{N}]/gu, "");
  if (held !== text && (bare(held) !== bare(text) || (text === "") !== (held.trim() === ""))) {
    return { waiting: `to keep the text; it holds ${element.type === "password" ? "another" : excerpt(held)}` };
  }
  element.dispatchEvent(new Event("change", { bubbles: true }));
  return { ready: null };
}

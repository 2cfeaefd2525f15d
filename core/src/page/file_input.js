// Whether the element takes so many files. None at all empties it here, which the protocol cannot do.
(element, count) => {
  if (!(element instanceof HTMLInputElement) || element.type !== "file") {
    return { refused: `it is a ${describe(element)}, not an <input type="file">` };
  }
  if (count > 1 && !element.multiple) return { refused: `it takes one file, not ${count}` };
  if (count === 0 && element.files.length > 0) {
    element.value = "";
    element.dispatchEvent(new Event("input", { bubbles: true, composed: true }));
    element.dispatchEvent(new Event("change", { bubbles: true }));
  }
  return { ready: null };
}

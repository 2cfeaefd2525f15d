// Readies the element to be overwritten: true when text is to be inserted, false when the value was set here
// because its kind (a date, a colour) is picked and not typed.
(element, text) => {
  // Whether a value is what the text says: the browser writes it in its own way.
  const means = (value, text, type) => {
    if (value === text || type === "range") return value === text || (text !== "" && +value === +text);
    if (type === "color") return value.toLowerCase() === text.toLowerCase();
    return (value === "") === (text === "");
  };
  if (element instanceof HTMLInputElement && PICKED.includes(element.type)) {
    const { set } = Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, "value");
    const before = element.value;
    set.call(element, text);
    if (!means(element.value, text.trim(), element.type)) {
      set.call(element, before);
      return { refused: `its type is "${element.type}", which cannot hold ${excerpt(text)}` };
    }
    element.dispatchEvent(new Event("input", { bubbles: true, composed: true }));
    element.dispatchEvent(new Event("change", { bubbles: true }));
    return { ready: false };
  }
  const verdict = focus(element, "all");
  return verdict.waiting ? verdict : { ready: true };
}

// A value as JSON text, whatever a page has made of its classes: what a page can replace is used only where JavaScript has
// no syntax for it. What cannot be written is thrown as {not: why}.
const written = value => {
  let size = 0;
  const counted = text => {
    size += text.length;
    if (size > LONGEST) throw { not: tooLarge(`more than ${LONGEST}`) };
    return text;
  };
  const quoted = text => {
    if (text.length > LONGEST) throw { not: tooLarge(text.length) };
    return counted(JSON.stringify(text));
  };
  // A `toJSON` that a page has given to every list or every object is not the value's own.
  const isOwn = (value, isList) => value.toJSON !== (isList ? [].toJSON : {}.toJSON);

  const write = (value, above) => {
    if (value === null || typeof value === "boolean") return counted(`${value}`);
    if (typeof value === "string") return quoted(value);
    if (typeof value === "number") return counted(value - value === 0 ? `${value}` : "null");
    if (typeof value === "bigint") throw { not: cut(`the bigint ${value}n`) };
    if (typeof value !== "object") return undefined;
    for (let at = above; at; at = at.above) {
      if (at.value === value) throw { not: "a circular object" };
    }
    if (typeof value.nodeType === "number" && typeof value.nodeName === "string") {
      throw { not: cut(`a ${value.nodeName} of the page; take its text or an attribute`) };
    }
    const here = { value, above };
    const isList = Array.isArray(value);
    if (typeof value.toJSON === "function" && isOwn(value, isList)) {
      const stands = value.toJSON();
      return stands === value ? members(value, here) : write(stands, here);
    }
    if (value instanceof String || value instanceof Number || value instanceof Boolean) return write(value.valueOf(), here);
    return isList ? list(value, here) : members(value, here);
  };
  const list = (values, here) => {
    let text = "";
    for (let at = 0; at < values.length; at += 1) text += `${at ? "," : ""}${write(values[at], here) ?? counted("null")}`;
    return `[${text}]`;
  };
  const members = (value, here) => {
    let text = "";
    // A copy, because it inherits nothing.
    const own = { __proto__: null, ...value };
    for (const name in own) {
      const member = write(own[name], here);
      if (member !== undefined) text += `${text ? "," : ""}${quoted(name)}:${member}`;
    }
    return `{${text}}`;
  };
  return write(value, null);
};

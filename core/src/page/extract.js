// Reads every field of a job in one go. A field is [name, {selector, take, each}] or [name, {selector, fields}].
fields => {
  const absolute = (element, url) => {
    try {
      return new URL(url, get(element, "baseURI")).href;
    } catch {
      return url;
    }
  };
  // Ends the reading early: an enormous text in each of many elements would not fit into the page's memory.
  let left = LONGEST;
  const counted = value => {
    left -= value?.length ?? 0;
    if (left < 0) throw new RangeError(tooLarge(`more than ${LONGEST}`));
    return value;
  };
  const taken = (element, take) => {
    if (take === "text") return counted(textOf(element).trim());
    if (take === "html") return counted(get(element, "innerHTML"));
    const value = counted(call(element, "getAttribute", take.attribute));
    return value !== null && /^(href|src)$/i.test(take.attribute) ? absolute(element, value) : value;
  };
  const read = (root, { selector, take, each, fields }) => {
    if (fields) return all(selector, root).map(element => record(element, fields));
    if (each) return all(selector, root).map(element => taken(element, take));
    const element = first(selector, root);
    return element && taken(element, take);
  };
  const record = (root, fields) =>
    Object.fromEntries(fields.map(([name, field]) => [name, read(root, field)]));

  return { ready: record(document, fields) };
}

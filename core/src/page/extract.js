// Reads every field of a job in one go. A field is {selector, take, all} or {selector, fields}.
fields => {
  const absolute = (element, url) => {
    try {
      return new URL(url, element.baseURI).href;
    } catch {
      return url;
    }
  };
  const taken = (element, take) => {
    if (take === "text") return (element.innerText ?? element.textContent).trim();
    if (take === "html") return element.innerHTML;
    const value = element.getAttribute(take.attribute);
    return value !== null && /^(href|src)$/i.test(take.attribute) ? absolute(element, value) : value;
  };
  const read = (root, { selector, take, each, fields }) => {
    if (fields) return all(selector, root).map(element => record(element, fields));
    if (each) return all(selector, root).map(element => taken(element, take));
    const element = first(selector, root);
    return element && taken(element, take);
  };
  const record = (root, fields) =>
    Object.fromEntries(Object.entries(fields).map(([name, field]) => [name, read(root, field)]));

  return { ready: record(document, fields) };
}

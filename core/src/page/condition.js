// Whether a condition holds: {ready: null}, or {waiting: what is the case instead}.
({ kind, selector, state, text, count, pattern }) => {
  const holds = (yes, found) => (yes ? { ready: null } : { waiting: found });
  const contains = (whole, part) => whole.includes(part) || plain(whole).includes(plain(part));
  // `*` stands for anything; the pattern may lie anywhere in the text.
  const matches = (whole, pattern) => {
    let from = 0;
    for (const part of pattern.split("*")) {
      const at = whole.indexOf(part, from);
      if (at < 0) return false;
      from = at + part.length;
    }
    return true;
  };
  // An address as people write it.
  const readable = url => {
    try {
      return decodeURI(url);
    } catch {
      return url;
    }
  };
  // Loaded, and the last resource arrived half a second ago.
  const quiet = () => {
    const entries = [...performance.getEntriesByType("navigation"), ...performance.getEntriesByType("resource")];
    const ends = entries.flatMap(entry => [entry.responseEnd, entry.loadEventEnd ?? 0]);
    return performance.now() - Math.max(0, ...ends) >= 500;
  };

  switch (kind) {
    case "load": {
      const readyState = get(document, "readyState");
      if (state === "commit") return { ready: null };
      if (state === "dom") return holds(readyState !== "loading", "it is still being parsed");
      if (readyState !== "complete") return { waiting: "it is still loading" };
      return holds(state === "load" || quiet(), "resources are still arriving");
    }
    case "element": {
      const element = first(selector);
      const seen = element !== null && visible(element);
      const is = { visible: seen, hidden: !seen, attached: element !== null, detached: element === null };
      return holds(is[state], element ? (seen ? "it is visible" : "it is hidden") : "it is not in the page");
    }
    case "element_text": {
      const element = first(selector);
      if (!element) return { waiting: "it is not in the page" };
      const isField = call(element, "matches", "input, textarea, select");
      const held = isField ? element.value : textOf(element);
      return holds(contains(held, text), `it contains ${excerpt(plain(held))}`);
    }
    case "count": {
      const found = all(selector).length;
      return holds(found === count, `there ${found === 1 ? "is 1" : `are ${found}`}`);
    }
    case "text": {
      const body = get(document, "body") ?? get(document, "documentElement");
      const held = get(body, "innerText") ?? get(body, "textContent");
      const found = contains(held, text) || (hidesText(body) && contains(shown(body), text));
      return holds(found, `it contains ${excerpt(plain(held))}`);
    }
    case "title":
      return holds(contains(get(document, "title"), text), `it is ${excerpt(get(document, "title"))}`);
    case "url":
      return holds(matches(location.href, pattern) || matches(readable(location.href), pattern), `it is ${location.href.slice(0, 500)}`);
  }
}

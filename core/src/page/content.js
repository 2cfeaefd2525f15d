() => ({
  ready: (get(document, "doctype") ? `${new XMLSerializer().serializeToString(get(document, "doctype"))}\n` : "") +
    get(get(document, "documentElement"), "outerHTML"),
})

// Whether a checkbox or radio button is ticked. With `wanted` given, it waits until that is so.
(element, wanted) => {
  const ticked = () => {
    const native = element instanceof HTMLInputElement && ["checkbox", "radio"].includes(element.type);
    if (native) return element.checked;
    const roles = ["checkbox", "radio", "switch", "menuitemcheckbox", "menuitemradio"];
    return roles.includes(call(element, "getAttribute", "role")) ? get(element, "ariaChecked") === "true" : null;
  };
  const is = ticked();
  if (is === null) return { refused: `it is a ${describe(element)}, which cannot be ticked` };
  if (wanted === null || is === wanted) return { ready: is };
  return { waiting: `to be ${wanted ? "ticked" : "unticked"} after the click` };
}

// Whether a checkbox or radio button is ticked.
element => {
  const native = element instanceof HTMLInputElement && ["checkbox", "radio"].includes(element.type);
  if (native) return { ready: element.checked };
  const roles = ["checkbox", "radio", "switch", "menuitemcheckbox", "menuitemradio"];
  if (roles.includes(element.getAttribute("role"))) return { ready: element.ariaChecked === "true" };
  return { refused: `it is a ${describe(element)}, which cannot be ticked` };
}

// Gives the element the focus, with the caret after what it holds or, for "all", with everything selected: true, or false
// when the caret is not there yet.
(element, selection) => {
  let host = element;
  const editable = node => node !== null && get(node, "isContentEditable");
  while (editable(host) && editable(get(host, "parentElement"))) host = get(host, "parentElement");
  call(host, "focus");
  let focused = get(document, "activeElement");
  while (focused && shadow(focused)?.activeElement) focused = shadow(focused).activeElement;
  if (focused !== host) return { waiting: "to take the focus" };
  if (selection === "keep") return { ready: true };
  if (editable(element)) {
    getSelection().selectAllChildren(element);
    if (selection === "end") getSelection().collapseToEnd();
  } else if (selection === "all") {
    element.select();
  } else {
    try {
      element.setSelectionRange(element.value.length, element.value.length);
    } catch {
      // Numbers and e-mail addresses have no caret that scripts may move. The key End moves it.
      return { ready: false };
    }
  }
  return { ready: true };
}

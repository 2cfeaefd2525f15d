// Gives the element the focus, with the caret after what it holds or, for "all", with everything selected.
(element, selection) => {
  let host = element;
  while (host.isContentEditable && host.parentElement?.isContentEditable) host = host.parentElement;
  host.focus();
  let focused = document.activeElement;
  while (focused?.shadowRoot?.activeElement) focused = focused.shadowRoot.activeElement;
  if (focused !== host) return { waiting: "to take the focus" };
  if (selection === "keep") return { ready: null };
  if (element.isContentEditable) {
    getSelection().selectAllChildren(element);
    if (selection === "end") getSelection().collapseToEnd();
  } else if (selection === "all") {
    element.select();
  } else {
    try {
      element.setSelectionRange(element.value.length, element.value.length);
    } catch {
      // Numbers and e-mail addresses have no caret that scripts may move; theirs stays where it was.
    }
  }
  return { ready: null };
}

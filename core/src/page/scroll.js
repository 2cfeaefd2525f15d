// Scrolls the page, and lets its listeners hear of it before the next step.
async ({ to, right, down }) => {
  const page = get(document, "scrollingElement") ?? get(document, "documentElement");
  const behavior = "instant";
  if (to === "by") scrollBy({ left: right, top: down, behavior });
  else scrollTo({ top: to === "top" ? 0 : page.scrollHeight, behavior });
  await frame();
  await frame();
  return { ready: null };
}

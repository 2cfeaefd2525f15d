// Where a drag begins and ends, with both ends in view at once, and what begins when the pointer moves.
async (element, { selector, by }) => {
  const start = await point(element);
  if (!start.ready) return start;

  // What the browser itself drags: it sends `dragstart` and `drop` in place of the pointer's moves.
  const draggable = hit => {
    for (let up = hit; up; up = above(up)) {
      if (get(up, "draggable")) return true;
    }
    return false;
  };
  const what = draggable(element) ? "draggable" : "pointer";

  if (by) {
    const from = start.ready;
    const to = { x: from.x + by[0], y: from.y + by[1] };
    const inside = to.x >= 0 && to.y >= 0 && to.x < innerWidth && to.y < innerHeight;
    if (inside) return { ready: { from, to, what } };
    const reached = `${Math.round(to.x)}, ${Math.round(to.y)}`;
    return { refused: `the drag would end at ${reached}, outside the viewport of ${innerWidth} x ${innerHeight}` };
  }

  const target = first(selector);
  const lacks = what => ({ waiting: `to have its target; waiting for ${excerpt(selector)} ${what}` });
  if (!target) return lacks("to be in the page");
  if (!visible(target)) return lacks("to be visible");
  if (!(await stable(target))) return lacks("to stop moving");
  const end = await point(target, element);
  if (!end.ready) return lacks(end.waiting);
  // The target may have been scrolled into view, and the element out of it.
  const seen = box(target);
  const again = await point(element);
  if (!again.ready) return again;
  if (box(target) !== seen) return lacks("to fit into the viewport together with the element");
  return { ready: { from: again.ready, to: end.ready, what } };
}

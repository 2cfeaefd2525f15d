// Where the pointer hits the element; scrolls it into view if it must. What lies over it for now may be `beside`, which
// moves away by itself.
async (element, beside) => {
  // What takes the pointer for the element's sake: clicking a button's icon is clicking the button.
  const target = call(element, "matches", "input, textarea, select")
    ? element
    : (call(element, "closest", "button, a, [role=button], [role=link]") ?? element);

  // The middle of what can be seen of it.
  const middle = () => {
    for (const { left, top, right, bottom } of boxes(element)) {
      const [l, r] = [Math.max(left, 0), Math.min(right, get(document, "documentElement").clientWidth || innerWidth)];
      const [t, b] = [Math.max(top, 0), Math.min(bottom, innerHeight)];
      if (l < r && t < b) return { x: (l + r) / 2, y: (t + b) / 2 };
    }
    return null;
  };

  const topmost = ({ x, y }) => {
    let hit = call(document, "elementFromPoint", x, y);
    while (hit && shadow(hit)) {
      const inside = shadow(hit).elementFromPoint(x, y);
      if (!inside || inside === hit) break;
      hit = inside;
    }
    return hit;
  };

  // The target itself, something in it, or its label.
  const reaches = hit => {
    for (let up = hit; up; up = above(up)) {
      if (up === target || up.control === target || (beside && up === beside)) return true;
    }
    return false;
  };

  let over = null;
  for (const block of [null, "center", "end", "start"]) {
    if (block) {
      call(element, "scrollIntoView", { block, inline: "center", behavior: "instant" });
      await frame();
    }
    const at = middle();
    if (!at) continue;
    over = topmost(at);
    if (reaches(over)) return { ready: at };
  }
  return { waiting: over ? `to be uncovered; ${describe(over)} lies over it` : "to come into view" };
}

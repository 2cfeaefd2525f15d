// Where an element lies in the page, scrolled near so that it is drawn.
async element => {
  call(element, "scrollIntoView", { block: "nearest", inline: "nearest", behavior: "instant" });
  await frame();
  const { x, y, width, height } = bounds(element);
  return { ready: { x: x + scrollX, y: y + scrollY, width, height, scale: 1 } };
}

// Where an element lies in the page, scrolled near so that it is drawn.
async element => {
  element.scrollIntoView({ block: "nearest", inline: "nearest", behavior: "instant" });
  await frame();
  const { x, y, width, height } = element.getBoundingClientRect();
  return { ready: { x: x + scrollX, y: y + scrollY, width, height, scale: 1 } };
}

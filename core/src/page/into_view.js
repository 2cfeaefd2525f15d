async element => {
  call(element, "scrollIntoView", { block: "center", inline: "nearest", behavior: "instant" });
  await frame();
  await frame();
  return { ready: null };
}

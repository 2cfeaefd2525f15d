// Answers every page below its own folder itself.
addEventListener("install", () => skipWaiting());
addEventListener("activate", event => event.waitUntil(clients.claim()));
addEventListener("fetch", event => event.respondWith(
  new Response("<!doctype html><title>Answer</title><p id=out>from the worker</p>", { headers: { "content-type": "text/html" } })));

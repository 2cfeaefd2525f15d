// A service worker that does what its query says: "hangs", "spins" or "streams" when a page is asked for, or never
// "installs".
const does = location.search.slice(1);
addEventListener("install", event => does === "installs" ? event.waitUntil(new Promise(() => {})) : skipWaiting());
addEventListener("activate", event => event.waitUntil(clients.claim()));
addEventListener("fetch", event => {
  if (does === "spins") for (;;);
  if (does === "hangs") event.respondWith(new Promise(() => {}));
  if (does === "streams") {
    const pull = controller => controller.enqueue(new TextEncoder().encode("<p>a".repeat(1000)));
    event.respondWith(new Response(new ReadableStream({ pull }), { headers: { "content-type": "text/html" } }));
  }
});

// Pages that take memory. What a machine could not spare is bounded by the page itself.

//: typed-arrays | wait | timeout page_crash overload
soon(() => { for (let n = 0; n < 64; n++) held.push(new Uint8Array(1 << 24).fill(n)); });

//: objects | wait | timeout page_crash overload
soon(() => forever(() => held.push({ a: [1, 2, 3], b: { c: {} } })));

//: strings | wait | timeout page_crash overload
soon(() => forever(() => held.push(`${held.length}`.repeat(1000))));

//: nodes | wait | timeout page_crash overload
soon(() => forever(() => document.body.append(document.createElement("p"))));

//: nodes-in-slices | use | succeeded timeout page_crash overload
setInterval(() => { for (let n = 0; n < 5000; n++) document.body.append(document.createElement("p")); }, 20);

//: longest-array | wait | timeout page_crash overload
soon(() => { held.push(new Array(2 ** 27).fill(1.5)); });

//: array-too-long | use | succeeded
soon(() => { held.push(new Array(2 ** 32)); });

//: blobs | use | succeeded timeout
soon(() => { for (let n = 0; n < 8; n++) held.push(new Blob([new Uint8Array(1 << 26)])); });

//: webassembly | wait | timeout page_crash overload
soon(() => {
  const memory = new WebAssembly.Memory({ initial: 16, maximum: 65536 });
  memory.grow(16384 - 16);
  new Uint8Array(memory.buffer).fill(7);
  held.push(memory);
});

//: local-storage | use | succeeded timeout
soon(() => { for (let n = 0; n < 1000; n++) localStorage.setItem(`${n}`, "x".repeat(1e5)); });

//: indexed-database | use | succeeded timeout
soon(() => {
  const request = indexedDB.open("attack");
  request.onupgradeneeded = () => request.result.createObjectStore("a", { autoIncrement: true });
  request.onsuccess = () => {
    for (let n = 0; n < 40; n++) request.result.transaction("a", "readwrite").objectStore("a").add("x".repeat(4e6));
  };
});

//: caches | use | succeeded timeout
soon(async () => {
  const cache = await caches.open("attack");
  for (let n = 0; n < 20; n++) await cache.put(`/${n}`, new Response(new Uint8Array(1 << 23)));
});

//: messages-to-nobody | use | succeeded timeout
soon(() => { const { port1 } = held[held.push(new MessageChannel()) - 1]; for (let n = 0; n < 100; n++) port1.postMessage("x".repeat(1e6)); });

//: deep-document | use | succeeded timeout page_crash script
soon(() => {
  let inner = document.body;
  for (let n = 0; n < 20000; n++) inner = inner.appendChild(document.createElement("div"));
});

//: deep-recursion | use | succeeded
soon(function again() { again(); });

//: one-long-line | use | succeeded timeout
soon(() => { document.querySelector("#out").append("m".repeat(5e6)); });

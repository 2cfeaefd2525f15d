// Threads and processes that pages start.

//: five-hundred /crowd | wait | timeout page_crash overload

//: fifty-spinning | wait | timeout page_crash overload
soon(() => { for (let n = 0; n < 50; n++) worker("for (;;);"); });

//: three-hundred-idle | use | succeeded timeout page_crash overload
soon(() => { for (let n = 0; n < 300; n++) held.push(worker("onmessage = () => {};")); });

//: workers-of-workers | wait | timeout page_crash overload
const inner = "const again = depth => { if (depth) for (let n = 0; n < 3; n++) new Worker(URL.createObjectURL(new Blob([`const again = ${again}; again(${depth - 1})`]))); for (;;); };";
soon(() => worker(`${inner} again(3);`));

//: worker-memory | wait | timeout page_crash overload
soon(() => { for (let n = 0; n < 4; n++) worker("const held = []; for (let n = 0; n < 16; n++) held.push(new Uint8Array(1 << 24).fill(n)); for (;;);"); });

//: worker-messages | use | succeeded timeout page_crash
soon(() => { worker("setInterval(() => { for (let n = 0; n < 50; n++) postMessage('x'.repeat(1e5)); }, 10);").onmessage = () => {}; });

//: shared-worker | use | succeeded
soon(() => { held.push(new SharedWorker(URL.createObjectURL(new Blob(["for (;;);"])))); });

//: worker-that-waits | use | succeeded
soon(() => worker("Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);"));

//: worklets | use | succeeded timeout
soon(() => { for (let n = 0; n < 20; n++) new OfflineAudioContext(1, 128, 44100).audioWorklet.addModule(URL.createObjectURL(new Blob(["for (;;);"], { type: "text/javascript" }))); });

//: service-worker-that-hangs | [{"evaluate":"ready"},{"goto":"HERE"}] | timeout
const ready = navigator.serviceWorker.register("/attack/service.js?hangs").then(() => navigator.serviceWorker.ready).then(() => 1);

//: service-worker-that-spins | [{"evaluate":"ready"},{"goto":"HERE"}] | timeout
const ready = navigator.serviceWorker.register("/attack/service.js?spins").then(() => navigator.serviceWorker.ready).then(() => 1);

//: service-worker-with-an-endless-answer | [{"evaluate":"ready"},{"goto":"HERE"}] | timeout
const ready = navigator.serviceWorker.register("/attack/service.js?streams").then(() => navigator.serviceWorker.ready).then(() => 1);

//: service-worker-that-never-installs | [{"evaluate":"ready"}] | timeout
const ready = navigator.serviceWorker.register("/attack/service.js?installs").then(() => navigator.serviceWorker.ready).then(() => 1);

//: service-workers-by-the-hundred | use | succeeded timeout
soon(() => { for (let n = 0; n < 100; n++) navigator.serviceWorker.register(`/attack/service.js?${n}`, { scope: `/attack/${n}` }); });

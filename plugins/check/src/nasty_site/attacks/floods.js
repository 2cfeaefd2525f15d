// More events than anybody reads.

//: console | use | succeeded timeout
setInterval(() => { for (let n = 0; n < 500; n++) console.log("x".repeat(1000), { n }); }, 10);

//: console-in-a-loop | wait | timeout
soon(() => forever(() => console.error("x".repeat(1e5))));

//: console-of-large-objects | use | succeeded timeout
soon(() => { const large = Array(1e6).fill({}); setInterval(() => { for (let n = 0; n < 100; n++) console.dir(large, document, window); }, 10); });

//: one-large-line | use | succeeded timeout
soon(() => console.log(much()));

//: messages | use | succeeded timeout
setInterval(() => { for (let n = 0; n < 1000; n++) postMessage("x".repeat(1000), "*"); }, 5);

//: document | use | succeeded timeout
setInterval(() => { for (let n = 0; n < 2000; n++) { const made = document.createElement("p"); document.body.append(made); made.remove(); } }, 5);

//: attributes | use | succeeded timeout
setInterval(() => { for (let n = 0; n < 5000; n++) document.body.setAttribute("a", n); }, 5);

//: timers | use | succeeded timeout
soon(() => { for (let n = 0; n < 2e5; n++) setInterval(() => {}, 1); });

//: requests | use | succeeded timeout
setInterval(() => { for (let n = 0; n < 100; n++) fetch(`/status/200?${Math.random()}`).catch(() => {}); }, 20);

//: requests-without-answer | use | succeeded timeout
soon(() => { for (let n = 0; n < 2000; n++) fetch(`/hang?${n}`).catch(() => {}); });

//: large-requests | use | succeeded timeout
setInterval(() => fetch("/headers", { method: "POST", body: new Uint8Array(1 << 22) }).catch(() => {}), 50);

//: endless-answers | use | succeeded timeout
soon(() => { for (let n = 0; n < 6; n++) fetch("/huge").then(answer => answer.arrayBuffer()).then(body => held.push(body)).catch(() => {}); });

//: beacons | use | succeeded timeout
setInterval(() => { for (let n = 0; n < 100; n++) navigator.sendBeacon("/headers", "x".repeat(1000)); }, 20);

//: sockets | use | succeeded timeout
soon(() => { for (let n = 0; n < 300; n++) held.push(new WebSocket(`ws://${location.host}/headers`)); });

//: event-sources | use | succeeded timeout
soon(() => { for (let n = 0; n < 100; n++) held.push(new EventSource("/drip")); });

//: cookies | [{"evaluate":"new Promise(done => setTimeout(() => done(1), 1000))"},{"get_cookies":{}}] | succeeded timeout
setInterval(() => { for (let n = 0; n < 100; n++) document.cookie = `a${Math.random()}=${"x".repeat(2000)}`; }, 20);

//: events | use | succeeded timeout
setInterval(() => { for (let n = 0; n < 20000; n++) dispatchEvent(new Event("a")); }, 5);

//: titles | use | succeeded timeout
setInterval(() => { for (let n = 0; n < 500; n++) document.title = "x".repeat(1000) + n; }, 5);

//: focus | use | succeeded timeout
setInterval(() => { document.querySelector("#target").focus(); blur(); focus(); }, 1);

//: notifications-and-permissions | use | succeeded timeout
setInterval(() => { Notification.requestPermission(); navigator.geolocation.getCurrentPosition(() => {}, () => {}); navigator.mediaDevices?.getUserMedia({ video: true }).catch(() => {}); }, 20);

//: drip /drip | wait | timeout

//: huge /huge | wait | timeout

//: silence /hang | wait | timeout

//: garbage /garbage | wait | timeout

//: hungry /hungry/512 | wait | timeout page_crash overload

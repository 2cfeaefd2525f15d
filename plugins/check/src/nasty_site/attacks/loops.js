// Pages that take a processor and never answer.

//: while-loading | wait | timeout
for (;;);

//: later | wait | timeout
soon(() => { for (;;); });

//: microtasks | wait | timeout
soon(() => { const again = () => Promise.resolve().then(again); again(); });

//: animation-frames | use | succeeded timeout
const busy = () => { const end = Date.now() + 300; while (Date.now() < end); requestAnimationFrame(busy); };
requestAnimationFrame(busy);

//: changes-that-change | wait | timeout
new MutationObserver(() => document.body.append("a")).observe(document.body, { childList: true });
soon(() => document.body.append("a"));

//: expression | wait | timeout
soon(() => /^(a+)+$/.test(`${"a".repeat(60)}b`));

//: layout | wait | timeout
soon(() => forever(() => { document.body.style.width = `${Math.random() * 999}px`; held[0] = document.body.offsetHeight; }));

//: request-without-answer | wait | timeout
soon(() => { const request = new XMLHttpRequest(); request.open("GET", "/hang", false); request.send(); });

//: debugger | use | succeeded timeout
setInterval(() => { debugger; }, 10);

//: script-of-the-job | [{"evaluate":"(() => { for (;;); })()"}] | timeout

//: promise-of-the-job | [{"evaluate":"new Promise(() => {})"}] | timeout

//: condition-of-the-job | [{"wait_for":{"function":"(() => { for (;;); })()"}}] | timeout

//: in-a-click | [{"click":"#target"},{"extract":{"a":"#out"}}] | timeout
document.querySelector("#target").onclick = () => { for (;;); };

//: in-a-key | [{"press":{"key":"a","selector":"#target"}},{"extract":{"a":"#out"}}] | timeout
document.querySelector("#target").onkeydown = () => { for (;;); };

//: in-a-scroll | [{"scroll":"bottom"},{"extract":{"a":"#out"}}] | timeout
document.body.style = "height: 9000px";
addEventListener("scroll", () => { for (;;); });

//: on-leaving | [{"goto":"about:blank"},{"wait_for":{"selector":"#never","timeout":"1s"}}] | timeout
addEventListener("pagehide", () => { for (;;); });

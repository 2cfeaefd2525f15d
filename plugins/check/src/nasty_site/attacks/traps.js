// Pages that replace what everybody uses, and values that fight those who read them.

//: to-json-throws | [{"evaluate":"({toJSON() { throw 9 }})"}] | script timeout

//: to-json-spins | [{"evaluate":"({toJSON() { for (;;); }})"}] | timeout

//: to-json-is-enormous | [{"evaluate":"({toJSON: much})"}] | script timeout

//: to-json-of-everything | use | succeeded script timeout
Object.prototype.toJSON = Array.prototype.toJSON = String.prototype.toJSON = much;

//: getter-throws | [{"evaluate":"({get a() { throw 9 }})"}] | script timeout

//: getter-spins | [{"evaluate":"({get a() { for (;;); }})"}] | timeout

//: getter-grows | [{"evaluate":"(() => { const more = () => ({get a() { return more() }}); return more() })()"}] | script timeout

//: proxy-of-keys | [{"evaluate":"new Proxy({}, {ownKeys: () => Array.from({length: 1e6}, (_, n) => `${n}`), getOwnPropertyDescriptor: () => ({enumerable: true, configurable: true, value: 'x'.repeat(100)})})"}] | script timeout

//: then-never | [{"evaluate":"({then() {}})"}] | timeout

//: then-again | [{"evaluate":"(() => { const again = {then(done) { done(again) }}; return again })()"}] | timeout

//: then-throws | [{"evaluate":"({get then() { throw new Error(much()) }})"}] | script timeout

//: function-of-functions | [{"evaluate":"function again() { return again }"}] | script succeeded timeout

//: setters-of-everything | use | succeeded script timeout
for (const name of ["a", "value", "text", "id", "then", "result", "type"]) Object.defineProperty(Object.prototype, name, { set() { throw 1; }, get() { return undefined; }, configurable: true });

//: then-of-everything | use | succeeded script timeout
Object.prototype.then = function () {};

//: no-promises | use | succeeded script timeout
Promise.prototype.then = function () { return this; };
window.Promise = null;

//: no-json | use | succeeded script timeout
JSON.stringify = much; JSON.parse = () => { throw 1; };

//: no-arrays | use | succeeded script timeout
for (const name of ["map", "push", "slice", "filter", "forEach", "join", "includes", "indexOf"]) Array.prototype[name] = () => { throw 1; };
Array.prototype[Symbol.iterator] = undefined; Array.from = much;

//: no-strings | use | succeeded script timeout
for (const name of ["slice", "trim", "replace", "split", "includes", "padEnd", "toString"]) String.prototype[name] = much;

//: no-objects | use | succeeded script timeout
Object.keys = Object.entries = Object.defineProperty = Object.getOwnPropertyNames = () => { throw 1; };

//: no-queries | use | succeeded script timeout
Document.prototype.querySelector = Document.prototype.querySelectorAll = Element.prototype.querySelectorAll = () => { throw 1; };

//: no-timers | use | succeeded script timeout
soon(() => { window.setTimeout = window.setInterval = window.requestAnimationFrame = () => 0; });

//: no-measures | [{"click":{"selector":"#target","timeout":"2s"}},{"screenshot":"#out"}] | succeeded script timeout
Element.prototype.getBoundingClientRect = Element.prototype.getClientRects = () => { throw 1; };
document.elementFromPoint = much;

//: no-text | [{"extract":{"a":"#out","b":{"html":"#out"},"c":{"selector":"#out","attribute":"id"}}}] | succeeded script timeout
for (const [of, name] of [[HTMLElement, "innerText"], [Node, "textContent"], [Element, "innerHTML"]]) Object.defineProperty(of.prototype, name, { get() { throw new Error(much()); } });
Element.prototype.getAttribute = much;

//: no-state | use | succeeded script timeout
for (const name of ["readyState", "title", "URL", "body", "documentElement"]) Object.defineProperty(document, name, { get() { throw 1; } });

//: no-clock | use | succeeded script timeout
Object.defineProperty(performance, "timeOrigin", { get: much }); performance.now = Date.now = () => NaN;

//: no-errors | use | succeeded script timeout
window.Error = window.SyntaxError = window.TypeError = null; Error.prepareStackTrace = much;

//: no-calls | use | succeeded script timeout
Function.prototype.call = Function.prototype.apply = Function.prototype.bind = () => { throw 1; };

//: no-fields | [{"fill":{"selector":"#field","text":"abc","timeout":"2s"}},{"extract":{"a":"#out"}}] | script timeout assertion succeeded
document.body.innerHTML += "<input id=field>";
setInterval(() => { document.querySelector("#field").value = Math.random(); }, 1);

//: target-that-flees | [{"click":{"selector":"#target","timeout":"2s"}}] | timeout succeeded
setInterval(() => { document.querySelector("#target").style = `position: fixed; left: ${Math.random() * 500}px; top: ${Math.random() * 500}px`; }, 1);

//: target-that-is-replaced | [{"click":{"selector":"#target","timeout":"2s"}}] | timeout succeeded script
setInterval(() => { const old = document.querySelector("#target"); old.replaceWith(old.cloneNode(true)); }, 1);

//: many-shadows | [{"wait_for":{"selector":"#never","timeout":"2s"}}] | timeout
for (let n = 0; n < 5000; n++) { const made = document.createElement("div"); made.attachShadow({ mode: "open" }).innerHTML = "<p><b></b></p>"; document.body.append(made); }

//: document-of-its-own | use | succeeded script timeout
const other = document.implementation.createHTMLDocument("a"); Object.defineProperty(window, "document", { get: () => other });

// Exceptions that are large, odd, or too many.

//: message | [{"evaluate":"(() => { throw new Error(much()) })()"}] | script timeout

//: rejection | [{"evaluate":"Promise.reject(much())"}] | script timeout

//: rejection-with-an-error | [{"evaluate":"Promise.reject(new Error(much()))"}] | script timeout

//: name | [{"evaluate":"(() => { throw Object.assign(new Error(), {name: much()}) })()"}] | script timeout

//: stack | [{"evaluate":"(() => { const e = new Error('a'); e.stack = much(); throw e })()"}] | script timeout

//: stack-by-getter | [{"evaluate":"(() => { throw Object.defineProperty(new Error('a'), 'stack', {get: much}) })()"}] | script timeout

//: endless-causes | [{"evaluate":"(() => { let e = new Error('a'); for (let n = 0; n < 1e5; n++) e = new Error('a', {cause: e}); throw e })()"}] | script timeout

//: many-errors-in-one | [{"evaluate":"(() => { throw new AggregateError(Array(1e5).fill(new Error(much().slice(0, 1e6)))) })()"}] | script timeout

//: proxy | [{"evaluate":"(() => { throw new Proxy({}, {get() { throw 1 }, ownKeys() { throw 2 }}) })()"}] | script timeout

//: text-that-throws | [{"evaluate":"(() => { throw {toString() { throw 1 }, toJSON() { throw 2 }} })()"}] | script timeout

//: text-that-never-ends | [{"evaluate":"(() => { throw {toString() { for (;;); }} })()"}] | timeout script

//: syntax | [{"evaluate":"(() => eval('(' + much()))()"}] | script timeout

//: recursion | [{"evaluate":"(function a() { return a() })()"}] | script timeout

//: while-loading | use | succeeded timeout
throw new Error(much());

//: unhandled | use | succeeded timeout
setInterval(() => { for (let n = 0; n < 100; n++) Promise.reject(new Error("x".repeat(1e4))); }, 10);

//: many-while-running | use | succeeded timeout
for (let n = 0; n < 500; n++) setInterval(() => { throw new Error("x".repeat(1e5)); }, 10);

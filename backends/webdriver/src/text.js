// A value as JSON text. Half an emoji is a string to JavaScript, but no text to anybody else: JSON.stringify escapes it,
// and nothing else so.
value => JSON.stringify(value)?.replace(/\\(?:\\|ud[89a-f]..)/g, found => (found === "\\\\" ? found : "\ufffd"))

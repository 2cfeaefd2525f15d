// Pictures that take the memory or the processor of the browser's graphics.

//: canvases | use | succeeded timeout page_crash
soon(() => { for (let n = 0; n < 20; n++) { const made = document.createElement("canvas"); made.width = made.height = 4096; made.getContext("2d").fillRect(0, 0, 4096, 4096); held.push(made); } });

//: largest-canvas | use | succeeded timeout page_crash
soon(() => { const made = document.createElement("canvas"); made.width = made.height = 16384; made.getContext("2d").fillRect(0, 0, 16384, 16384); document.body.append(made); });

//: canvas-as-text | [{"evaluate":"(() => { const made = document.createElement('canvas'); made.width = made.height = 8000; const to = made.getContext('2d'); for (let n = 0; n < 3000; n++) { to.fillStyle = '#' + n.toString(16).padStart(6, '0'); to.fillRect(Math.random() * 8000, Math.random() * 8000, 900, 900); } return made.toDataURL('image/bmp') + much(); })()"}] | script timeout

//: webgl-contexts | use | succeeded timeout page_crash
soon(() => { for (let n = 0; n < 100; n++) held.push(document.createElement("canvas").getContext("webgl")); });

//: webgl-shader | use | succeeded timeout page_crash
soon(() => {
  const gl = document.body.appendChild(document.createElement("canvas")).getContext("webgl2");
  if (!gl) return;
  const program = gl.createProgram();
  for (const [kind, source] of [
    [gl.VERTEX_SHADER, "#version 300 es\nvoid main() { gl_Position = vec4(0); gl_PointSize = 64.0; }"],
    [gl.FRAGMENT_SHADER, "#version 300 es\nprecision highp float; out vec4 c; void main() { float a = 0.0; for (int n = 0; n < 100000000; n++) a += sin(a + float(n)); c = vec4(a); }"],
  ]) { const shader = gl.createShader(kind); gl.shaderSource(shader, source); gl.compileShader(shader); gl.attachShader(program, shader); }
  gl.linkProgram(program); gl.useProgram(program);
  setInterval(() => gl.drawArrays(gl.POINTS, 0, 1), 10);
});

//: filters | [{"screenshot":"page"},{"wait_for":"#never"}] | timeout page_crash
document.body.innerHTML += "<div style='filter: blur(200px); position: fixed; inset: 0'>".repeat(60) + "a";

//: picture-of-pictures | use | succeeded timeout page_crash
document.body.innerHTML += `<svg width=9999 height=9999><defs><g id=a0><circle r=9 /></g>${Array.from({ length: 8 }, (_, n) => `<g id=a${n + 1}>${`<use href=#a${n} x=${n} />`.repeat(10)}</g>`).join("")}</defs><use href=#a5 /></svg>`;

//: animations | use | succeeded timeout
document.head.innerHTML += "<style>@keyframes a { to { transform: rotate(360deg); filter: blur(9px) } } i { animation: a 1s infinite; display: inline-block }</style>";
document.body.innerHTML += "<i>a</i>".repeat(2000);

//: fonts-and-text | use | succeeded timeout
document.body.innerHTML += `<p style="font-size: 9000px">${"Ã\u0300\u0301\u0302".repeat(50000)}</p>`;

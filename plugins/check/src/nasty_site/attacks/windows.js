// Popups, dialogs, navigations and downloads.

//: popups | use | succeeded timeout
setInterval(() => window.open("/nested", "_blank"), 50);

//: popups-in-a-loop | use | succeeded timeout script
soon(() => { for (let n = 0; n < 300; n++) window.open("/nested", `a${n}`); });

//: popups-without-an-opener | use | succeeded timeout
setInterval(() => window.open("/nested", "_blank", "noopener"), 50);

//: popups-of-popups | use | succeeded timeout
setInterval(() => { const opened = window.open("", "_blank"); opened?.document.write("<script>setInterval(() => open('/busy'), 50)</" + "script>"); }, 100);

//: popups-that-spin | use | succeeded timeout
setInterval(() => window.open("/busy", "_blank"), 100);

//: links-to-windows | use | succeeded timeout
document.body.innerHTML += "<a id=link href=/nested target=_blank rel=opener>a</a>";
setInterval(() => document.querySelector("#link").click(), 30);

//: forms-to-windows | use | succeeded timeout
document.body.innerHTML += "<form id=form action=/nested target=_blank></form>";
setInterval(() => document.querySelector("#form").submit(), 30);

//: alerts | wait | timeout
soon(() => forever(() => alert("a")));

//: large-alert | use | succeeded timeout
soon(() => alert("x".repeat(5e6)));

//: enormous-alert | use | succeeded timeout page_crash script
soon(() => alert(much()));

//: questions | wait | timeout
soon(() => forever(() => { confirm("a"); prompt("b", "c".repeat(1e5)); }));

//: alerts-on-leaving | [{"goto":"about:blank"},{"extract":{"a":"#out"}}] | succeeded
addEventListener("beforeunload", event => { event.preventDefault(); event.returnValue = "a"; alert("a"); });

//: printing | use | succeeded timeout
setInterval(() => print(), 20);

//: alerts-of-frames | use | succeeded timeout
for (let n = 0; n < 20; n++) frame("/alert");

//: reloads | use | succeeded timeout script navigation
soon(() => location.reload());

//: reloads-at-once | use | succeeded timeout script navigation
location.reload();

//: refreshes | use | succeeded timeout script navigation
document.head.innerHTML += "<meta http-equiv=refresh content=0>";

//: hashes | use | succeeded timeout
setInterval(() => { for (let n = 0; n < 500; n++) location.hash = Math.random(); }, 10);

//: history | use | succeeded timeout
setInterval(() => { try { for (let n = 0; n < 500; n++) history.pushState({ a: "x".repeat(1e4) }, "", `?${n}`); } catch {} }, 10);

//: back-and-forth | use | succeeded timeout script navigation
history.pushState(0, "", "?a");
setInterval(() => { history.back(); setTimeout(() => history.forward(), 5); }, 10);

//: other-origin | use | succeeded timeout script navigation
soon(() => { location.hostname = location.hostname === "localhost" ? "127.0.0.1" : "localhost"; });

//: form-to-itself | use | succeeded timeout script navigation
document.body.innerHTML += "<form id=form></form>";
soon(() => document.querySelector("#form").submit());

//: to-silence | wait | timeout navigation
soon(() => { location = "/hang"; });

//: to-redirects | use | succeeded timeout script navigation
soon(() => { location = "/redirect-loop"; });

//: to-a-drip | wait | timeout
soon(() => { location = "/drip"; });

//: documents | use | succeeded timeout script
setInterval(() => { document.open(); document.write("<p id=out>a</p>"); document.close(); }, 10);

//: frames | use | succeeded timeout page_crash
soon(() => { for (let n = 0; n < 300; n++) frame("/nested"); });

//: frames-that-reload | use | succeeded timeout
for (let n = 0; n < 10; n++) { const made = frame("/nested"); made.onload = () => { made.src = `/nested?${Math.random()}`; }; }

//: frames-of-other-origins | use | succeeded timeout
soon(() => { for (let n = 0; n < 20; n++) frame(`http://localhost:${location.port}/busy`); });

//: frames-in-frames | use | succeeded timeout
if (new URLSearchParams(location.search).get("depth") !== "6") frame(`?depth=${Number(new URLSearchParams(location.search).get("depth")) + 1}`);

//: downloads | use | succeeded timeout
setInterval(() => { document.body.insertAdjacentHTML("beforeend", "<a href=/download download>a</a>"); document.body.lastChild.click(); }, 30);

//: downloads-of-blobs | use | succeeded timeout
setInterval(() => { const link = document.createElement("a"); link.href = URL.createObjectURL(new Blob([new Uint8Array(1 << 22)])); link.download = "a"; link.click(); }, 30);

//: downloads-of-frames | use | succeeded timeout
setInterval(() => frame("/download"), 50);

//: to-a-download | use | succeeded timeout
setInterval(() => { location = "/download"; }, 50);

//: leaves-nothing | [{"extract":{"a":"#out"}},{"content":{}}] | succeeded script
document.documentElement.remove();

//: closes-itself | use | succeeded timeout page_crash script
soon(() => { window.open("", "_self"); window.close(); });

// Answers of a size that no message of a browser can have.

//: text | [{"extract":{"a":"#held"}}] | script timeout
document.querySelector("#held").textContent = much();

//: attribute | [{"extract":{"a":{"selector":"#held","attribute":"x"}}}] | script timeout
document.querySelector("#held").setAttribute("x", much());

//: html | [{"extract":{"a":{"html":"#held"}}}] | script timeout
document.querySelector("#held").append(much());

//: content | [{"content":{}}] | script timeout
document.querySelector("#held").append(much());

//: value | [{"evaluate":"much()"}] | script timeout

//: promised-value | [{"evaluate":"new Promise(done => setTimeout(() => done(much()), 300))"}] | script timeout

//: value-of-a-function | [{"evaluate":"() => [much(), much()]"}] | script timeout

//: many-keys | [{"evaluate":"Object.fromEntries(Array.from({length: 2e6}, (_, n) => [n, n]))"}] | script timeout

//: many-numbers | [{"evaluate":"Array(2e7).fill(7)"}] | script timeout page_crash

//: deep-value | [{"evaluate":"(() => { let a = []; for (let n = 0; n < 1e5; n++) a = [a]; return a; })()"}] | script timeout

//: circular-value | [{"evaluate":"window"}] | script timeout

//: many-values-below-the-bound | [{"evaluate":{"script":"'x'.repeat(15e6)","name":"a"}},{"evaluate":{"script":"'x'.repeat(15e6)","name":"b"}},{"evaluate":{"script":"'x'.repeat(15e6)","name":"c"}},{"evaluate":{"script":"'x'.repeat(15e6)","name":"d"}}] | script timeout

//: many-matches | [{"extract":{"a":{"all":"i"}}}] | script timeout
document.querySelector("#held").innerHTML = "<i>a</i>".repeat(1e6);

//: many-records | [{"extract":{"a":{"all":"i","fields":{"b":"b","c":{"html":"b"},"d":{"selector":"b","attribute":"x"}}}}}] | script timeout
document.querySelector("#held").innerHTML = "<i><b x=y>a</b></i>".repeat(3e5);

//: title | [{"expect":{"title":"never","timeout":"1s"}}] | assertion timeout
document.title = much();

//: title-by-getter | [{"expect":{"title":"never","timeout":"1s"}}] | assertion script timeout
Object.defineProperty(document, "title", { get: much });

//: address | [{"expect":{"url":"never","timeout":"1s"}}] | assertion timeout
try { history.pushState(0, "", `?${"x".repeat(3e6)}`); } catch { location.hash = "x".repeat(1e6); }

//: hash | [{"extract":{"a":"#out"}},{"expect":{"url":"never","timeout":"1s"}}] | assertion timeout
location.hash = "x".repeat(1.9e6);

//: absolute-addresses | [{"extract":{"a":{"all":"a","attribute":"href"}}}] | script succeeded timeout
document.head.innerHTML += `<base href="/${"x".repeat(1e6)}/">`;
document.querySelector("#held").innerHTML = "<a href=b>a</a>".repeat(400);

//: value-of-a-field | [{"expect":{"selector":"#field","text":"never","timeout":"1s"}}] | assertion timeout
document.body.innerHTML += "<input id=field>";
document.querySelector("#field").value = much();

//: name-of-an-element | [{"click":{"selector":"#target","timeout":"2s"}}] | timeout
const cover = document.createElement("div");
cover.style = "position: fixed; inset: 0";
cover.id = cover.className = much();
document.body.append(cover);

//: many-options | [{"select":{"selector":"#choice","value":"never","timeout":"2s"}}] | timeout script
document.body.innerHTML += `<select id=choice>${"<option>a".repeat(3e5)}</select>`;

//: many-cookies | [{"get_cookies":{}}] | succeeded
for (let n = 0; n < 2000; n++) document.cookie = `a${n}=${"x".repeat(4000)}`;

//: tall-picture | [{"screenshot":"full"}] | succeeded script page_crash timeout
document.body.style = "height: 30000000px; background: linear-gradient(red, blue)";

//: wide-picture | [{"screenshot":"full"}] | succeeded script page_crash timeout
document.body.style = "width: 30000000px; height: 30000px; background: linear-gradient(red, blue)";

//: picture-of-noise | [{"screenshot":"full"}] | succeeded script page_crash timeout
const noise = document.createElement("canvas");
noise.width = 4000; noise.height = 16000;
const picture = noise.getContext("2d").createImageData(4000, 16000);
for (let n = 0; n < picture.data.length; n += 65536) crypto.getRandomValues(picture.data.subarray(n, n + 65536));
noise.getContext("2d").putImageData(picture, 0, 0);
document.body.append(noise);

//: picture-of-an-enormous-element | [{"screenshot":"#out"}] | succeeded script page_crash timeout
document.querySelector("#out").style = "width: 9000000px; height: 9000000px; background: red";

//: endless-print | [{"pdf":{}}] | succeeded script page_crash timeout
document.body.style = "height: 3000000px";

//: large-page /long/65536 | [{"content":{}}] | script timeout

// A hundred calls that are the same on every visit, so that what is read can be checked.
const ships = ["Aldebaran", "Bellatrix", "Capella", "Deneb", "Electra", "Fomalhaut", "Gemma", "Hadar", "Izar"];
const ports = ["Bergen", "Cork", "Hull", "Lisbon", "Oslo", "Riga", "Vigo"];
const waters = ["summer", "winter", "fresh", "tropical", "winter North Atlantic"];
const body = document.querySelector("#entries");

const cell = (row, text, kind = "") => {
  const added = row.insertCell();
  added.textContent = text;
  added.className = kind;
  return added;
};

for (let n = 1; n <= 100; n++) {
  const loaded = 35 + n * 37 % 66;
  const row = body.insertRow();
  cell(row, n, "number");
  cell(row, ships[n % ships.length]);
  cell(row, ports[n % ports.length]);
  cell(row, waters[n % waters.length]);
  cell(row, (4 + loaded / 25).toFixed(2), "number");
  const bar = document.createElement("i");
  bar.style.width = `${loaded}%`;
  cell(row, "", "bar").append(bar);
}
document.querySelector("#count").textContent = `${body.rows.length} entries`;

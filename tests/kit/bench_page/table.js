// One hundred rows that are the same on every visit.
const ships = ["Aldebaran", "Bellatrix", "Capella", "Deneb", "Electra", "Fomalhaut", "Gemma", "Hadar"];
const ports = ["Bergen", "Cork", "Hull", "Lisbon", "Oslo", "Riga", "Vigo"];
const body = document.querySelector("#entries");
for (let n = 1; n <= 100; n++) {
  const row = body.insertRow();
  for (const value of [n, ships[n % ships.length], ports[n % ports.length], (5 + (n * 37 % 60) / 10).toFixed(1)]) {
    row.insertCell().textContent = value;
  }
}
document.querySelector("#count").textContent = `${body.rows.length} entries`;

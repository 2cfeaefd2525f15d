const form = document.querySelector("#letter");
const out = document.querySelector("#out");

form.addEventListener("submit", async event => {
  event.preventDefault();
  out.textContent = "";
  try {
    const response = await fetch("/form", { method: "POST", body: new URLSearchParams(new FormData(form)) });
    const { answer, error } = await response.json();
    out.textContent = answer ?? error;
  } catch {
    out.textContent = "The letter did not arrive; please send it again.";
  }
});

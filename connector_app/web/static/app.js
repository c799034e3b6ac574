// Comfort only: every page works without it.
"use strict";
document.documentElement.classList.add("has-script");

document.addEventListener("submit", (event) => {
  const question = event.target.dataset.confirm;
  if (question && !window.confirm(question)) event.preventDefault();
});

document.addEventListener("change", (event) => {
  if (event.target.matches("[data-submit]")) event.target.form.submit();
  if (event.target.matches("[data-all]")) {
    for (const box of event.target.closest("form, table").querySelectorAll(event.target.dataset.all)) {
      box.checked = event.target.checked;
    }
  }
});

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-copy]");
  if (button && navigator.clipboard) navigator.clipboard.writeText(button.dataset.copy);
});

for (const box of document.querySelectorAll("[data-job]")) {
  const bar = box.querySelector("progress");
  const count = box.querySelector("[data-job-count]");
  const look = async () => {
    try {
      const seen = await (await fetch(box.dataset.job)).json();
      if (seen.state !== "running") return window.location.reload();
      if (seen.total) {
        bar.max = seen.total;
        bar.value = seen.done;
        count.textContent = `${seen.done} / ${seen.total}`;
      }
    } catch { /* the next look may succeed */ }
    window.setTimeout(look, 1000);
  };
  window.setTimeout(look, 700);
}

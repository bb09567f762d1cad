// The list of merchants: how many are chosen, and all of a page at once.
"use strict";
(() => {
  const { $, $$, fill } = berkas;
  const boxes = () => $$("#merchant-list [name=merchant]");
  const tell = () => {
    const bar = $("#bulk");
    if (!bar) return;
    const chosen = boxes().filter((box) => box.checked).length;
    const line = $(".chosen", bar);
    line.textContent = $("[name=all]", bar)?.checked ? "" : fill(line.dataset.chosen, { n: chosen });
    const all = $("[data-choose-all]");
    all.checked = chosen > 0 && chosen === boxes().length;
    all.indeterminate = chosen > 0 && !all.checked;
  };
  document.addEventListener("change", (event) => {
    if (event.target.matches("[data-choose-all]")) for (const box of boxes()) box.checked = event.target.checked;
    if (event.target.closest("#merchant-list")) tell();
  });
  window.addEventListener("pageshow", tell); // a browser that goes back keeps what was chosen
})();

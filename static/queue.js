// The reviewers' queue by keys: J and K move through the rows, N takes the next document. It keeps its place when the list
// is drawn anew.
"use strict";
(() => {
  const { $, $$, announce } = berkas;
  const rows = () => $$("#review-list [data-row]");

  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || event.repeat && event.key === "n") return;
    if (event.target.closest("input, select, textarea") || $("dialog[open]") || localStorage.getItem("berkas-keys") === "off") return;
    const list = rows();
    const at = list.indexOf(document.activeElement.closest("tr")?.querySelector("[data-row]"));
    const move = (to) => list[Math.max(0, Math.min(list.length - 1, to))]?.focus();
    switch (event.key.toLowerCase()) {
      case "j": move(at + 1); break;
      case "k": move(at < 0 ? list.length - 1 : at - 1); break;
      case "n": $("#next-document")?.click(); break;
      default: return;
    }
    event.preventDefault();
  });

  // Who had the focus on a row that is gone goes on from the one in its place.
  let place = -1;
  document.addEventListener("htmx:beforeSwap", (event) => {
    if (event.detail.target?.id !== "review-list") return;
    place = event.detail.shouldSwap ? rows().indexOf(document.activeElement) : -1;
  });
  document.addEventListener("htmx:afterSettle", (event) => {
    if (place >= 0 && !rows().includes(document.activeElement)) (rows()[place] || rows().at(-1) || $("#next-document"))?.focus({ preventScroll: true });
    place = -1;
    if (event.detail.requestConfig?.elt.matches("form.filter")) announce($("#review-list [data-announce]")?.textContent);
  });
  document.addEventListener("htmx:beforeRequest", (event) => { if (event.detail.elt.id === "review-list" && document.hidden) event.preventDefault(); });
})();

// Searching within the long lists of the settings.
"use strict";
(() => {
  const { $, $$ } = berkas;
  document.addEventListener("input", (event) => {
    const search = event.target.closest("[data-search]");
    if (!search) return;
    const list = document.getElementById(search.dataset.search);
    const sought = search.value.trim().toLowerCase();
    for (const item of $$("[data-sought]", list)) item.hidden = !(item.textContent + " " + item.dataset.sought).toLowerCase().includes(sought);
    if (sought) for (const fold of $$("details", list)) fold.open = true;
    for (const group of $$("[data-sought-group]", list)) group.hidden = !$("[data-sought]:not([hidden])", group);
  });
})();

// The merchant form: what fits the business type, the way to a refused field, one submit.
"use strict";
(() => {
  const { $, $$ } = berkas;
  const merchantForm = $(".merchant-form");
  const legal = $("#f-legal_entity");
  const line = $("#f-business_line");
  const lines = $("#lines");
  const linesOf = JSON.parse(merchantForm.dataset.lines || "{}") || {};
  const options = [...lines.options];
  const groups = $$("optgroup", legal);
  let filled = ""; // what the script itself put in as line of business
  const fit = (byHand) => {
    const type = merchantForm.elements.business_type.value;
    if (!type) return;
    for (const group of groups) {
      if (group.dataset.type === type) legal.append(group);
      else group.remove();
    }
    const choices = $$("optgroup option", legal);
    if (!choices.some((option) => option.selected)) legal.value = choices.length === 1 ? choices[0].value : "";
    const known = linesOf[type] || [];
    lines.replaceChildren(...options.filter((option) => !known.length || known.includes(option.value)));
    if (!byHand) return;
    if (known.length === 1 && (!line.value || !known.includes(line.value))) line.value = filled = known[0];
    else if (known.length > 1 && line.value && line.value === filled) line.value = filled = "";
  };
  merchantForm.addEventListener("change", (event) => { if (event.target.name === "business_type") fit(true); });
  fit(false);
  // A link to a refused field opens the section it is in.
  merchantForm.addEventListener("click", (event) => {
    const link = event.target.closest('a[href^="#f-"]');
    const field = link && $(link.getAttribute("href"));
    if (!field) return;
    event.preventDefault();
    const section = field.closest("details");
    if (section) section.open = true;
    (field.matches("fieldset") ? $("input", field) : field).focus();
  });
  let sent = false;
  merchantForm.addEventListener("submit", (event) => { // a second click makes no second merchant
    if (sent) event.preventDefault();
    sent = true;
    setTimeout(() => { sent = false; }, 6000);
  });
})();

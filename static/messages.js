// Messages to a merchant: the link opens the text as it stands in the form, and the portal keeps it.
"use strict";
(() => {
  const { words, announce, copyText } = berkas;
  document.addEventListener("click", (event) => {
    const send = event.target.closest("[data-send]");
    if (!send) return;
    const form = send.closest("form");
    const text = form.elements.text.value;
    if (!text.trim()) {
      event.preventDefault();
      form.elements.text.focus();
      return;
    }
    if (send.href) send.href = send.href.replace(/(text|body)=[^&]*$/, (whole, name) => name + "=" + encodeURIComponent(text));
    else copyText(text, send).then(() => announce(words.copied));
    htmx.ajax("POST", form.action, { source: form, target: "#earlier", swap: "outerHTML", values: { channel: send.dataset.send } });
  });
})();

// The rows of a checklist: sending files from them, dropping files onto them, saying what became of them.
"use strict";
(() => {
  const { $, $$, words, say, size, copyOf, announce, notice } = berkas;

  // Announce what changed, and keep the focus in the row it was in.
  let focusRow = null;
  document.addEventListener("htmx:beforeSwap", (event) => {
    const target = event.detail.target;
    focusRow = event.detail.shouldSwap && target?.classList?.contains("slot") && target.contains(document.activeElement) ? target.id : null;
  });
  const states = new Map($$(".slot").map((slot) => [slot.id, slot.dataset.state]));
  document.addEventListener("htmx:load", (event) => {
    const element = event.detail.elt;
    for (const slot of [element, ...$$(".slot", element)]) {
      if (!slot.matches?.(".slot")) continue;
      const why = $("[data-reason] p", slot);
      if (states.has(slot.id) && (states.get(slot.id) !== slot.dataset.state) && !(why && why.closest("[role=alert]"))) announce(slot.dataset.says);
      states.set(slot.id, slot.dataset.state);
      if (focusRow === slot.id && !slot.contains(document.activeElement)) {
        focusRow = null;
        ($(".acts a, .acts button, .acts input:not([disabled]), summary", slot))?.focus({ preventScroll: true });
      }
    }
    prepare(element);
  });

  // --- Uploading -----------------------------------------------------------------------------------------------

  // An address instead of a file goes with the fields typed beside the file.
  document.addEventListener("htmx:configRequest", (event) => {
    const { elt, formData } = event.detail;
    const up = elt.dataset.urlUpload && document.getElementById(elt.dataset.urlUpload);
    if (up) {
      for (const input of $$('input[name^="form_"]', up)) if (input.value) formData.set(input.name, input.value);
    }
  });

  const sendings = new Set();
  addEventListener("beforeunload", (event) => {
    if (sendings.size) {
      event.preventDefault();
      event.returnValue = words.leave;
    }
  });

  const slotOf = (form) => form.closest(".slot");
  const inputsOf = (form) => [...form.elements].filter((input) => input.type === "file");

  // The camera's input exists for phones; only the input that was used may be sent.
  function prepare(scope) {
    for (const input of $$("[data-camera]", scope)) input.disabled = false;
  }
  prepare(document);

  function choose(form, file, input) {
    const slot = slotOf(form);
    for (const earlier of $$('.why[role="alert"]', slot)) earlier.remove();
    const max = Number(slot.dataset.max);
    if (max && file.size > max) {
      for (const other of inputsOf(form)) { other.value = ""; other.disabled = false; }
      slot.append(failure(say("tooBig", { file: file.name, size: size(file.size), max: size(max) }), null));
      return;
    }
    if (!input) { // dropped: it goes in through the first input
      input = inputsOf(form).find((other) => !other.dataset.camera);
      const carrier = new DataTransfer();
      carrier.items.add(file);
      input.files = carrier.files;
    }
    for (const other of inputsOf(form)) other.disabled = other !== input;
    form.berkas = { file, input, lost: (text) => lost(form, text) };
    form.requestSubmit();
  }

  function failure(text, again) {
    const box = copyOf("t-lost");
    $("[data-text]", box).textContent = text;
    const button = $("[data-again]", box);
    if (again) button.addEventListener("click", again);
    else button.parentElement.remove();
    return box;
  }

  function lost(form, text) {
    done(form);
    const slot = slotOf(form);
    const box = failure(text, () => choose(form, form.berkas.file, form.berkas.input));
    $(".lost", slot)?.remove();
    slot.insertBefore(box, $(".acts", slot));
    $("[data-again]", box)?.focus();
    for (const input of inputsOf(form)) input.disabled = false;
  }

  function done(form) {
    sendings.delete(form);
    const slot = slotOf(form);
    slot?.classList.remove("busy");
    if (slot) $(".sending", slot)?.remove();
    if (form.preview) {
      URL.revokeObjectURL(form.preview.src);
      form.preview.replaceWith(form.plain);
      form.preview = null;
    }
  }

  document.addEventListener("change", (event) => {
    const input = event.target;
    if (input.type !== "file" || !input.form?.matches("[data-upload]")) return;
    if (input.files.length) choose(input.form, input.files[0], input);
  });

  document.addEventListener("htmx:beforeSend", (event) => {
    const form = event.detail.elt;
    if (!form.matches("[data-upload]") || !form.berkas) return;
    const slot = slotOf(form);
    const box = copyOf("t-sending");
    const name = slot.dataset.name;
    const bar = $("progress", box);
    bar.setAttribute("aria-label", say("sending", { document: name }));
    $("[data-bytes]", box).textContent = say("of", { done: size(0), total: size(form.berkas.file.size) });
    const abort = $("[data-abort]", box);
    abort.setAttribute("aria-label", say("abort", { document: name }));
    abort.addEventListener("click", () => {
      form.aborted = true;
      htmx.trigger(form, "htmx:abort");
    });
    slot.classList.add("busy");
    slot.insertBefore(box, $(".acts", slot));
    sendings.add(form);
    announce(say("sending", { document: name }));
    if (form.berkas.file.type.startsWith("image/") && !$(".thumb img", slot)) {
      const img = new Image(72, 48);
      img.alt = "";
      img.addEventListener("load", () => { // not every picture is one the browser can draw
        if (!sendings.has(form)) return;
        form.preview = img;
        form.plain = $(".thumb", slot).firstElementChild;
        form.plain.replaceWith(img);
      });
      img.src = URL.createObjectURL(form.berkas.file);
    }
  });

  document.addEventListener("htmx:xhr:progress", (event) => {
    const form = event.target;
    if (!sendings.has(form) || form.sent || !event.detail.lengthComputable) return;
    const { loaded, total } = event.detail;
    const box = $(".sending", slotOf(form));
    $("progress", box).value = loaded / total;
    $("[data-bytes]", box).textContent = say("of", { done: size(loaded), total: size(total) });
  });
  document.addEventListener("htmx:xhr:loadend", (event) => { // the first one is the upload's, the second the answer's
    const form = event.target;
    if (!sendings.has(form) || form.sent) return;
    form.sent = true;
    const box = $(".sending", slotOf(form));
    if (!box) return;
    $("progress", box).value = 1;
    $("[data-bytes]", box).textContent = words.check;
  });

  document.addEventListener("htmx:afterRequest", (event) => {
    const form = event.detail.requestConfig.elt; // detail.elt is the body when the row was swapped away
    if (!form.matches?.("[data-upload]")) return;
    form.sent = false;
    done(form);
  });
  document.addEventListener("htmx:xhr:abort", (event) => {
    const form = event.target;
    if (!form.matches?.("[data-upload]")) return;
    done(form);
    if (!form.aborted) return;
    form.aborted = false;
    for (const input of inputsOf(form)) { input.disabled = false; input.value = ""; }
    announce(words.aborted);
    inputsOf(form)[0]?.focus();
  });

  // --- Dropping ------------------------------------------------------------------------------------------------

  const holdsFiles = (event) => event.dataTransfer?.types.includes("Files");
  const target = (event) => event.target.closest?.(".slot.takes-files:not(.busy)");
  let leaving;
  document.addEventListener("dragover", (event) => {
    if (!holdsFiles(event)) return;
    event.preventDefault();
    clearTimeout(leaving);
    leaving = setTimeout(() => { document.body.classList.remove("dragging"); for (const slot of $$(".over")) slot.classList.remove("over"); }, 250);
    const over = target(event);
    const taker = over || $("#checklist .takes-files");
    event.dataTransfer.dropEffect = taker ? "copy" : "none";
    document.body.classList.toggle("dragging", Boolean(taker));
    for (const slot of $$(".over")) if (slot !== over) slot.classList.remove("over");
    over?.classList.add("over");
  });
  document.addEventListener("drop", (event) => {
    if (!holdsFiles(event)) return;
    event.preventDefault();
    const slot = target(event);
    const files = [...event.dataTransfer.files];
    document.body.classList.remove("dragging");
    for (const other of $$(".over")) other.classList.remove("over");
    if (!files.length) return;
    const form = slot && $("[data-upload]", slot);
    if (form && files.length === 1) choose(form, files[0]);
    else askWhere(files);
  });

  function askWhere(files) {
    const dialog = $("#chooser");
    const slots = $$(".slot.takes-files:not(.busy)").filter((slot) => $("[data-upload]", slot));
    if (!dialog || !slots.length) {
      if (dialog) notice(words.none);
      return;
    }
    slots.sort((a, b) => (b.dataset.state === "missing") - (a.dataset.state === "missing"));
    const free = new Set(slots.filter((slot) => slot.dataset.state === "missing"));
    const named = new Map(files.map((file) => {
      const slot = [...free].find((slot) => slot.dataset.code && file.name.toUpperCase().includes(slot.dataset.code.split("_")[0]));
      free.delete(slot);
      return [file, slot];
    }));
    $("[data-files]", dialog).replaceChildren(...files.map((file) => {
      const item = document.createElement("li");
      const name = document.createElement("span");
      name.textContent = `${file.name} · ${size(file.size)}`;
      const select = document.createElement("select");
      select.setAttribute("aria-label", say("chooserFor", { file: file.name }));
      select.append(new Option(words.skip, ""), ...slots.map((slot) => new Option(slot.dataset.says, slot.id)));
      const likely = named.get(file) || free.values().next().value;
      free.delete(likely);
      select.value = likely?.id ?? "";
      item.append(name, select);
      return item;
    }));
    dialog.returnValue = "";
    dialog.onclose = () => {
      if (dialog.returnValue !== "send") return;
      const taken = new Set();
      $$("select", dialog).forEach((select, i) => {
        if (!select.value || taken.has(select.value)) return; // one file a row: the first one chosen
        taken.add(select.value);
        choose($("[data-upload]", document.getElementById(select.value)), files[i]);
      });
    };
    dialog.showModal();
  }
})();

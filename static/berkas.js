// What the pages do beyond plain forms and links. Everything here is an addition: each page works without it.
"use strict";
(() => {
  const $ = (selector, root = document) => root.querySelector(selector);
  const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];
  const root = document.documentElement;
  const words = JSON.parse($('meta[name="berkas-words"]')?.content || "{}");
  const say = (key, params = {}) => words[key].replace(/\{(\w+)\}/g, (whole, name) => params[name] ?? whole);
  const decimals = new Intl.NumberFormat(root.lang, { maximumFractionDigits: 1 });
  const size = (bytes) => bytes < 999500 ? decimals.format(Math.round(bytes / 1000)) + " kB" : decimals.format(bytes / 1e6) + " MB";
  const copyOf = (id) => $("#" + id).content.firstElementChild.cloneNode(true);

  // --- Announcements and notices -------------------------------------------------------------------------------

  let clearing;
  const announce = (text) => {
    const region = $("#status");
    if (!region || !text) return;
    region.textContent = region.textContent === text ? text + "\u00a0" : text;
    clearTimeout(clearing);
    clearing = setTimeout(() => { region.textContent = ""; }, 8000);
  };

  const notice = (text) => {
    const box = copyOf("t-notice");
    $("[data-text]", box).textContent = text;
    $("#notices")?.replaceChildren(box);
    box.scrollIntoView({ block: "nearest" });
  };

  document.addEventListener("click", async (event) => {
    const close = event.target.closest("[data-dismiss]");
    if (close) {
      close.closest(".notice").remove();
      $("#content")?.focus();
    }
    const copy = event.target.closest("[data-copy]");
    if (copy) {
      try {
        await navigator.clipboard.writeText(copy.dataset.copy);
      } catch {
        const area = document.createElement("textarea"); // pages that are neither https nor local have no clipboard
        area.value = copy.dataset.copy;
        copy.after(area);
        area.select();
        document.execCommand("copy");
        area.remove();
        copy.focus();
      }
      copy.classList.add("copied");
      $("use", copy).setAttribute("href", "#i-check");
      announce(words.copied);
      setTimeout(() => { copy.classList.remove("copied"); $("use", copy)?.setAttribute("href", "#i-copy"); }, 2000);
    }
    const menu = $("details.menu[open]");
    if (menu && !menu.contains(event.target)) menu.open = false;
  });
  document.addEventListener("keydown", (event) => {
    const menu = $("details.menu[open]");
    if (event.key === "Escape" && menu) {
      menu.open = false;
      $("summary", menu).focus();
    }
  });

  // --- Partial updates -----------------------------------------------------------------------------------------

  // Empty fields stay out of addresses.
  document.addEventListener("htmx:configRequest", (event) => {
    const { elt, formData } = event.detail;
    if (elt.matches("[data-tidy]")) {
      for (const [name, value] of [...formData]) if (value === "") formData.delete(name);
    }
    // An address instead of a file goes with the fields typed beside the file.
    const up = elt.dataset.urlUpload && document.getElementById(elt.dataset.urlUpload);
    if (up) {
      for (const input of $$('input[name^="form_"]', up)) if (input.value) formData.set(input.name, input.value);
    }
  });

  // A row that asks for itself leaves alone a row where somebody is at work.
  document.addEventListener("htmx:beforeRequest", (event) => {
    const { elt, requestConfig } = event.detail;
    if (!elt.matches("[data-poll]") || requestConfig.verb !== "get") return;
    if (elt.berkasStopped || elt.berkasPause-- > 0 || elt.classList.contains("busy") || $(".busy", elt)) event.preventDefault();
  });

  const pause = (element) => { element.berkasPause = element.berkasPaused = Math.min(30, (element.berkasPaused || 1) * 2); };
  const lastAnswer = new WeakMap();
  document.addEventListener("htmx:beforeSwap", (event) => {
    const detail = event.detail;
    const { target, xhr, requestConfig } = detail;
    const html = xhr.responseText;
    if (xhr.status >= 400) {
      const isPart = target?.id && html.includes('id="' + target.id + '"');
      const form = requestConfig.elt;
      if (isPart) return;
      if (form?.matches?.("[data-upload]") && form.berkas) { // the row stays, with the file still chosen
        detail.shouldSwap = false;
        const sentence = $("[data-sentence]", new DOMParser().parseFromString(html, "text/html"))?.textContent;
        lost(form, sentence || say("lost", { file: form.berkas.file.name }));
        return;
      }
      if (requestConfig.verb === "get" && form?.matches?.("[data-poll]")) {
        if (xhr.status >= 500 || xhr.status === 429) { // ask again, later each time
          detail.shouldSwap = false;
          pause(form);
          return;
        }
        form.berkasStopped = true; // signed out, or gone: say so once
      }
      const notices = $("#notices");
      if (notices && html.includes("data-fault")) {
        detail.shouldSwap = true;
        detail.target = notices;
        detail.swapOverride = "innerHTML";
      } else {
        detail.shouldSwap = false;
        notice(words.unexpected);
      }
      return;
    }
    if (target?.matches?.("[data-poll]") && requestConfig.verb === "get") {
      const before = lastAnswer.get(target) ?? null;
      const open = $("details[open]", target) || target.contains(document.activeElement);
      const state = html.match(/data-state="(\w*)"/)?.[1];
      if (html === before || open && target.dataset.state && state === target.dataset.state) detail.shouldSwap = false;
      lastAnswer.set(target, html);
    }
    if (target?.classList?.contains("slot")) detail.berkasWas = target.dataset.state;
  });

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
    if (element.id === "merchant-list") announce($("[data-announce]", element)?.textContent);
    prepare(element);
  });
  document.addEventListener("htmx:sendError", (event) => {
    const form = event.detail.elt;
    if (form.matches("[data-poll]") && event.detail.requestConfig.verb === "get") {
      pause(form);
      return;
    }
    if (form.matches("[data-upload]") && form.berkas) {
      lost(form, say("offlineRow", { file: form.berkas.file.name }));
      return;
    }
    notice(words.offline);
  });
  document.addEventListener("htmx:timeout", (event) => {
    const form = event.detail.elt;
    if (form.matches("[data-upload]") && form.berkas) lost(form, say("lost", { file: form.berkas.file.name }));
    else notice(words.offline);
  });

  // --- Uploading -----------------------------------------------------------------------------------------------

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
    form.berkas = { file, input };
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

  // --- The merchant form ---------------------------------------------------------------------------------------

  const merchantForm = $(".merchant-form");
  if (merchantForm) {
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
  }

  // --- The viewer ----------------------------------------------------------------------------------------------

  const viewer = $("[data-viewer]");
  const stage = viewer && $("[data-stage]", viewer);
  if (stage) {
    const sheets = $$("[data-sheet]", stage);
    const output = $("[data-zoomed]", viewer);
    const percent = new Intl.NumberFormat(root.lang, { style: "percent", maximumFractionDigits: 0 });
    const rotation = $("[data-rotate]", viewer);
    let turns = Number(viewer.dataset.turns) || 0;
    let zoom = 1;

    const draw = (keep) => {
      const room = { w: stage.clientWidth - 32, h: stage.clientHeight - 88 };
      const middle = keep && {
        x: (stage.scrollLeft + stage.clientWidth / 2) / stage.scrollWidth,
        y: (stage.scrollTop + stage.clientHeight / 2) / stage.scrollHeight,
      };
      let scale = 1;
      for (const sheet of sheets) {
        const img = $("img", sheet);
        const w = img.naturalWidth || Number(img.getAttribute("width")) || 800;
        const h = img.naturalHeight || Number(img.getAttribute("height")) || 600;
        const [across, down] = turns % 2 ? [h, w] : [w, h];
        const fit = Math.min(room.w / across, room.h / down);
        scale = fit * zoom;
        sheet.style.width = across * scale + "px";
        sheet.style.height = down * scale + "px";
        img.style.width = w * scale + "px";
        img.style.height = h * scale + "px";
        img.style.rotate = turns * 90 + "deg";
      }
      output.textContent = percent.format(zoom);
      if (middle) stage.scrollTo(middle.x * stage.scrollWidth - stage.clientWidth / 2, middle.y * stage.scrollHeight - stage.clientHeight / 2);
    };
    const zoomTo = (value) => {
      zoom = Math.min(8, Math.max(0.5, value));
      draw(true);
      announce(percent.format(zoom));
    };
    let pending;
    const turn = (by) => {
      turns = (turns + by + 4) % 4;
      for (const sheet of sheets) sheet.className = "sheet turn-" + turns;
      draw(false);
      for (const button of $$("[name=quarters]", viewer)) button.value = (turns + (button.dataset.turn === "left" ? 3 : 1)) % 4;
      if (!rotation) return;
      clearTimeout(pending);
      pending = setTimeout(() => htmx.ajax("POST", rotation.dataset.rotate, { source: rotation, values: { quarters: turns }, swap: "none" }), 300);
    };
    const acts = {
      "+": () => zoomTo(zoom * 1.25), "=": () => zoomTo(zoom * 1.25), "-": () => zoomTo(zoom / 1.25), "0": () => zoomTo(1),
      "[": () => turn(-1), "]": () => turn(1),
    };
    const byName = { in: "+", out: "-", fit: "0", left: "[", turn: "]" };
    viewer.addEventListener("click", (event) => {
      const button = event.target.closest("[data-zoom], [data-turn]");
      if (!button) return;
      event.preventDefault();
      acts[byName[button.dataset.zoom || button.dataset.turn]]();
    });
    // Single keys act only while the focus is in the viewer, where it starts.
    viewer.addEventListener("keydown", (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey || !acts[event.key]) return;
      event.preventDefault();
      acts[event.key]();
    });
    stage.addEventListener("wheel", (event) => {
      if (!event.ctrlKey) return;
      event.preventDefault();
      zoomTo(zoom * Math.exp(-event.deltaY / 300));
    }, { passive: false });
    let held = null;
    stage.addEventListener("pointerdown", (event) => {
      if (event.pointerType !== "mouse" || event.button !== 0) return; // touch scrolls by itself
      held = { x: event.clientX, y: event.clientY, left: stage.scrollLeft, top: stage.scrollTop };
      stage.setPointerCapture(event.pointerId);
      stage.classList.add("held");
    });
    stage.addEventListener("pointermove", (event) => {
      if (held) stage.scrollTo(held.left - event.clientX + held.x, held.top - event.clientY + held.y);
    });
    for (const end of ["pointerup", "pointercancel"]) stage.addEventListener(end, () => { held = null; stage.classList.remove("held"); });
    stage.addEventListener("dragstart", (event) => event.preventDefault());
    stage.classList.add("live");
    draw(false);
    for (const img of $$("img", stage)) img.addEventListener("load", () => draw(false));
    new ResizeObserver(() => draw(true)).observe(stage);
    if (!location.hash && !$("#notices [role=alert]")) stage.focus({ preventScroll: true });
  }
})();

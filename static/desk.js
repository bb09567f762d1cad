// A document's page: its keys, how long it is in sight, comparing, and, for reviewers, deciding and going on. The next
// document is loaded ahead and put in the place of the one decided on.
"use strict";
(() => {
  const { $, $$, fill, announce, copyOf } = berkas;
  const undoTime = 10000; // milliseconds, as at the server
  const sayEvery = 20000; // how often the page says that it is still looked at
  const keepAhead = 180000; // a document loaded ahead is loaded anew after that, so that its lease and data stay fresh
  const settle = 250; // a key pressed within that after a document appeared was meant for the one before

  let desk; // the document on the screen
  let ahead = null; // a promise of the next one: { desk, url, at }
  let last = null; // the decision that can be taken back: { undo, url, name, until }
  let busy = false;
  const past = []; // addresses of the documents before
  const lives = new WeakMap(); // what belongs to a desk: { words, views, looks }
  const life = () => lives.get(desk);

  const post = (url, fields, more = {}) => fetch(url, { method: "POST", body: new URLSearchParams(fields), ...more });
  const deskIn = (html) => {
    const found = $("[data-desk]", new DOMParser().parseFromString(html, "text/html"));
    return found && document.importNode(found, true);
  };
  const here = () => location.pathname + location.search;

  // --- In sight --------------------------------------------------------------------------------------------------

  // A look counts the time its element's document is visible, and tells the portal.
  function lookOf(element) {
    let open = 0;
    let since = document.hidden ? 0 : performance.now();
    let asked = false;
    const look = {
      element,
      ms: () => Math.round(open + (since ? performance.now() - since : 0)),
      visible: (yes) => {
        open = look.ms();
        since = yes ? performance.now() : 0;
      },
      fields: (leaving) => ({ look: element.dataset.lookId, ms: look.ms(), ...(leaving && { leaving: 1 }), ...(element.dataset.beside && { beside: 1 }) }),
      begin: async () => { // it was loaded ahead, or comes back
        if (element.dataset.lookId !== "0" || asked) return;
        asked = true;
        try {
          const answer = await post(element.dataset.look, { look: 0 });
          if (answer.ok) element.dataset.lookId = await answer.text();
        } catch { /* the next time it says so */ }
        asked = false;
      },
    };
    return look;
  }

  async function stillLooking() {
    for (const look of document.hidden ? [] : life().looks) {
      if (look.element.dataset.lookId === "0") {
        await look.begin();
        continue;
      }
      try {
        const answer = await post(look.element.dataset.look, look.fields(false));
        const main = look.element.matches("main");
        if (main && answer.status === 205 && "leased" in look.element.dataset) leaseLost(look.element);
        if (main && answer.status === 204 && $('[data-why="review_leased"]', desk)) location.reload(); // it is free by now
      } catch { /* offline: the next time it says so */ }
    }
    const next = await ahead;
    if (next && Date.now() - next.at > keepAhead) loadAhead(next);
  }
  setInterval(stillLooking, sayEvery);

  function leaseLost(main) {
    delete main.dataset.leased;
    $("#notices", desk).replaceChildren(copyOf("t-lease"));
  }

  // leave says how long the document was in sight, and gives it back unless it is kept for later.
  const leave = (keep) => {
    for (const look of life().looks) {
      if (look.element.dataset.lookId !== "0") navigator.sendBeacon(look.element.dataset.look, new URLSearchParams(look.fields(!keep)));
    }
  };
  const giveBack = (next) => next && navigator.sendBeacon($("main", next.desk).dataset.look, new URLSearchParams({ look: 0, leaving: 1 }));

  document.addEventListener("visibilitychange", () => { for (const look of life().looks) look.visible(!document.hidden); });
  addEventListener("pagehide", () => {
    leave(false);
    giveBack(loaded);
  });
  addEventListener("pageshow", (event) => { if (event.persisted) location.reload(); });
  addEventListener("popstate", () => location.reload());

  // --- Going on --------------------------------------------------------------------------------------------------

  let loaded = null; // what ahead holds once it is there

  async function fetchAhead(from) {
    const form = $("[data-next]", from);
    try {
      const answer = await post(form.action, [...new FormData(form), ["preload", "1"]]);
      if (answer.status !== 200) return null;
      const address = new URL(answer.url);
      address.searchParams.delete("preload");
      const next = deskIn(await answer.text());
      if (!next) return null;
      await $("[data-sheet] img", next)?.decode().catch(() => {});
      return { desk: next, url: address.pathname + address.search, at: Date.now() };
    } catch {
      return null;
    }
  }

  function loadAhead(before) {
    const from = desk;
    ahead = fetchAhead(from).then((next) => {
      if (desk !== from) { // the page went elsewhere meanwhile
        if (next?.url !== here()) giveBack(next);
        return null;
      }
      if (before && before.url !== next?.url) giveBack(before);
      loaded = next;
      return next;
    });
  }

  // sit makes a desk the one on the screen.
  function sit(next) {
    desk = next;
    const main = $("main", desk);
    if (!lives.has(desk)) {
      const views = $$("[data-viewer]", desk).map(berkas.view).filter(Boolean);
      lives.set(desk, { words: JSON.parse(desk.dataset.words || "{}"), views });
      berkas.inStep(views);
    }
    life().looks = $$("[data-look]", desk).map(lookOf);
    for (const look of life().looks) look.begin();
    delete desk.dataset.ready;
    const img = $("[data-sheet] img", desk);
    const shown = img ? img.decode().catch(() => {}) : Promise.resolve();
    shown.then(() => {
      setTimeout(() => { if (desk === next) desk.dataset.ready = ""; }, settle);
      const atDOKU = $("#at-doku[hx-get]", desk);
      if (atDOKU) htmx.trigger(atDOKU, "shown");
      if (desk === next && !ahead && "leased" in main.dataset) loadAhead();
    });
    const previous = $("[data-previous]", desk);
    if (previous) previous.hidden = !past.length;
    if (location.hash || $("#notices [role=alert]", desk) || $(".pop[open]", desk)) return;
    ($("[data-stage]", desk) || main).focus({ preventScroll: true });
  }

  // show puts another desk in the place of the present one; keep leaves the present one's lease.
  function show(next, says, keep) {
    leave(keep);
    desk.replaceWith(next.desk);
    if (next.url) history.pushState(null, "", next.url);
    document.title = next.desk.dataset.title + " · Berkas";
    htmx.process(next.desk);
    ahead = loaded = null;
    sit(next.desk);
    announce(says);
  }

  async function load(url) {
    const answer = await fetch(url);
    const found = answer.ok && !answer.redirected && deskIn(await answer.text());
    if (!found) location.assign(url);
    return found && { desk: found, url };
  }

  const now = (next) => JSON.parse(next.desk.dataset.words).now;

  async function goOn() {
    const next = await ahead;
    if (!next) {
      $("[data-next]", desk)?.submit();
      return;
    }
    past.push(here());
    show(next, now(next));
  }

  async function goBack() {
    const url = past.pop();
    if (!url) return;
    giveBack(await ahead);
    const next = await load(url);
    if (next) show(next, now(next));
  }

  // --- Deciding --------------------------------------------------------------------------------------------------

  const kinds = ["approve", "refuse", "ask", "snooze"];
  const kindOf = (form) => kinds.find((kind) => kind in form.dataset);

  function complain(form, text) {
    const box = $("[data-error]", form);
    if (!box) return;
    const line = document.createElement("p");
    line.className = "error";
    line.textContent = text;
    box.replaceChildren(line);
  }

  async function send(form, submitter) {
    if (busy) return;
    const began = performance.now();
    const kind = kindOf(form);
    if (kind === "refuse" && !$("[name=reason]:checked", form)) {
      complain(form, life().words.reason);
      return;
    }
    if (form.elements.screen) form.elements.screen.value = life().looks[0]?.ms() ?? 0;
    busy = true;
    desk.setAttribute("aria-busy", "true");
    try {
      const answer = await post(form.action, new FormData(form, submitter), { headers: { "HX-Request": "true" } });
      if (answer.status === 204) await done(form, kind, began);
      else await refused(form, answer);
    } catch {
      complain(form, life().words.lost);
    } finally {
      busy = false;
      desk.removeAttribute("aria-busy");
    }
  }

  async function refused(form, answer) {
    const html = await answer.text();
    const other = deskIn(html);
    if (other) { // what was seen beside what is there now
      giveBack(await ahead);
      show({ desk: other }, $("h1", other)?.textContent);
      return;
    }
    const part = new DOMParser().parseFromString(html, "text/html");
    if (answer.status === 422) complain(form, $("[data-sentence]", part)?.textContent || berkas.words.unexpected);
    else $("#notices", desk).replaceChildren(...part.body.childNodes);
  }

  async function done(form, kind, began) {
    const { words } = life();
    if (kind === "approve" || kind === "refuse") {
      last = { undo: $("main", desk).dataset.look.replace(/look$/, "undo"), url: here(), says: words[kind], undone: words.undone, until: Date.now() + undoTime };
      showUndo();
    }
    const next = form.elements.replaces ? null : await ahead;
    if (next) {
      past.push(here());
      show(next, words[kind] + " " + now(next));
      requestAnimationFrame(() => requestAnimationFrame(() => performance.measure("next document", { start: began })));
    } else if (kind === "approve" || kind === "refuse") {
      const same = await load(here());
      if (!same) return;
      show({ desk: same.desk }, words[kind] + (form.elements.replaces ? "" : " " + words.none));
      if (!form.elements.replaces) $("#notices", desk).replaceChildren(copyOf("t-done"));
      $("[data-undo]", desk)?.remove(); // the bar does the same
    } else {
      location.assign($(".viewer-head a", desk).href);
    }
  }

  // --- Undoing ---------------------------------------------------------------------------------------------------

  const bar = $("#undo");
  let counting;
  function showUndo() {
    if (!bar) return;
    $("[data-text]", bar).textContent = last.says;
    bar.hidden = false;
    clearInterval(counting);
    const count = () => {
      const left = (last?.until || 0) - Date.now();
      $("progress", bar).value = Math.max(0, left);
      if (left <= 0) hideUndo();
    };
    counting = setInterval(count, 200);
    count();
  }

  function hideUndo() {
    clearInterval(counting);
    if (bar.contains(document.activeElement)) $("[data-stage]", desk)?.focus({ preventScroll: true });
    bar.hidden = true;
    last = null;
  }

  async function undo() {
    if (busy) return;
    if (!last) {
      if ($("[data-undo]", desk)) $("[data-undo]", desk).submit();
      else announce(life().words.late);
      return;
    }
    busy = true;
    const taken = last;
    try {
      const answer = await post(taken.undo, {}, { headers: { "HX-Request": "true" } });
      if (answer.status !== 204) {
        $("#notices", desk).replaceChildren(...new DOMParser().parseFromString(await answer.text(), "text/html").body.childNodes);
        return;
      }
      hideUndo();
      const same = taken.url === here();
      const before = await load(taken.url);
      if (!before) return;
      const present = { desk, url: here(), at: Date.now() };
      if (same) {
        show({ desk: before.desk }, taken.undone);
        return;
      }
      past.pop();
      const later = await ahead;
      show(before, taken.undone, true);
      giveBack(later);
      if (present.desk.dataset.conflict === undefined) { // it comes next again
        $("main", present.desk).dataset.lookId = "0";
        ahead = Promise.resolve(present);
        loaded = present;
      }
    } catch {
      $("#notices", desk).replaceChildren(copyOf("t-notice"));
      $("#notices [data-text]", desk).textContent = berkas.words.offline;
    } finally {
      busy = false;
    }
  }
  $("button", bar || document.createElement("div"))?.addEventListener("click", undo);

  // --- Comparing -------------------------------------------------------------------------------------------------

  const beside = () => $("[data-beside]", desk);

  function uncompare() {
    const view = beside();
    life().looks = life().looks.filter((look) => {
      if (look.element === view) navigator.sendBeacon(view.dataset.look, new URLSearchParams(look.fields(true)));
      return look.element !== view;
    });
    life().views = life().views.filter((other) => other.element !== view);
    berkas.inStep(life().views);
    view.remove();
    $("#stages", desk).classList.remove("two");
    $("[data-stage]", desk)?.focus({ preventScroll: true });
  }

  async function compare(url) {
    try {
      const answer = await fetch(url, { headers: { "HX-Request": "true" } });
      const found = answer.ok && $("[data-beside]", new DOMParser().parseFromString(await answer.text(), "text/html"));
      if (!found) {
        location.assign(url);
        return;
      }
      const refocus = $("#compare-with", desk) === document.activeElement;
      if (beside()) uncompare();
      const other = document.importNode(found, true);
      $("#stages", desk).append(other);
      $("#stages", desk).classList.add("two");
      const view = berkas.view(other);
      if (view) life().views.push(view);
      life().looks.push(lookOf(other));
      berkas.inStep(life().views);
      view?.follow(life().views[0].place());
      if (refocus) $("#compare-with", desk).focus();
      announce($("[data-stage]", other)?.getAttribute("aria-label"));
    } catch {
      berkas.notice(berkas.words.offline);
    }
  }

  // --- Reasons ---------------------------------------------------------------------------------------------------

  const visibleReasons = (form) => $$(".reason", form).filter((label) => !label.hidden);

  function filterReasons(form) {
    const parts = $("[data-filter]", form).value.toLocaleLowerCase().split(/\s+/).filter(Boolean);
    for (const label of $$(".reason", form)) {
      const text = label.textContent.toLocaleLowerCase();
      label.hidden = !parts.every((part) => text.includes(part));
    }
    for (const group of $$("fieldset", form)) group.hidden = !$$(".reason", group).some((label) => !label.hidden);
    const visible = visibleReasons(form);
    $("[data-none]", form).hidden = visible.length > 0;
    for (const key of $$(".reason kbd", form)) key.hidden = true;
    visible.slice(0, 9).forEach((label, i) => {
      $("kbd", label).textContent = i + 1;
      $("kbd", label).hidden = false;
    });
  }

  function choose(form, label) {
    const box = $("input", label);
    box.checked = !box.checked;
    label.scrollIntoView({ block: "nearest" });
    $("[data-error]", form).replaceChildren();
    announce($("span", label).textContent.trim() + " · " + fill(life().words.chosen, { n: $$("[name=reason]:checked", form).length }));
  }

  // keys within the reasons: arrows move, digits choose, Enter chooses the first that fits, then sends.
  function reasonKey(form, event) {
    const { key, target } = event;
    const filter = $("[data-filter]", form);
    const visible = visibleReasons(form);
    if (/^[1-9]$/.test(key) && target.matches("[data-filter], [name=reason], .reasons")) {
      if (visible[key - 1]) choose(form, visible[key - 1]);
    } else if ((key === "ArrowDown" || key === "ArrowUp") && target.matches("[data-filter], [name=reason]")) {
      const boxes = [filter, ...visible.map((label) => $("input", label))];
      boxes[boxes.indexOf(target) + (key === "ArrowDown" ? 1 : -1)]?.focus();
    } else if (key === "Enter" && target === filter) {
      if (!filter.value) form.requestSubmit();
      else if (visible[0]) {
        choose(form, visible[0]);
        filter.value = "";
        filterReasons(form);
      }
    } else if (key === "Enter" && target.matches("[name=reason]")) {
      form.requestSubmit();
    } else {
      return false;
    }
    return true;
  }

  // --- Keys ------------------------------------------------------------------------------------------------------

  const on = () => localStorage.getItem("berkas-keys") !== "off";
  const help = () => {
    $("[data-keys]", desk).checked = on();
    $("#keys", desk).showModal();
  };
  const press = (selector) => $(selector, desk)?.click();
  const openPop = (selector) => {
    const pop = $(selector, desk)?.closest(".pop");
    if (pop) pop.open = true;
  };
  const ready = (act) => () => { if ("ready" in desk.dataset) act(); };
  const main = (act) => () => { if (life().views[0]) act(life().views[0]); };

  // Those that may repeat while the key is held are apart from those that must not.
  const moves = {
    "+": main((v) => { v.zoomBy(1.25); v.says(); }), "=": main((v) => { v.zoomBy(1.25); v.says(); }), "-": main((v) => { v.zoomBy(0.8); v.says(); }),
    ArrowLeft: main((v) => v.panBy(-80, 0)), ArrowRight: main((v) => v.panBy(80, 0)), ArrowUp: main((v) => v.panBy(0, -80)), ArrowDown: main((v) => v.panBy(0, 80)),
    PageUp: main((v) => v.pageBy(-1)), PageDown: main((v) => v.pageBy(1)),
  };
  const acts = {
    "0": main((v) => { v.fit(); v.says(); }), "[": main((v) => v.turn(-1)), "]": main((v) => v.turn(1)),
    a: ready(() => {
      const form = $("form.approve", desk);
      if (form) form.requestSubmit();
      else openPop('[data-panel="approve"]');
    }),
    r: ready(() => openPop('[data-panel="refuse"]')),
    q: () => openPop("[data-ask]"), s: () => openPop("[data-snooze]"),
    z: undo, j: goOn, k: goBack, v: () => press("#reveal"),
    c: () => (beside() ? uncompare() : press("[data-compare]")),
    "?": help,
  };
  let pressed = null;
  const typing = "input:not([type=checkbox], [type=radio]), textarea, select, [contenteditable]";

  document.addEventListener("keydown", (event) => {
    const { key, target } = event;
    if (event.defaultPrevented || $("dialog[open]")) return;
    const pop = $(".pop[open]", desk);
    if (key === "Escape" && pop) {
      pop.open = false;
      ($("[data-stage]", desk) || $("summary", pop)).focus({ preventScroll: true });
      event.preventDefault();
      return;
    }
    const form = target.closest?.(".pop form");
    if (form) {
      if (key === "Enter" && (event.ctrlKey || event.metaKey) && target.matches("textarea")) {
        form.requestSubmit();
        event.preventDefault();
      } else if (!event.ctrlKey && !event.metaKey && !event.altKey && "refuse" in form.dataset && reasonKey(form, event)) {
        event.preventDefault();
      }
      return;
    }
    if (pop || event.ctrlKey || event.metaKey || event.altKey || target.closest?.(typing) || !on()) return;
    const name = key.length === 1 ? key.toLowerCase() : key;
    const scrolls = target.closest?.(".viewer-side") && key.length > 1; // there the arrows move the side
    const act = moves[name] || (!event.repeat && acts[name]);
    if (!act || scrolls) {
      if (acts[name] && event.repeat) event.preventDefault();
      return;
    }
    event.preventDefault();
    pressed = key;
    act();
  });
  // A key that opened a form is not typed into it, however late the browser hands the letter over.
  document.addEventListener("keyup", () => { pressed = null; });
  document.addEventListener("beforeinput", (event) => { if (pressed && event.data === pressed) event.preventDefault(); });

  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (kindOf(form) && desk.contains(form)) {
      event.preventDefault();
      send(form, event.submitter);
    } else if ("next" in form.dataset && desk.contains(form)) {
      event.preventDefault();
      goOn();
    }
  });
  document.addEventListener("click", (event) => {
    const at = (selector) => event.target.closest(selector);
    if (at("[data-previous]")) goBack();
    if (at("[data-help]")) help();
    if (at("[data-reload]")) location.reload();
    if (at("[data-close]")) {
      const pop = at(".pop");
      pop.open = false;
      $("summary", pop).focus();
    }
    if (event.ctrlKey || event.metaKey || event.shiftKey) return;
    if (at("[data-compare]")) {
      event.preventDefault();
      compare(at("[data-compare]").href);
    }
    if (at("[data-uncompare]")) {
      event.preventDefault();
      uncompare();
    }
  });
  document.addEventListener("input", (event) => { if (event.target.matches("[data-filter]")) filterReasons(event.target.form); });
  document.addEventListener("change", (event) => {
    const { target } = event;
    if (target.matches("#compare-with")) compare(target.form.action + "?" + new URLSearchParams(new FormData(target.form)));
    if (target.matches("[data-expires]")) for (const other of $$("[data-expires]", desk)) other.value = target.value;
    if (target.matches("[data-keys]")) {
      localStorage.setItem("berkas-keys", target.checked ? "on" : "off");
      if (!target.checked) announce(life().words.keysOff);
    }
  });
  document.addEventListener("toggle", (event) => {
    const pop = event.target;
    if (!pop.matches(".pop") || !pop.open) return;
    for (const other of $$(".pop[open]", desk)) if (other !== pop) other.open = false;
    const filter = $("[data-filter]", pop);
    if (filter) filterReasons(filter.form);
    (filter || $("textarea, select, .panel button, .panel input:not([type=hidden])", pop) || $("summary", pop)).focus();
  }, true);
  // What was typed is shown in clear: the button that asked for it is gone.
  document.addEventListener("htmx:afterSettle", (event) => { if (event.target.id === "typed") $("[data-stage]", desk)?.focus({ preventScroll: true }); });

  for (const filter of $$("[data-filter]")) filterReasons(filter.form);
  sit($("[data-desk]"));
})();

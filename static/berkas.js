// What every page does beyond plain forms and links. Everything here is an addition: each page works without it. A form
// that sends a file has it as form.berkas: the file, and lost, which says in its row what became of it.
"use strict";
(() => {
  const $ = (selector, root = document) => root.querySelector(selector);
  const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];
  const root = document.documentElement;
  const words = JSON.parse($('meta[name="berkas-words"]')?.content || "{}");
  const fill = (sentence, params = {}) => sentence.replace(/\{(\w+)\}/g, (whole, name) => params[name] ?? whole);
  const say = (key, params) => fill(words[key], params);
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

  const copyText = async (text, button) => {
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      const area = document.createElement("textarea"); // pages that are neither https nor local have no clipboard
      area.value = text;
      button.after(area);
      area.select();
      document.execCommand("copy");
      area.remove();
      button.focus();
    }
  };

  document.addEventListener("click", async (event) => {
    if (event.target.closest("[data-print]")) print();
    const close = event.target.closest("[data-dismiss]");
    if (close) {
      close.closest(".notice").remove();
      $("#content")?.focus();
    }
    const copy = event.target.closest("[data-copy]");
    if (copy) {
      await copyText(copy.dataset.copy, copy);
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
    const { elt, formData, headers } = event.detail;
    if (elt.matches("[data-poll]:not(form)")) headers["Berkas-Poll"] = "1"; // nobody may be sitting before the page
    if (elt.matches("[data-tidy]")) {
      for (const [name, value] of [...formData]) if (value === "") formData.delete(name);
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
      if (form?.berkas) { // the row stays, with the file still chosen
        detail.shouldSwap = false;
        form.berkas.lost($("[data-sentence]", new DOMParser().parseFromString(html, "text/html"))?.textContent || say("lost", { file: form.berkas.file.name }));
        return;
      }
      if (requestConfig.verb === "get" && form?.matches?.("[data-poll]")) {
        if (xhr.status >= 500 || xhr.status === 429) { // ask again, later each time
          detail.shouldSwap = false;
          pause(form);
          if (form.dataset.poll !== "tell") return;
        } else {
          form.berkasStopped = true; // signed out, or gone: say so once
        }
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
  });

  document.addEventListener("htmx:load", (event) => {
    if (event.detail.elt.matches("#merchant-list, #export-list > *")) announce($("[data-announce]", event.detail.elt)?.textContent);
  });
  document.addEventListener("htmx:sendError", (event) => {
    const form = event.detail.elt;
    if (form.matches("[data-poll]") && event.detail.requestConfig.verb === "get") {
      pause(form);
      if (form.dataset.poll !== "tell") return;
    }
    if (form.berkas) form.berkas.lost(say("offlineRow", { file: form.berkas.file.name }));
    else notice(words.offline);
  });
  document.addEventListener("htmx:timeout", (event) => {
    const form = event.detail.elt;
    if (form.berkas) form.berkas.lost(say("lost", { file: form.berkas.file.name }));
    else notice(words.offline);
  });

  // What the scripts of single pages share.
  window.berkas = { $, $$, words, fill, say, size, copyOf, announce, notice, copyText };
})();

// The viewer: zooming, turning, moving a document.
"use strict";
(() => {
  const { $, $$, announce } = berkas;
  const viewer = $("[data-viewer]");
  const stage = viewer && $("[data-stage]", viewer);
  const atDOKU = $("#at-doku[hx-get]");
  if (stage) {
    const sheets = $$("[data-sheet]", stage);
    const output = $("[data-zoomed]", viewer);
    const percent = new Intl.NumberFormat(document.documentElement.lang, { style: "percent", maximumFractionDigits: 0 });
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
    if (atDOKU) Promise.all($$("img", stage).slice(0, 1).map((img) => img.decode())).then(() => htmx.trigger(atDOKU, "shown"), () => {});
    new ResizeObserver(() => draw(true)).observe(stage);
    if (!location.hash && !$("#notices [role=alert]")) stage.focus({ preventScroll: true });
  }
})();

// The viewer: zooming, turning and moving a document, page by page; several of them in step. berkas.view makes
// one live.
"use strict";
(() => {
  const { $, $$, announce } = berkas;
  const percent = new Intl.NumberFormat(document.documentElement.lang, { style: "percent", maximumFractionDigits: 0 });
  const margin = { x: 32, y: 88 }; // pixels around a sheet that fits, the tools' bar among them

  // A viewer keeps its zoom as a multiple of what fits, and its middle as a share of the sheet, so that another one can
  // follow it whatever the size of its own sheet.
  function viewerOf(element) {
    const stage = $("[data-stage]", element);
    if (!stage) return null;
    const sheets = $$("[data-sheet]", stage);
    const output = $("[data-zoomed]", element);
    const paged = $("[data-paged]", element);
    const rotation = $("[data-rotate]", element);
    const view = { element, stage, moved: () => {} };
    let turns = Number(element.dataset.turns) || 0;
    let zoom = 1;
    let page = 0;
    let scale = 1;
    let fits = 1;

    const imageOf = (sheet) => $("img", sheet);
    const middleOf = () => ({ x: (stage.scrollLeft + stage.clientWidth / 2) / stage.scrollWidth, y: (stage.scrollTop + stage.clientHeight / 2) / stage.scrollHeight });
    const putMiddle = (at) => stage.scrollTo(at.x * stage.scrollWidth - stage.clientWidth / 2, at.y * stage.scrollHeight - stage.clientHeight / 2);

    // draw keeps the middle, or the point of the sheet under the pointer, where it is.
    const draw = (point) => {
      const sheet = sheets[page];
      const img = imageOf(sheet);
      const middle = middleOf();
      const before = point && sheet.getBoundingClientRect();
      const w = img.naturalWidth || Number(img.getAttribute("width")) || 800;
      const h = img.naturalHeight || Number(img.getAttribute("height")) || 600;
      const [across, down] = turns % 2 ? [h, w] : [w, h];
      fits = Math.max(0.01, Math.min((stage.clientWidth - margin.x) / across, (stage.clientHeight - margin.y) / down));
      scale = fits * zoom;
      sheet.style.width = across * scale + "px";
      sheet.style.height = down * scale + "px";
      img.style.width = w * scale + "px";
      img.style.height = h * scale + "px";
      img.style.rotate = turns * 90 + "deg";
      output.textContent = percent.format(scale);
      if (!point) {
        putMiddle(middle);
        return;
      }
      const after = sheet.getBoundingClientRect();
      const share = { x: (point.x - before.left) / before.width, y: (point.y - before.top) / before.height };
      stage.scrollBy(after.left + share.x * after.width - point.x, after.top + share.y * after.height - point.y);
    };

    view.zoomTo = (value, point) => {
      zoom = Math.min(16, Math.max(0.25, value));
      draw(point);
      view.moved(view);
    };
    view.zoomBy = (factor, point) => view.zoomTo(zoom * factor, point);
    view.fit = () => view.zoomTo(1);
    view.full = (point) => view.zoomTo(Math.abs(zoom - 1) < 0.01 ? 1 / fits : 1, point);
    view.panBy = (x, y) => {
      stage.scrollBy(x, y);
      view.moved(view);
    };
    view.place = () => ({ zoom, middle: middleOf() });
    let led = 0;
    view.follow = (place) => {
      led = performance.now();
      zoom = place.zoom;
      draw();
      putMiddle(place.middle);
    };
    view.says = () => announce(percent.format(scale));

    let pending;
    view.turn = (by) => {
      turns = (turns + by + 4) % 4;
      for (const sheet of sheets) sheet.className = "sheet turn-" + turns;
      draw();
      for (const button of $$("[name=quarters]", element)) button.value = (turns + (button.dataset.turn === "left" ? 3 : 1)) % 4;
      if (!rotation) return;
      clearTimeout(pending);
      pending = setTimeout(() => htmx.ajax("POST", rotation.dataset.rotate, { source: rotation, values: { quarters: turns }, swap: "none" }), 300);
    };

    view.showPage = (n) => {
      if (n < 0 || n >= sheets.length) return;
      page = n;
      sheets.forEach((sheet, i) => { sheet.hidden = i !== page; });
      const following = sheets[page + 1];
      if (following) imageOf(following).loading = "eager"; // it comes next
      if (paged) {
        paged.textContent = berkas.fill(berkas.words.page, { n: page + 1, total: sheets.length });
        announce(paged.textContent);
      }
      stage.scrollTo(0, 0);
      draw();
    };
    view.pageBy = (by) => view.showPage(page + by);

    element.addEventListener("click", (event) => {
      const button = event.target.closest("[data-zoom], [data-turn], [data-page]");
      if (!button) return;
      event.preventDefault();
      const { zoom: how, turn, page: which } = button.dataset;
      if (turn) view.turn(turn === "left" ? -1 : 1);
      else if (which) view.pageBy(which === "back" ? -1 : 1);
      else if (how === "fit") view.fit();
      else view.zoomBy(how === "in" ? 1.25 : 0.8);
      if (how) view.says();
    });

    stage.addEventListener("wheel", (event) => {
      if (event.shiftKey) return; // that moves it sideways
      event.preventDefault();
      const lines = event.deltaMode === 1 ? 16 : 1;
      view.zoomBy(Math.exp(-event.deltaY * lines / (event.ctrlKey ? 100 : 400)), { x: event.clientX, y: event.clientY });
    }, { passive: false });
    stage.addEventListener("dblclick", (event) => view.full({ x: event.clientX, y: event.clientY }));
    stage.addEventListener("scroll", () => { if (performance.now() - led > 100) view.moved(view); }, { passive: true });

    // One pointer moves the sheet, two zoom it between them.
    const held = new Map();
    const centre = () => {
      const [a, b] = [...held.values()];
      return b ? { x: (a.x + b.x) / 2, y: (a.y + b.y) / 2, gap: Math.hypot(a.x - b.x, a.y - b.y) } : { ...a, gap: 0 };
    };
    stage.addEventListener("pointerdown", (event) => {
      if (event.pointerType === "mouse" && event.button !== 0) return;
      held.set(event.pointerId, { x: event.clientX, y: event.clientY });
      stage.setPointerCapture(event.pointerId);
      stage.classList.add("held");
    });
    stage.addEventListener("pointermove", (event) => {
      if (!held.has(event.pointerId)) return;
      const before = centre();
      held.set(event.pointerId, { x: event.clientX, y: event.clientY });
      const now = centre();
      if (before.gap && now.gap) view.zoomBy(now.gap / before.gap, now);
      if (stage.scrollHeight <= stage.clientHeight && event.pointerType === "touch") scrollBy(0, before.y - now.y);
      view.panBy(before.x - now.x, before.y - now.y);
    });
    for (const end of ["pointerup", "pointercancel"]) {
      stage.addEventListener(end, (event) => {
        held.delete(event.pointerId);
        if (!held.size) stage.classList.remove("held");
      });
    }
    stage.addEventListener("dragstart", (event) => event.preventDefault());

    stage.classList.add("live");
    sheets.forEach((sheet, i) => { sheet.hidden = i !== 0; });
    for (const img of $$("img", stage)) img.addEventListener("load", () => draw());
    new ResizeObserver(() => draw()).observe(stage);
    draw();
    return view;
  }

  berkas.view = viewerOf;

  // What is moved in one of them moves in all.
  berkas.inStep = (views) => {
    for (const view of views) view.moved = (moved) => { for (const other of views) if (other !== moved) other.follow(moved.place()); };
  };
})();

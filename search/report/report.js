// Draws the figures of a report in the page's colours, and redraws them when the colours or the width change.
(() => {
  "use strict";
  const packed = JSON.parse(document.getElementById("figures").textContent);
  const types = { i1: Int8Array, i2: Int16Array, i4: Int32Array, f4: Float32Array, f8: Float64Array };
  const arrays = packed.arrays.map(([type, text]) => {
    return new types[type](Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0)).buffer);
  });

  // Reverses the packing of search/report/embedding.py.
  function unpacked(value) {
    if (Array.isArray(value)) return value.map(unpacked);
    if (value === null || typeof value !== "object") return value;
    if ("$a" in value) return arrays[value.$a];
    if ("$c" in value) {
      const columns = value.$c.map(unpacked);
      return Array.from(columns[0], (_, row) => columns.map((column) => column[row]));
    }
    if ("$r" in value) {
      const list = [];
      for (let at = 0; at < value.$r.length; at += 2) {
        for (let count = 0; count < value.$r[at + 1]; count++) list.push(value.$r[at]);
      }
      return list;
    }
    return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, unpacked(item)]));
  }

  const config = {
    displaylogo: false,
    responsive: true,
    modeBarButtonsToRemove: ["select2d", "lasso2d", "autoScale2d"],
  };
  const drawn = new Map();
  let printed = false;

  // All colours are defined in the style sheet.
  function template() {
    const style = getComputedStyle(document.documentElement);
    const colour = (name) => style.getPropertyValue(printed ? `--printed-${name}` : `--${name}`).trim();
    const font = { family: style.getPropertyValue("--font"), size: narrow() && !printed ? 11 : 13, color: colour("text") };
    const axis = {
      gridcolor: colour("grid"),
      linecolor: colour("line"),
      zerolinecolor: colour("grid"),
      tickcolor: colour("line"),
      title: { font: { size: font.size, color: colour("muted") } },
    };
    return {
      // An edge in the page's colour separates overlapping markers.
      data: { scatter: [{ marker: { line: { color: colour("page") } } }] },
      layout: {
        font,
        paper_bgcolor: "rgba(0, 0, 0, 0)",
        plot_bgcolor: "rgba(0, 0, 0, 0)",
        xaxis: axis,
        yaxis: axis,
        hoverlabel: { bgcolor: colour("raised"), bordercolor: colour("line"), font: { color: colour("text") } },
        modebar: { bgcolor: "rgba(0, 0, 0, 0)", color: colour("muted"), activecolor: colour("text") },
      },
    };
  }

  const narrow = () => document.documentElement.clientWidth < 640;

  // On a narrow page: axis titles in several lines, and none where the tick labels are enough.
  const broken = (text) => text.replace(/, |: | (?=\()/g, (gap) => `${gap.trimEnd()}<br>`);

  function axes(layout) {
    const narrowed = {};
    for (const [name, axis] of Object.entries(layout)) {
      if (!/^[xy]axis/.test(name) || !axis.title) continue;
      const text = axis.tickmode === "array" && name[0] === "y" ? "" : axis.title.text;
      narrowed[name] = { ...axis, title: { ...axis.title, text: layout.showlegend ? text : broken(text) } };
    }
    return narrowed;
  }

  function layout(figure) {
    const adapted = { ...figure.layout, template: template(), autosize: true };
    if (narrow() || printed) Object.assign(adapted, axes(figure.layout));
    // The width of a sheet of paper, A4 or letter.
    return printed ? { ...adapted, autosize: false, width: 660 } : adapted;
  }

  function draw(place) {
    const figure = unpacked(packed.figures[Number(place.dataset.figure)]);
    drawn.set(place, figure);
    Plotly.newPlot(place, figure.data, layout(figure), config);
  }

  function redraw() {
    for (const [place, figure] of drawn) Plotly.react(place, figure.data, layout(figure), config);
  }

  // Those of a closed section have no width yet.
  const shown = (place) => !place.closest(".later") && !place.closest(".fold:not([open])");
  const undrawn = () => [...document.querySelectorAll(".plot")].filter((place) => shown(place) && !drawn.has(place));

  // One at a time, so that the page stays responsive.
  function next() {
    const [place] = undrawn();
    if (!place) return;
    draw(place);
    setTimeout(next);
  }
  next();

  const folds = [...document.querySelectorAll(".fold")];
  for (const fold of folds) fold.addEventListener("toggle", next);

  // A link to a section, or to a part of one, opens it.
  function opened() {
    const target = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
    const fold = target && (target.closest(".fold") || target.querySelector(":scope > .fold"));
    if (!fold || fold.open) return;
    fold.open = true;
    target.scrollIntoView();
  }
  addEventListener("hashchange", opened);
  opened();

  const all = document.getElementById("all");
  all.hidden = folds.length === 0;
  all.addEventListener("click", () => {
    for (const fold of folds) fold.open = true;
  });

  // Parallel coordinates use the graphics card, which has room for only a few such figures.
  for (const later of document.querySelectorAll(".later")) {
    const place = later.querySelector(".plot");
    later.addEventListener("toggle", () => {
      if (later.open === drawn.has(place)) return;
      if (later.open) draw(place);
      else if (drawn.delete(place)) Plotly.purge(place);
    });
  }

  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
  matchMedia("(min-width: 640px)").addEventListener("change", redraw);
  matchMedia("print").addEventListener("change", redraw);
  addEventListener("beforeprint", () => {
    undrawn().forEach(draw);
    printed = true;
    redraw();
  });
  addEventListener("afterprint", () => {
    printed = false;
    redraw();
  });
})();

// A table whose rows are links. Streamlit calls this function again whenever the data are new.

const UNITS = [["year", 31536000], ["month", 2592000], ["day", 86400], ["hour", 3600], ["minute", 60], ["second", 1]];
const AGO = new Intl.RelativeTimeFormat("en", { numeric: "auto", style: "short" });

function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    made.setAttribute(key, value);
  }
  made.append(...children);
  return made;
}

function ago(seconds) {
  const passed = seconds - Date.now() / 1000;
  const [unit, length] = UNITS.find(([, length]) => Math.abs(passed) >= length) ?? UNITS.at(-1);
  const when = new Date(seconds * 1000);
  const attributes = { datetime: when.toISOString(), title: when.toLocaleString() };
  return element("time", attributes, AGO.format(Math.round(passed / length), unit));
}

function shown(kind, value) {
  if (value === null) {
    return "–";
  }
  if (kind === "time") {
    return ago(value);
  }
  if (kind === "progress") {
    const text = `${Math.round(100 * value)}\u00a0%`;
    return element("span", { class: "progress" }, element("meter", { value, "aria-label": text }), text);
  }
  return value;
}

function isPlain(event) {
  return event.button === 0 && !(event.metaKey || event.ctrlKey || event.shiftKey || event.altKey);
}

function heading(column, place, sorted, sort) {
  const cell = element("th", { scope: "col", class: column.kind, title: column.help ?? "" });
  if (!sort) {
    cell.append(column.title);
    return cell;
  }
  const is = sorted?.column === place;
  cell.setAttribute("aria-sort", is ? (sorted.down ? "descending" : "ascending") : "none");
  const button = element("button", { type: "button" }, column.title, is ? (sorted.down ? " ↓" : " ↑") : "");
  button.addEventListener("click", () => sort(column.title));
  cell.append(button);
  return cell;
}

function body(data, open) {
  return data.rows.map((row) => {
    const cells = row.cells.map((value, place) => {
      const { kind } = data.columns[place];
      const inside = shown(kind, value);
      if (place > 0) {
        return element("td", { class: kind }, inside);
      }
      const named = row.name ? { "aria-label": row.name } : {};
      const link = element("a", { href: row.href, ...named }, inside);
      link.addEventListener("click", (event) => {
        if (isPlain(event)) {
          event.preventDefault();
          open(row.href);
        }
      });
      return element("th", { scope: "row", class: kind }, link);
    });
    return element("tr", row.strong ? { class: "strong" } : {}, ...cells);
  });
}

export default function ({ data, parentElement, setTriggerValue }) {
  const table = parentElement.querySelector("table");
  const links = () => [...table.querySelectorAll("tbody a")];
  const focused = () => links().findIndex((link) => link === table.getRootNode().activeElement);
  const kept = focused() < 0 ? null : links()[focused()].getAttribute("href");
  const sort = data.sorts ? (title) => setTriggerValue("sorted", title) : null;
  const head = data.columns.map((column, place) => heading(column, place, data.sorted, sort));
  table.setAttribute("aria-label", data.label);
  table.replaceChildren(
    element("thead", {}, element("tr", {}, ...head)),
    element("tbody", {}, ...body(data, (href) => setTriggerValue("opened", href))),
  );
  links().find((link) => link.getAttribute("href") === kept)?.focus();

  function step(event) {
    const typing = event.target.closest?.("input, textarea, select, [contenteditable]");
    const by = { j: 1, k: -1 }[event.key];
    if (!by || typing || event.metaKey || event.ctrlKey || event.altKey) {
      return;
    }
    const all = links();
    const next = focused() < 0 ? 0 : Math.min(Math.max(focused() + by, 0), all.length - 1);
    all[next]?.focus();
  }

  document.addEventListener("keydown", step);
  return () => document.removeEventListener("keydown", step);
}

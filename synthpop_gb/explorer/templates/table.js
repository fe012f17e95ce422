// The table of areas: the map in words, sorted and searched; and what can be taken away as CSV.
const ROWS = 25;
const table = { by: "estimate", down: true, page: 0, order: [] };

function plain(value) {
  return Number.isFinite(value) ? String(Number(value.toPrecision(7))) : "";
}

function figureCells(f) {
  if (!f) return ["", "", "", ""];
  return [
    plain(f.estimate),
    Number.isFinite(f.half) ? plain(f.lower) : "",
    Number.isFinite(f.half) ? plain(f.upper) : "",
    f.cls === WITHHELD ? "withheld" : meta.classes[f.cls] || "",
  ];
}

function tableColumns() {
  const out = [{ key: "name", title: headed(meta.levels[state.level].one), text: true }];
  if (state.level < WHOLE - 1) out.push({ key: "within", title: headed(meta.levels[WHOLE - 1].one), text: true });
  out.push({ key: "estimate", title: "Estimate" });
  if (meta.sure) out.push({ key: "lower", title: "Lower" }, { key: "upper", title: "Upper" });
  if (state.show === "census") out.push({ key: "shown", title: "Less the census" });
  out.push({ key: "people", title: headed(view.item.of) }, { key: "donors", title: "Records" });
  if (meta.sure) out.push({ key: "class", title: "Reliability", text: true });
  return out;
}

let within = null;
async function prepareTable() {
  within = null;
  if (state.level < WHOLE - 1) {
    const [own, above] = await Promise.all([ofZones(state.level), ofZones(WHOLE - 1)]);
    within = new Int32Array(view.n).fill(-1);
    own.forEach((area, z) => {
      if (area >= 0) within[area] = within[area] === -1 || within[area] === above[z] ? above[z] : -2; // in several
    });
  }
}

function valueIn(key, area) {
  const f = key === "lower" || key === "upper" ? figureAt(view.item, view.row, area) : null;
  if (key === "name") return nameOf(state.level, area);
  if (key === "within") {
    const above = within ? within[area] : -1;
    return above >= 0 ? nameOf(WHOLE - 1, above) : above === -2 ? "several" : "";
  }
  if (key === "estimate") return view.row.estimate[area];
  if (key === "shown") return view.values[area];
  if (key === "people") return view.group.people[area];
  if (key === "donors") return view.group.donors[area];
  if (key === "class") return view.row.classes[area];
  return f[key];
}

function orderTable() {
  const wanted = $("filter").value.trim().toLowerCase(),
    place = meta.levels[state.level],
    order = [];
  for (let i = 0; i < view.n; i++)
    if (!wanted || (place.codes[i] + " " + nameOf(state.level, i)).toLowerCase().includes(wanted)) order.push(i);
  const keys = new Map(order.map((i) => [i, valueIn(table.by, i)])),
    sign = table.down ? -1 : 1;
  const text = table.by === "name" || table.by === "within",
    collator = new Intl.Collator("en-GB", { numeric: true });
  order.sort((i, j) => {
    const a = keys.get(i),
      b = keys.get(j);
    if (text) return sign * collator.compare(a, b);
    if (!Number.isFinite(a) || !Number.isFinite(b)) return Number.isFinite(a) ? -1 : Number.isFinite(b) ? 1 : 0;
    return sign * (a - b) || i - j;
  });
  table.order = order;
}

function showTable(keep) {
  if (!keep) table.page = 0;
  const columns = tableColumns();
  if (!columns.some((c) => c.key === table.by)) {
    table.by = "estimate";
    table.down = true;
  }
  orderTable();
  const pages = Math.max(1, Math.ceil(table.order.length / ROWS));
  table.page = Math.min(table.page, pages - 1);
  const head = element("tr");
  for (const c of columns) {
    const cell = element("th", null, c.text ? "text" : ""),
      button = element("button", c.title);
    button.type = "button";
    button.dataset.key = c.key;
    cell.scope = "col";
    cell.setAttribute("aria-sort", table.by === c.key ? (table.down ? "descending" : "ascending") : "none");
    button.append(element("span", table.by === c.key ? (table.down ? " ▼" : " ▲") : "", "arrow"));
    cell.append(button);
    head.append(cell);
  }
  const body = element("tbody");
  for (const area of table.order.slice(table.page * ROWS, (table.page + 1) * ROWS)) body.append(tableRow(area, columns));
  const top = element("thead");
  top.append(head);
  $("areas-table").replaceChildren(element("caption", titleOf(view.item, state.column) + ", " + view.how.unit), top, body);
  $("areas-said").textContent =
    headed(many(state.level)) +
    ": " +
    titleOf(view.item, state.column) +
    ", of " +
    whomSaid(view.item) +
    (state.scenario ? ", " + scenarioSaid(view.item, state.scenario) : "") +
    ". Press a name to take the area as A.";
  $("page-said").textContent = table.order.length
    ? "Rows " +
      number(table.page * ROWS + 1, 0) +
      " to " +
      number(Math.min((table.page + 1) * ROWS, table.order.length), 0) +
      " of " +
      number(table.order.length, 0)
    : "No row holds that";
  $("before").disabled = table.page === 0;
  $("after").disabled = table.page >= pages - 1;
}

function tableRow(area, columns) {
  const row = element("tr", null, state.a === area ? "a" : state.b === area ? "b" : ""),
    f = figureAt(view.item, view.row, area);
  const said = (v) => number(v * view.how.factor, view.how.decimals);
  const cells = {
    within: valueIn("within", area),
    estimate: f.cls === WITHHELD ? "withheld" : said(f.estimate),
    lower: Number.isFinite(f.half) ? said(f.lower) : "–",
    upper: Number.isFinite(f.half) ? said(f.upper) : "–",
    people: number(view.group.people[area], 0),
    donors: view.group.donors[area] || meta.open ? number(view.group.donors[area], 0) : "< " + meta.few,
    class: meta.classes[f.cls] || "",
    shown: number(view.values[area] * view.shown.factor, view.shown.decimals),
  };
  for (const c of columns) {
    const cell = element(c.key === "name" ? "th" : "td", c.key === "name" ? null : cells[c.key], c.text ? "text" : "");
    if (c.key === "name") {
      cell.scope = "row";
      const button = element("button", nameOf(state.level, area), "link");
      button.type = "button";
      button.dataset.area = area;
      button.title = fullName(state.level, area);
      cell.append(button);
    }
    row.append(cell);
  }
  return row;
}

// No text of a CSV is a formula, whatever it begins with.
function quoted(value) {
  let text = String(value);
  if (/^[=+\-@\t\r]/.test(text) && !Number.isFinite(Number(text))) text = "'" + text;
  return /[",\n\r]/.test(text) ? '"' + text.replace(/"/g, '""') + '"' : text;
}

function download(name, rows) {
  const text = "\ufeff" + rows.map((r) => r.map(quoted).join(",")).join("\r\n") + "\r\n";
  const link = element("a");
  link.href = URL.createObjectURL(new Blob([text], { type: "text/csv;charset=utf-8" }));
  link.download =
    name
      .toLowerCase()
      .replace(/[^a-z0-9]+/g, "-")
      .replace(/^-+|-+$/g, "")
      .slice(0, 80) + ".csv";
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
  say("Downloaded " + link.download);
}

// Unit of figures as files hold them: shares from 0 to 1.
function unitOf(item) {
  return item.kind === "share" ? "share of " + item.whom : item.unit || item.whom;
}

function tableRows() {
  const place = meta.levels[state.level],
    group = state.variable ? groupTitle(state.variable) + ": " + groupLabel() : "";
  const out = [
    ["code", "name", "indicator", "unit", "group", "scenario", "estimate", "lower", "upper", "reliability", view.item.of, "records"],
  ];
  for (const area of table.order)
    out.push([
      place.codes[area],
      nameOf(state.level, area),
      titleOf(view.item, state.column),
      unitOf(view.item),
      group,
      state.scenario,
      ...figureCells(figureAt(view.item, view.row, area)),
      view.group.people[area],
      view.group.donors[area] || meta.open ? view.group.donors[area] : "fewer than " + meta.few,
    ]);
  return out;
}

async function everyRow() {
  const place = meta.levels[state.level],
    out = [["code", "name", "topic", "indicator", "unit", "scenario", "estimate", "lower", "upper", "reliability"]];
  for (let index = 0; index < meta.items.length; index++) {
    const item = meta.items[index];
    for (const scenario of item.scenarios || [""]) {
      const groups = await figuresOf(index, state.level, scenario, "");
      if (!groups) continue;
      item.columns.forEach((label, k) =>
        place.codes.forEach((code, area) =>
          out.push([
            code,
            nameOf(state.level, area),
            item.title,
            label,
            unitOf(item),
            scenario,
            ...figureCells(figureAt(item, groups[0].rows[k], area)),
          ]),
        ),
      );
    }
  }
  return out;
}

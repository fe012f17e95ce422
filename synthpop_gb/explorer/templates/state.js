// What is chosen, kept in the address so that a view can be passed on; and small helpers for elements.
const $ = (id) => document.getElementById(id);
const state = {
  level: 0,
  item: 0,
  column: 0,
  variable: "",
  group: 0,
  scenario: "",
  show: "estimate",
  doubt: true,
  a: -1,
  b: -1,
};
let view = null; // what is drawn now: see `viewed`

function element(tag, text, name) {
  const node = document.createElement(tag);
  if (text !== undefined && text !== null) node.textContent = text;
  if (name) node.className = name;
  return node;
}

function option(value, text, chosen) {
  const node = element("option", text);
  node.value = value;
  node.selected = Boolean(chosen);
  return node;
}

const SVG = "http://www.w3.org/2000/svg";
function drawn(tag, attributes, text) {
  const node = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes || {})) node.setAttribute(name, value);
  if (text !== undefined) node.textContent = text;
  return node;
}

let saying = 0;
function say(text) {
  clearTimeout(saying);
  saying = setTimeout(() => {
    $("live").textContent = text;
  }, 150);
}

function many(level) {
  return meta.levels[level].many;
}
function headed(text) {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

function remember() {
  const item = meta.items[state.item],
    parts = {
      areas: meta.levels[state.level].name,
      of: item.name,
      show: state.show === "estimate" ? "" : state.show,
      indicator: item.columns[state.column],
      group: state.variable ? state.variable + ":" + (groupLabel() || "") : "",
      scenario: state.scenario,
      a: state.a >= 0 ? meta.levels[state.level].codes[state.a] : "",
      b: state.b >= 0 ? meta.levels[state.level].codes[state.b] : "",
    };
  const text = Object.entries(parts)
    .filter(([, v]) => v)
    .map(([k, v]) => k + "=" + encodeURIComponent(v))
    .join("&");
  try {
    history.replaceState(null, "", "#" + text);
  } catch (error) {
    /* some browsers keep files from changing their address */
  }
}

function recall() {
  const asked = new Map(
    location.hash
      .slice(1)
      .split("&")
      .map((p) => p.split("="))
      .filter((p) => p.length === 2)
      .map(([k, v]) => {
        try {
          return [k, decodeURIComponent(v)];
        } catch (error) {
          return [k, ""];
        }
      }),
  );
  const level = meta.levels.findIndex((l) => l.name === asked.get("areas"));
  if (level >= 0) state.level = level;
  const item = meta.items.findIndex((i) => i.name === asked.get("of"));
  if (item >= 0) state.item = item;
  const column = meta.items[state.item].columns.indexOf(asked.get("indicator"));
  state.column = Math.max(column, 0);
  const [variable, ...label] = (asked.get("group") || "").split(":");
  const groups = groupsOf(meta.items[state.item]).filter((g) => g[0] === variable);
  const group = groups.findIndex((g) => g[1] === label.join(":"));
  if (variable && group >= 0) {
    state.variable = variable;
    state.group = group;
  }
  if (asked.get("scenario")) state.scenario = asked.get("scenario");
  if (asked.get("show")) state.show = asked.get("show");
  for (const side of ["a", "b"]) if (asked.get(side)) state[side] = meta.levels[state.level].codes.indexOf(asked.get(side));
}

function groupTitle(variable) {
  return meta.groupTitles[variable] || variable;
}

function groupLabel() {
  const mine = groupsOf(meta.items[state.item]).filter((g) => g[0] === state.variable);
  return mine[state.group] ? mine[state.group][1] : null;
}

// Everything that map, panel and table show, worked out once for what is chosen.
async function viewed() {
  const item = meta.items[state.item];
  const groups = await figuresOf(state.item, state.level, state.scenario, state.variable);
  const group = groups && groups[state.group];
  if (!group) return null;
  const row = group.rows[state.column],
    how = writing(item, row.estimate),
    n = row.estimate.length;
  let values = row.estimate,
    kind = item.change ? "diverging" : "sequential",
    shown = how,
    census = null;
  if (state.show === "width") {
    values = Float64Array.from(row.estimate, (_, i) => figureAt(item, row, i).half);
    kind = "width";
    shown = {
      ...how,
      mark: how.points,
      unit: (item.kind === "share" ? "points" : how.unit) + ", half the width of the " + percent(item) + " interval",
    };
  } else if (state.show === "trust") {
    values = Float64Array.from(row.classes, (c, i) => (Number.isFinite(row.estimate[i]) && c < meta.classes.length ? c : NaN));
    kind = "trust";
  } else if (state.show === "census") {
    census = await censusOf(state.item, state.level);
    values = Float64Array.from(row.estimate, (v, i) => v - published(census, state.column, i));
    kind = "diverging";
    shown = { ...how, mark: " points", unit: "percentage points, estimate − census" };
  }
  const scale = kind === "trust" ? trustScale(values) : kind === "width" ? widths(values, shown) : classes(values, shown, kind);
  const place = Int8Array.from(values, (v, i) =>
    row.classes[i] === WITHHELD ? -2 : !Number.isFinite(v) ? -1 : kind === "trust" ? v : classAt(v, scale.limits),
  );
  const doubtful = (i) => Number.isFinite(row.estimate[i]) && row.classes[i] === UNRELIABLE;
  return { item, group, row, how, shown, values, kind, scale, place, doubtful, n };
}

function percent(item) {
  return number(100 * coverageOf(item), Number.isInteger(100 * coverageOf(item)) ? 0 : 1) + " %";
}

function trustScale(values) {
  const counts = meta.classes.map((_, k) => Array.from(values).filter((v) => v === k).length);
  return { limits: [], colours: TRUST, labels: meta.classes, counts };
}

function titleOf(item, column) {
  return item.kind === "share" && item.columns[column].toLowerCase() !== item.title.toLowerCase()
    ? item.title + ": " + item.columns[column]
    : item.title;
}

function scenarioSaid(item, scenario) {
  if (!scenario) return "";
  const title = item.scenarioTitles[item.scenarios.indexOf(scenario)] || scenario;
  return item.change && scenario !== "baseline" ? title + " − baseline" : title;
}

function whomSaid(item) {
  const label = groupLabel();
  const of = state.variable ? groupTitle(state.variable).toLowerCase() + " " + label : "";
  return of ? item.whom + ", " + of : item.whom;
}

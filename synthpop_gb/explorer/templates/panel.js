// Two areas side by side: cards, intervals on one axis, the difference in words, and graphs by subgroup.
const SIDES = ["a", "b"];

function whereIn(area) {
  return Promise.all(
    meta.levels.slice(state.level + 1, WHOLE).map(async (_, i) => {
      const k = state.level + 1 + i,
        parent = await areaIn(state.level, area, k);
      return parent < 0 ? null : { level: k, area: parent };
    }),
  ).then((found) => found.filter(Boolean));
}

async function card(side) {
  const area = state[side],
    node = element("article", null, "card " + side);
  node.setAttribute("aria-label", area < 0 ? "No " + (side === "a" ? "first" : "second") + " area" : nameOf(state.level, area));
  const head = element("h3");
  head.append(element("span", side.toUpperCase(), "tag " + side));
  node.append(head);
  if (area < 0) {
    head.append(element("span", side === "a" ? "no area chosen" : "no second area", "soft"));
    return node;
  }
  const f = figureAt(view.item, view.row, area),
    place = meta.levels[state.level];
  head.append(element("span", nameOf(state.level, area)));
  const within = (await whereIn(area)).map((w) => nameOf(w.level, w.area));
  const code = nameOf(state.level, area) === place.codes[area] ? "" : place.codes[area];
  node.append(element("p", [code, ...within].filter(Boolean).join(" · "), "soft"));
  const big = element("p", null, "big");
  big.append(element("strong", f.cls === WITHHELD ? "withheld" : written(f.estimate, view.how)));
  if (!view.how.mark && view.how.unit) big.append(element("span", view.how.unit, "soft"));
  node.append(big);
  if (Number.isFinite(f.half)) node.append(element("p", percent(view.item) + " interval " + interval(f, view.how)));
  if (meta.classes[f.cls]) node.append(element("span", meta.classes[f.cls], "class c" + f.cls));
  const records = view.group.donors[area],
    people = view.group.people[area];
  node.append(
    element(
      "p",
      number(people, 0) +
        " " +
        view.item.of +
        " asked about, " +
        (records || meta.open ? number(records, 0) : "fewer than " + meta.few) +
        " different records behind them",
      "soft little",
    ),
  );
  return node;
}

// Rows of points with intervals on one axis. rows: name, tone, figure, and what was published.
function dots(rows, how, label, width, paired) {
  const shown = rows.filter((r) => Number.isFinite(r.f.estimate));
  if (!shown.length) return element("p", "Nothing was estimated here.", "soft");
  const ends = shown
    .flatMap((r) => [r.f.estimate, r.f.lower, r.f.upper, r.census].filter(Number.isFinite))
    .map((v) => v * how.factor);
  let low = Math.min(...ends),
    high = Math.max(...ends);
  if (low > 0 && low < 0.45 * high) low = 0;
  const least = 8 * 10 ** -how.decimals; // a nought of error is no reason for an axis of a thousandth
  if (high - low < least) {
    const middle = (low + high) / 2;
    low = Math.max(middle - least / 2, low < 0 ? -Infinity : 0);
    high = low + least;
  }
  const left = Math.min(150, Math.max(58, 7 * Math.max(...rows.map((r) => r.name.length)))),
    right = 14,
    tall = paired ? 19 : 26,
    height = rows.length * tall + (paired ? (rows.length / 2) * 7 : 0) + 26;
  const x = (v) => left + ((width - left - right) * (v * how.factor - low)) / (high - low);
  const figure = drawn("svg", { viewBox: `0 0 ${width} ${height}`, class: "dots", role: "img", "aria-label": label });
  const marks = ticks(low, high, 4),
    decimals = Math.max(0, -Math.floor(Math.log10(marks[1] - marks[0]) + 1e-9));
  for (const t of marks) {
    const at = x(t / how.factor);
    figure.append(drawn("line", { x1: at, x2: at, y1: 4, y2: height - 22, class: "grid" }));
    figure.append(drawn("text", { x: at, y: height - 7, class: "tick", "text-anchor": "middle" }, number(t, decimals)));
  }
  rows.forEach((r, i) => {
    const y = 4 + tall * (i + 0.5) + (paired ? 7 * Math.floor(i / 2) : 0),
      g = drawn("g", { class: "mark " + r.tone });
    if (r.name)
      g.append(
        drawn("text", { x: left - 8, y: y + 4, "text-anchor": "end" }, r.name.length > 22 ? r.name.slice(0, 21) + "…" : r.name),
      );
    if (Number.isFinite(r.f.estimate)) {
      if (Number.isFinite(r.f.half))
        g.append(drawn("line", { x1: x(r.f.lower), x2: x(r.f.upper), y1: y, y2: y, class: "range" }));
      if (Number.isFinite(r.census))
        g.append(drawn("path", { d: `M${x(r.census)} ${y - 7}l6 7l-6 7l-6 -7z`, class: "census" }));
      g.append(drawn("circle", { cx: x(r.f.estimate), cy: y, r: 4.5, class: r.f.cls === UNRELIABLE ? "hollow" : "" }));
      g.append(
        drawn(
          "title",
          {},
          (r.full || r.name) +
            ": " +
            written(r.f.estimate, how) +
            (Number.isFinite(r.f.half) ? " (" + interval(r.f, how) + ")" : ""),
        ),
      );
    } else g.append(drawn("text", { x: left + 4, y: y + 4, class: "tick" }, r.f.cls === WITHHELD ? "withheld" : "nobody"));
    figure.append(g);
  });
  return figure;
}

function ticks(low, high, about) {
  const raw = (high - low) / about,
    power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 5, 10].map((m) => m * power).find((m) => m >= raw),
    out = [];
  for (let t = Math.ceil(low / step) * step; t <= high + step * 1e-9; t += step) out.push(Math.abs(t) < step / 1e6 ? 0 : t);
  return out.length > 1 ? out : [low, high];
}

function differenceSaid(f, g, how) {
  const gap = f.estimate - g.estimate,
    half = Math.hypot(f.half, g.half);
  if (!Number.isFinite(gap)) return "";
  const size = number(Math.abs(gap) * how.factor, how.decimals) + (how.points || "");
  const first = gap === 0 ? "A and B are alike." : "A is " + size + (gap > 0 ? " above B." : " below B.");
  if (!Number.isFinite(half)) return first;
  const ends = number((gap - half) * how.factor, how.decimals) + " to " + number((gap + half) * how.factor, how.decimals);
  return (
    first +
    " Taking their errors for independent, the interval of A − B is " +
    ends +
    (how.points || "") +
    (Math.abs(gap) > half ? ": they differ." : ": they are not told apart.")
  );
}

let panelNumber = 0;
async function showPanel() {
  const mine = ++panelNumber,
    cards = await Promise.all(SIDES.map(card)),
    item = view.item;
  const rows = [],
    census = state.variable ? null : await censusOf(state.item, state.level);
  for (const side of SIDES)
    if (state[side] >= 0)
      rows.push({
        name: side.toUpperCase() + " " + nameOf(state.level, state[side]),
        tone: side,
        f: figureAt(item, view.row, state[side]),
        census: published(census, state.column, state[side]),
      });
  const anchor = state.a >= 0 ? state.a : state.b;
  if (!item.adds)
    for (const w of [...(anchor >= 0 ? await whereIn(anchor) : []), { level: WHOLE, area: 0 }]) {
      const groups = w.level === state.level ? null : await figuresOf(state.item, w.level, state.scenario, state.variable);
      if (!groups) continue;
      const theirs = state.variable ? null : await censusOf(state.item, w.level);
      rows.push({
        name: nameOf(w.level, w.area),
        tone: "whole",
        f: figureAt(item, groups[state.group].rows[state.column], w.area),
        census: published(theirs, state.column, w.area),
      });
    }
  const graphs = [];
  if (rows.length) {
    const part = element("div", null, "graph");
    part.append(
      element("h3", "Beside its surroundings"),
      dots(
        rows,
        view.how,
        "Estimates with intervals: " + rows.map((r) => r.name + " " + written(r.f.estimate, view.how)).join("; "),
        380,
      ),
    );
    part.append(
      element(
        "p",
        view.how.unit +
          (meta.sure ? "; lines are " + percent(item) + " intervals" : "") +
          (census ? "; ◇ published by the census" : "") +
          ". Hollow: unreliable.",
        "soft little",
      ),
    );
    if (state.a >= 0 && state.b >= 0)
      part.append(
        element(
          "p",
          differenceSaid(figureAt(item, view.row, state.a), figureAt(item, view.row, state.b), view.how),
          "said difference",
        ),
      );
    graphs.push(part);
  }
  const bars = await groupGraphs(item);
  if (mine !== panelNumber) return;
  $("bygroup").hidden = !bars.length;
  $("bygroup-title").textContent = titleOf(item, state.column) + ", by " + bars.map((b) => b.title).join(" and ");
  $("bygroup-said").textContent =
    view.how.unit + (meta.sure ? "; lines are " + percent(item) + " intervals, hollow: unreliable" : "");
  $("bars").replaceChildren(...bars.map((b) => b.node));
  $("cards").replaceChildren(...cards);
  $("graphs").replaceChildren(...graphs);
}

// A graph for every variable that makes subgroups: of A and B, or of everybody where no area is chosen or none has figures.
async function groupGraphs(item) {
  const chosen = SIDES.filter((s) => state[s] >= 0),
    out = [];
  for (const variable of [...new Set(groupsOf(item).map((g) => g[0]))].filter(Boolean)) {
    let sides = chosen,
      groups = sides.length ? await figuresOf(state.item, state.level, state.scenario, variable) : null;
    if (!groups) {
      sides = ["whole"];
      groups = await figuresOf(state.item, WHOLE, state.scenario, variable);
    }
    if (!groups) continue;
    const title = groupTitle(variable).toLowerCase(),
      paired = sides.length > 1;
    const list = groups.flatMap((g) =>
      sides.map((s) => ({
        name: s === "b" && paired ? "" : g.label,
        full: (s === "whole" ? "" : s.toUpperCase() + " ") + g.label,
        tone: s,
        f: figureAt(item, g.rows[state.column], s === "whole" ? 0 : state[s]),
      })),
    );
    const whose = sides.map((s) => (s === "whole" ? nameOf(WHOLE, 0) : s.toUpperCase() + " " + nameOf(state.level, state[s])));
    const said = "By " + title + ": " + list.map((r) => r.full + " " + written(r.f.estimate, view.how)).join("; ");
    const node = element("div", null, "graph"),
      heading = element("h3", "By " + title);
    heading.append(element("span", whose.join(", "), "soft whose"));
    node.append(heading, dots(list, view.how, said, innerWidth < 640 ? 360 : 560, paired));
    out.push({ title, node });
  }
  return out;
}

// The profile of the areas chosen: ages and sexes, and every variable beside the census, the area above and the whole.
async function pyramidAt(level, area) {
  const p = meta.pyramid;
  return remembered(["p", level, area].join("/"), async () => {
    const n = meta.levels[level].codes.length;
    const [arrays, [people]] = await Promise.all([arraysOf(p.levels[level]), arraysOf(p.people[level])]);
    const rows = rowsOf(p.levels[level], arrays, n).map((r) => figureAt({ kind: "share" }, r, area));
    const census = p.census ? await remembered("pc/" + level, () => summed(p.census, level)) : null;
    return { rows, people: people[area], census: census && census.counts.map((_, k) => published(census, k, area)) };
  });
}

async function pyramid(columns) {
  if (!meta.pyramid) return [];
  const p = meta.pyramid,
    made = [];
  const found = await Promise.all(columns.map((c) => pyramidAt(c.level, c.area)));
  const most = Math.max(
    ...found.flatMap((f) => f.rows.map((r) => (Number.isFinite(r.upper) ? r.upper : r.estimate))).filter(Number.isFinite),
    0.01,
  );
  const order = p.sexes.map((s) => s.toLowerCase()).indexOf("male") === 1 ? [1, 0] : [0, 1]; // men left, as pyramids have it
  for (let i = 0; i < columns.length; i++) {
    const f = found[i],
      bar = 22,
      width = 440,
      middle = 64,
      half = (width - middle) / 2,
      height = p.ages.length * bar + 40;
    const said = p.ages
      .map(
        (a, k) => a + ": " + order.map((s) => p.sexes[s] + " " + number(100 * f.rows[2 * k + s].estimate, 1) + " %").join(", "),
      )
      .join("; ");
    const svg = drawn("svg", {
      viewBox: `0 0 ${width} ${height}`,
      class: "pyramid " + columns[i].tone,
      role: "img",
      "aria-label": "Ages and sexes of " + columns[i].name + ", per cent of people: " + said,
    });
    const x = (side, share) => (side === 0 ? half - (share / most) * (half - 6) : half + middle + (share / most) * (half - 6));
    order.forEach((s, side) =>
      svg.append(
        drawn(
          "text",
          { x: side === 0 ? half - 4 : half + middle + 4, y: 12, "text-anchor": side === 0 ? "end" : "start", class: "head" },
          p.sexes[s],
        ),
      ),
    );
    p.ages.forEach((age, k) => {
      const y = 18 + (p.ages.length - 1 - k) * bar;
      svg.append(drawn("text", { x: half + middle / 2, y: y + 14, "text-anchor": "middle" }, age));
      order.forEach((s, side) => {
        const r = f.rows[2 * k + s];
        if (!Number.isFinite(r.estimate)) return;
        const end = x(side, r.estimate),
          start = side === 0 ? half : half + middle;
        svg.append(drawn("rect", { x: Math.min(end, start), y: y + 2, width: Math.abs(end - start), height: bar - 5 }));
        if (Number.isFinite(r.half))
          svg.append(
            drawn("line", {
              x1: x(side, r.lower),
              x2: x(side, r.upper),
              y1: y + bar / 2 - 0.5,
              y2: y + bar / 2 - 0.5,
              class: "range",
            }),
          );
        if (f.census)
          svg.append(
            drawn("line", {
              x1: x(side, f.census[2 * k + s]),
              x2: x(side, f.census[2 * k + s]),
              y1: y,
              y2: y + bar - 1,
              class: "published",
            }),
          );
      });
    });
    const axis = ticks(0, 100 * most, 3).filter((t) => t <= 100 * most);
    for (const t of axis)
      for (const side of [0, 1])
        svg.append(
          drawn(
            "text",
            { x: x(side, t / 100), y: height - 6, "text-anchor": "middle", class: "tick" },
            number(t, t % 1 ? 1 : 0) + " %",
          ),
        );
    const part = element("figure");
    part.append(
      svg,
      element(
        "figcaption",
        columns[i].name +
          ", " +
          number(f.people, 0) +
          " people; per cent of them" +
          (meta.sure ? "; thin lines: " + number(100 * meta.coverage, 0) + " % intervals" : "") +
          (f.census ? "; upright strokes: " + p.census.universe + ", " + p.census.source : ""),
      ),
    );
    made.push(part);
  }
  return made;
}

// Columns of the profile: A, B, the area that the first lies in, and everything.
async function profileColumns() {
  const columns = SIDES.filter((s) => state[s] >= 0).map((s) => ({
    level: state.level,
    area: state[s],
    name: s.toUpperCase() + " · " + nameOf(state.level, state[s]),
    plain: nameOf(state.level, state[s]),
    tone: s,
    census: true,
  }));
  const anchor = state.a >= 0 ? state.a : state.b;
  if (anchor >= 0) {
    const [parent] = await whereIn(anchor);
    if (parent)
      columns.push({
        ...parent,
        name: nameOf(parent.level, parent.area),
        plain: nameOf(parent.level, parent.area),
        tone: "whole",
        census: false,
      });
  }
  columns.push({
    level: WHOLE,
    area: 0,
    name: nameOf(WHOLE, 0),
    plain: nameOf(WHOLE, 0),
    tone: "whole",
    census: !columns.length,
  });
  return columns;
}

async function profileOf(index, columns) {
  const item = meta.items[index];
  const figures = await Promise.all(columns.map((c) => figuresOf(index, c.level, "", "")));
  const census = await Promise.all(columns.map((c) => (c.census ? censusOf(index, c.level) : null)));
  return item.columns.map((label, k) => ({
    label,
    cells: columns.map((c, i) => ({
      f: figures[i] ? figureAt(item, figures[i][0].rows[k], c.area) : null,
      published: published(census[i], k, c.area),
    })),
  }));
}

let profileNumber = 0;
async function showProfile() {
  const mine = ++profileNumber,
    columns = await profileColumns();
  const pictures = await pyramid(columns.filter((c, i) => c.tone !== "whole" || i === columns.length - 1));
  const parts = [];
  let domain = null,
    box = null;
  for (let index = 0; index < meta.items.length; index++) {
    const item = meta.items[index];
    if (item.scenarios) continue;
    const rows = await profileOf(index, columns);
    if (mine !== profileNumber) return;
    if (item.domain !== domain) {
      domain = item.domain;
      box = element("div", null, "sheets");
      parts.push(element("h3", domain), box);
    }
    box.append(sheet(item, rows, columns));
  }
  $("profile-title").textContent =
    columns[0].tone === "whole"
      ? "Profile of the whole study area"
      : "Profile of " +
        columns
          .filter((c) => c.tone !== "whole")
          .map((c) => c.plain)
          .join(" and ");
  $("profile-said").textContent =
    (columns[0].tone === "whole" ? "Choose an area to see its own. " : "") +
    "Estimates" +
    (meta.sure ? ", ± half of the " + number(100 * meta.coverage, 0) + " % interval" : "") +
    ", beside what the census published where a table of the study counts it.";
  $("pyramid").replaceChildren(...pictures);
  $("tables").replaceChildren(...parts);
}

// A table is a stop of the keyboard only where it has to be scrolled.
const sideways = new ResizeObserver((seen) => {
  for (const { target } of seen)
    if (target.scrollWidth > target.clientWidth) target.tabIndex = 0;
    else target.removeAttribute("tabindex");
});

function sheet(item, rows, columns) {
  const how = writing(
      item,
      rows.flatMap((r) => r.cells.map((c) => (c.f ? c.f.estimate : NaN))),
    ),
    holder = element("div", null, "sheet");
  const table = element("table"),
    head = element("tr"),
    body = element("tbody");
  const caption = element("caption", item.title);
  caption.append(element("span", how.unit + (item.census ? " · census: " + item.census.source : ""), "soft"));
  const exact = rows.every((r) =>
    r.cells.every(
      (c) => !c.f || !Number.isFinite(c.f.half) || number(c.f.half * how.factor, how.decimals) === number(0, how.decimals),
    ),
  );
  if (exact && meta.sure && item.census) caption.lastChild.append(" · met exactly");
  const first = element("th", item.kind === "share" ? "Category" : "Figure", "text");
  first.scope = "col";
  head.append(first);
  for (const c of columns) {
    const cell = element("th", c.name, c.tone);
    cell.scope = "col";
    head.append(cell);
    if (c.census && item.census) {
      const more = element("th", "census", "census");
      more.scope = "col";
      head.append(more);
    }
  }
  for (const r of rows) {
    const line = element("tr"),
      name = element("th", r.label, "text");
    name.scope = "row";
    line.append(name);
    r.cells.forEach((c, i) => {
      const cell = element(
        "td",
        c.f && c.f.cls === WITHHELD ? "withheld" : c.f ? number(c.f.estimate * how.factor, how.decimals) : "–",
        c.f && c.f.cls === UNRELIABLE ? "weak" : "",
      );
      if (c.f && Number.isFinite(c.f.half) && !exact)
        cell.append(element("small", "± " + number(c.f.half * how.factor, how.decimals)));
      if (c.f && c.f.cls === UNRELIABLE) cell.title = "unreliable";
      line.append(cell);
      if (columns[i].census && item.census)
        line.append(element("td", number(c.published * how.factor, how.decimals), "census"));
    });
    body.append(line);
  }
  const top = element("thead");
  top.append(head);
  table.append(caption, top, body);
  holder.append(table);
  holder.setAttribute("role", "group");
  holder.setAttribute("aria-label", item.title);
  sideways.observe(holder);
  return holder;
}

async function profileRows() {
  const columns = await profileColumns(),
    out = [["area", "code", "topic", "indicator", "unit", "estimate", "lower", "upper", "reliability", "census"]];
  for (let index = 0; index < meta.items.length; index++) {
    const item = meta.items[index];
    if (item.scenarios) continue;
    const rows = await profileOf(index, columns);
    for (const r of rows)
      r.cells.forEach((c, i) =>
        out.push([
          columns[i].plain,
          meta.levels[columns[i].level].codes[columns[i].area],
          item.title,
          r.label,
          unitOf(item),
          ...figureCells(c.f),
          plain(c.published),
        ]),
      );
  }
  return out;
}

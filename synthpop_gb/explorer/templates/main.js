// Choices to view to screen: one way through, whatever was pressed.
let changing = 0;

function fillLevels() {
  const item = meta.items[state.item];
  const there = meta.levels.map((_, k) => k).filter((k) => k !== WHOLE && item.levels[k]);
  if (!there.includes(state.level)) { const old = state.level; state.level = there.find((k) => k > old) ?? there[there.length - 1] ?? 0; state.a = state.b = -1; }
  $("level").replaceChildren(...there.map((k) => option(k, headed(many(k)) + " (" + number(meta.levels[k].codes.length, 0) + ")", k === state.level)));
}

// Topics: one a variable; measures of a simulation are one topic together.
function topics() {
  const out = [];
  meta.items.forEach((item, index) => {
    const last = out[out.length - 1];
    if (item.columns.length === 1 && last && last.together === item.domain) { last.items.push(index); return; }
    const together = item.columns.length === 1 ? item.domain : null;
    out.push({ title: item.scenarios ? item.domain.replace(/^Simulation: /, "") : item.title, domain: item.scenarios ? "Simulations" : item.domain, items: [index], together });
  });
  for (const t of out) if (t.together && t.items.length > 1 && !meta.items[t.items[0]].scenarios) t.title = meta.items[t.items[0]].kind === "mean" ? "Means" : t.domain;
  return out;
}

const known = topics();

function fillTopics() {
  const groups = new Map();
  known.forEach((t, i) => {
    if (!groups.has(t.domain)) { const g = element("optgroup"); g.label = t.domain; groups.set(t.domain, g); }
    groups.get(t.domain).append(option(i, t.title, t.items.includes(state.item)));
  });
  $("topic").replaceChildren(...groups.values());
}

function fillColumns() {
  const topic = known[Number($("topic").value)];
  $("column").replaceChildren(...topic.items.flatMap((index) => meta.items[index].columns.map((label, k) =>
    option(index + "/" + k, meta.items[index].columns.length > 1 ? label : meta.items[index].title, index === state.item && k === state.column))));
}

function fillGroups() {
  const item = meta.items[state.item], sets = setsOf(item, state.level, state.scenario) || {};
  const groups = groupsOf(item).filter((g) => sets[g[0]]), made = new Map(), places = {};
  if (!groups.some((g) => g[0] === state.variable)) { state.variable = groups.length ? groups[0][0] : ""; state.group = 0; }
  const nodes = [];
  for (const [variable, label] of groups) {
    places[variable] = (places[variable] ?? -1) + 1;
    const node = option(variable + "/" + places[variable], variable ? label : headed(item.of === "households" ? "all households" : "everybody"), variable === state.variable && places[variable] === state.group);
    if (!variable) { nodes.push(node); continue; }
    if (!made.has(variable)) { const g = element("optgroup"); g.label = meta.groupTitles[variable] || headed(variable); made.set(variable, g); nodes.push(g); }
    made.get(variable).append(node);
  }
  $("group").replaceChildren(...nodes);
}

function fillScenarios() {
  const item = meta.items[state.item], here = item.levels[state.level];
  const there = item.scenarios ? item.scenarios.filter((s) => here && here[s]) : [];
  $("scenario-field").hidden = !there.length;
  if (!there.includes(state.scenario)) state.scenario = there.length ? there[there.length - 1] : "";
  $("scenario").replaceChildren(...there.map((s) => option(s, item.change && s !== "baseline" ? s + " − baseline" : s, s === state.scenario)));
}

function fillShow() {
  const item = meta.items[state.item], sure = setsOf(item, state.level, state.scenario);
  const offered = [["estimate", "Estimate"]];
  if (sure && Object.values(sure)[0].h !== undefined) offered.push(["width", "Width of the interval"], ["trust", "Reliability"]);
  if (item.census && !state.variable) offered.push(["census", "Estimate less census"]);
  if (!offered.some((o) => o[0] === state.show)) state.show = "estimate";
  $("show").replaceChildren(...offered.map(([v, t]) => option(v, t, v === state.show)));
}

function fillPlaces() {
  const place = meta.levels[state.level];
  $("places").replaceChildren(...place.codes.map((code, i) => { const node = element("option"); node.value = fullName(state.level, i); return node; }));
  for (const side of SIDES) $("find-" + side).value = state[side] >= 0 ? fullName(state.level, state[side]) : "";
}

function showLegend() {
  const { scale, shown, kind, place, item } = view, list = $("legend-list");
  $("legend-title").textContent = kind === "trust" ? "Class of reliability" : shown.unit;
  const rows = scale.colours.map((colour, i) => [colour, scale.labels[i], scale.counts[i]]);
  if (kind !== "trust") rows.reverse();
  const missing = place.filter((k) => k === -1).length, held = place.filter((k) => k === -2).length;
  if (missing) rows.push([MISSING, "nobody there", missing]);
  if (held) rows.push([HELD, "withheld", held]);
  let doubtful = 0;
  for (let i = 0; i < view.n; i++) if (view.doubtful(i)) doubtful += 1;
  const items = rows.map(([colour, label, count]) => {
    const row = element("li"), swatch = element("span", null, "swatch");
    swatch.style.background = colour;
    row.append(swatch, element("span", label, "range"), element("span", number(count, 0), "count"));
    return row;
  });
  if (doubtful && state.doubt && kind !== "trust") {
    const row = element("li");
    row.append(element("span", null, "swatch hatch"), element("span", "unreliable", "range"), element("span", number(doubtful, 0), "count"));
    items.push(row);
  }
  list.replaceChildren(...items);
  $("doubt-field").hidden = kind === "trust" || !doubtful || !map;
  const known = Array.from(view.values).filter(Number.isFinite).sort((a, b) => a - b);
  $("legend-note").textContent = (kind === "trust" || !known.length ? "" : "Median " + written(known[known.length >> 1], shown) + ". ") + "Numbers on the right: " + many(state.level) + ".";
}

function showHeading() {
  const item = view.item;
  $("map-title").textContent = titleOf(item, state.column);
  const what = { estimate: view.how.unit, width: view.shown.unit, trust: "how far each figure can be trusted", census: view.shown.unit }[state.show];
  const parts = [what, state.variable ? (meta.groupTitles[state.variable] || state.variable).toLowerCase() + ": " + groupLabel() : "", state.scenario ? (item.change ? state.scenario + " − baseline" : state.scenario) : "", many(state.level)];
  $("map-unit").textContent = parts.filter(Boolean).join(" · ");
}

// What is shown follows what is chosen. Resolves once it is on the screen.
async function update(what) {
  const mine = ++changing, start = performance.now();
  if (what.level) { fillLevels(); fillPlaces(); }
  fillTopics();
  fillColumns();
  fillScenarios();
  fillGroups();
  fillShow();
  const next = await viewed();
  if (mine !== changing || !next) return;
  view = next;
  showHeading();
  showLegend();
  tipAt(null, -1);
  await prepareTable();
  if (what.level) showLevel();
  const worked = performance.now() - start;
  await paint();
  document.dispatchEvent(new CustomEvent("explorer:painted", { detail: { worked, painted: performance.now() - start } }));
  showTable(false);
  await showPanel();
  remember();
  if (what.areas || what.level) {
    for (const side of SIDES) outline(side, state[side]);
    await showProfile();
  }
  if (mine === changing) { document.body.dataset.state = "shown"; if (what.said !== false) say(spoken()); }
  document.dispatchEvent(new CustomEvent("explorer:shown", { detail: performance.now() - start }));
}

function spoken() {
  const known = Array.from(view.values).filter(Number.isFinite).sort((a, b) => a - b);
  return $("map-title").textContent + ", " + $("map-unit").textContent + (known.length && view.kind !== "trust" ? ". From " + written(known[0], view.shown) + " to " + written(known[known.length - 1], view.shown) : "");
}

async function choose(side, area) {
  state[side] = area;
  $("find-" + side).value = area >= 0 ? fullName(state.level, area) : "";
  $("find-said").textContent = "";
  outline(side, area);
  await showPanel();
  showTable(true);
  remember();
  if (area >= 0) say(side.toUpperCase() + ": " + tipText(area).join(". "));
  await showProfile();
  document.dispatchEvent(new CustomEvent("explorer:shown"));
}

function find(side) {
  const text = $("find-" + side).value.trim().toLowerCase(), place = meta.levels[state.level];
  if (!text) return choose(side, -1);
  const names = place.codes.map((c, i) => [c.toLowerCase(), nameOf(state.level, i).toLowerCase(), fullName(state.level, i).toLowerCase()]);
  let area = names.findIndex((n) => n.includes(text));
  const begins = names.map((n, i) => (n.some((t) => t.startsWith(text)) ? i : -1)).filter((i) => i >= 0);
  const holds = names.map((n, i) => (n.some((t) => t.includes(text)) ? i : -1)).filter((i) => i >= 0);
  if (area < 0) area = begins.length === 1 ? begins[0] : holds.length === 1 ? holds[0] : -1;
  if (area >= 0) return choose(side, area);
  $("find-said").textContent = holds.length ? number(holds.length, 0) + " " + many(state.level) + " hold “" + text + "”: type more, or choose from the list." : "No " + meta.levels[state.level].one + " is called “" + text + "”.";
}

async function changeLevel(to) {
  const from = state.level, old = { a: state.a, b: state.b };
  state.level = to;
  for (const side of SIDES) state[side] = old[side] >= 0 && to > from ? await areaIn(from, old[side], to) : -1;
  if (state.a === state.b) state.b = -1;
  await update({ level: true });
}

function wire() {
  $("level").addEventListener("change", (e) => changeLevel(Number(e.target.value)));
  $("topic").addEventListener("change", (e) => { [state.item] = known[Number(e.target.value)].items; state.column = 0; update({ level: !meta.items[state.item].levels[state.level] }); });
  $("column").addEventListener("change", (e) => { [state.item, state.column] = e.target.value.split("/").map(Number); update({ level: !meta.items[state.item].levels[state.level] }); });
  $("group").addEventListener("change", (e) => { const at = e.target.value.lastIndexOf("/"); state.variable = e.target.value.slice(0, at); state.group = Number(e.target.value.slice(at + 1)); update({}); });
  $("scenario").addEventListener("change", (e) => { state.scenario = e.target.value; update({}); });
  $("show").addEventListener("change", (e) => { state.show = e.target.value; update({}); });
  $("doubt").addEventListener("change", (e) => { state.doubt = e.target.checked; update({}); });
  $("controls").addEventListener("submit", (e) => e.preventDefault());
  for (const side of SIDES) $("find-" + side).addEventListener("change", () => find(side));
  $("clear").addEventListener("click", async () => { await choose("b", -1); await choose("a", -1); });
  $("filter").addEventListener("input", () => { showTable(false); say($("page-said").textContent); });
  $("before").addEventListener("click", () => { table.page -= 1; showTable(true); say($("page-said").textContent); });
  $("after").addEventListener("click", () => { table.page += 1; showTable(true); say($("page-said").textContent); });
  $("areas-table").addEventListener("click", (e) => {
    const button = e.target.closest("button");
    if (!button) return;
    if (button.dataset.area !== undefined) {
      const area = button.dataset.area;
      choose("a", Number(area)).then(() => { const again = $("areas-table").querySelector('[data-area="' + area + '"]'); if (again && !document.activeElement.matches("button, input, select, a, canvas")) again.focus(); });
      return;
    }
    const key = button.dataset.key;
    if (table.by === key) table.down = !table.down; else { table.by = key; table.down = key !== "name" && key !== "within"; }
    showTable(false);
    $("areas-table").querySelector('[data-key="' + key + '"]').focus();
    say("Sorted by " + button.textContent.replace(/[▼▲]/, "").trim() + (table.down ? ", largest first" : ", smallest first"));
  });
  $("table-csv").addEventListener("click", () => download(many(state.level) + " " + titleOf(view.item, state.column) + " " + (groupLabel() || "") + " " + state.scenario, tableRows()));
  $("all-csv").addEventListener("click", async () => download(many(state.level) + " all indicators", await everyRow()));
  $("profile-csv").addEventListener("click", async () => download("profile " + (await profileColumns()).map((c) => c.plain).join(" "), await profileRows()));
}

function introduce() {
  const first = meta.levels[0], facts = new Map(meta.facts);
  $("lede").textContent = (facts.get("People") || "") + " synthetic people in " + number(first.codes.length, 0) + " " + first.many + ". Every figure is an estimate" + (meta.sure ? " with a " + number(100 * meta.coverage, 0) + " % interval" : "; the run has no replicates, so there are no intervals") + ". Nobody shown here is real.";
  const words = [
    ["Estimate", "What the population says of an area: survey records were placed so that the area’s published tables are met. What no table counts is what like people elsewhere say."],
    ["Interval", meta.sure ? "For the whole error: the draw of people, the survey’s sample, and how far areas differ from what their tables tell, learnt by leaving tables out." : "The run has none."],
    ["Reliability", "Classes of the relative standard error: below 5 % precise, below 10 % reasonably precise, below 20 % acceptable, else unreliable; also unreliable is what fewer than " + meta.few + " records stand behind. Unreliable areas are hatched."],
    ["Colours", "ColorBrewer YlGnBu (light is low), PuOr for differences (orange below, purple above nought) and YlOrBr for widths: told apart by every kind of colour vision, and in grey. Classes hold about equally many areas."],
    ["Withheld", meta.open ? "Nothing: the survey is open." : "Figures that fewer than " + meta.few + " records stand behind; they are not in this page at all."],
  ];
  for (const [term, text] of words) { const p = element("p"); p.append(element("strong", term + ". "), text); $("words").append(p); }
  if (!meta.sure) document.body.classList.add("unsure");
}

async function start() {
  if (typeof DecompressionStream === "undefined") {
    document.querySelector("main").prepend(element("p", "This browser is too old to unpack the figures of this page: any of 2023 or later does.", "notice"));
    return;
  }
  introduce();
  state.item = meta.items.findIndex((i) => i.domain.startsWith("Questions")) ;
  if (state.item < 0) state.item = Math.max(0, meta.items.findIndex((i) => i.name === "health"));
  recall();
  wire();
  fillLevels();
  fillTopics();
  if (!(await makeMap())) { if (!meta.outlines) noMap("The study names no boundaries, so there is no map; the table of areas holds the same figures."); $("map-hint").hidden = true; $("picks").hidden = true; }
  await update({ level: true, areas: true, said: false });
}

start().catch((error) => { document.body.dataset.state = "failed"; $("live").textContent = String(error); throw error; });

// What can be chosen, filled from what the page holds; heading and legend of what is chosen.
function fillLevels() {
  const item = meta.items[state.item];
  const there = meta.levels.map((_, k) => k).filter((k) => k !== WHOLE && item.levels[k]);
  if (!there.includes(state.level)) {
    const old = state.level;
    state.level = there.find((k) => k > old) ?? there[there.length - 1] ?? 0;
    state.a = state.b = -1;
  }
  $("level").replaceChildren(
    ...there.map((k) => option(k, headed(many(k)) + " (" + number(meta.levels[k].codes.length, 0) + ")", k === state.level)),
  );
}

// Topics: one a variable; measures of a simulation are one topic together.
function topics() {
  const out = [];
  meta.items.forEach((item, index) => {
    const last = out[out.length - 1];
    if (item.columns.length === 1 && last && last.together === item.domain) {
      last.items.push(index);
      return;
    }
    const together = item.columns.length === 1 ? item.domain : null;
    out.push({
      title: item.scenarios ? item.domain.replace(/^Simulation: /, "") : item.title,
      domain: item.scenarios ? "Simulations" : item.domain,
      items: [index],
      together,
    });
  });
  for (const t of out)
    if (t.together && t.items.length > 1 && !meta.items[t.items[0]].scenarios)
      t.title = meta.items[t.items[0]].kind === "mean" ? "Means" : t.domain;
  return out;
}

const known = topics();

function fillTopics() {
  const groups = new Map();
  known.forEach((t, i) => {
    if (!groups.has(t.domain)) {
      const g = element("optgroup");
      g.label = t.domain;
      groups.set(t.domain, g);
    }
    groups.get(t.domain).append(option(i, t.title, t.items.includes(state.item)));
  });
  $("topic").replaceChildren(...groups.values());
}

function fillColumns() {
  const topic = known[Number($("topic").value)];
  $("column").replaceChildren(
    ...topic.items.flatMap((index) =>
      meta.items[index].columns.map((label, k) =>
        option(
          index + "/" + k,
          meta.items[index].columns.length > 1 ? label : meta.items[index].title,
          index === state.item && k === state.column,
        ),
      ),
    ),
  );
}

function fillGroups() {
  const item = meta.items[state.item],
    sets = setsOf(item, state.level, state.scenario) || {};
  const groups = groupsOf(item).filter((g) => sets[g[0]]),
    made = new Map(),
    places = new Map();
  if (!groups.some((g) => g[0] === state.variable)) {
    state.variable = groups.length ? groups[0][0] : "";
    state.group = 0;
  }
  const nodes = [];
  for (const [variable, label] of groups) {
    const place = (places.get(variable) ?? -1) + 1;
    places.set(variable, place);
    const node = option(
      variable + "/" + place,
      variable ? label : headed(item.of === "households" ? "all households" : "everybody"),
      variable === state.variable && place === state.group,
    );
    if (!variable) {
      nodes.push(node);
      continue;
    }
    if (!made.has(variable)) {
      const g = element("optgroup");
      g.label = headed(groupTitle(variable));
      made.set(variable, g);
      nodes.push(g);
    }
    made.get(variable).append(node);
  }
  $("group").replaceChildren(...nodes);
}

function fillScenarios() {
  const item = meta.items[state.item],
    here = item.levels[state.level];
  const there = item.scenarios ? item.scenarios.filter((s) => here && here[s]) : [];
  $("scenario-field").hidden = !there.length;
  if (!there.includes(state.scenario)) state.scenario = there.length ? there[there.length - 1] : "";
  $("scenario").replaceChildren(...there.map((s) => option(s, scenarioSaid(item, s), s === state.scenario)));
}

function fillShow() {
  const item = meta.items[state.item],
    sure = setsOf(item, state.level, state.scenario);
  const offered = [["estimate", "Estimate"]];
  if (sure && Object.values(sure)[0].h !== undefined)
    offered.push(["width", "Width of the interval"], ["trust", "Reliability"]);
  if (item.census && !state.variable) offered.push(["census", "Estimate less census"]);
  if (!offered.some((o) => o[0] === state.show)) state.show = "estimate";
  $("show").replaceChildren(...offered.map(([v, t]) => option(v, t, v === state.show)));
}

function fillPlaces() {
  const place = meta.levels[state.level];
  $("places").replaceChildren(
    ...place.codes.map((code, i) => {
      const node = element("option");
      node.value = fullName(state.level, i);
      return node;
    }),
  );
  for (const side of SIDES) $("find-" + side).value = state[side] >= 0 ? fullName(state.level, state[side]) : "";
}

function showLegend() {
  const { scale, shown, kind, place, item } = view,
    list = $("legend-list");
  $("legend-title").textContent = kind === "trust" ? "Class of reliability" : shown.unit;
  const used = (i) =>
    kind !== "diverging" || (scale.counts.slice(0, i + 1).some(Boolean) && scale.counts.slice(i).some(Boolean));
  const rows = scale.colours.map((colour, i) => [colour, scale.labels[i], scale.counts[i]]).filter((_, i) => used(i));
  if (kind !== "trust") rows.reverse();
  const missing = place.filter((k) => k === -1).length,
    held = place.filter((k) => k === -2).length;
  if (missing) rows.push([MISSING, "nobody there", missing]);
  if (held) rows.push([HELD, "withheld", held]);
  let doubtful = 0;
  for (let i = 0; i < view.n; i++) if (view.doubtful(i)) doubtful += 1;
  const items = rows.map(([colour, label, count]) => {
    const row = element("li"),
      swatch = element("span", null, "swatch");
    swatch.style.background = colour;
    row.append(swatch, element("span", label, "range"), element("span", number(count, 0), "count"));
    return row;
  });
  if (doubtful && state.doubt && kind !== "trust") {
    const row = element("li");
    row.append(
      element("span", null, "swatch hatch"),
      element("span", "unreliable", "range"),
      element("span", number(doubtful, 0), "count"),
    );
    items.push(row);
  }
  list.replaceChildren(...items);
  $("doubt-field").hidden = kind === "trust" || !doubtful || !loaded;
  const known = sorted(view.values);
  $("legend-note").textContent =
    (kind === "trust" || !known.length
      ? ""
      : "Median " + written(known[known.length >> 1], shown) + (shown.mark ? "" : shown.points) + ". ") +
    "Numbers on the right: " +
    many(state.level) +
    ".";
}

function showHeading() {
  const item = view.item;
  $("map-title").textContent = titleOf(item, state.column);
  const what = {
    estimate: view.how.unit,
    width: view.shown.unit,
    trust: "how far each figure can be trusted",
    census: view.shown.unit,
  }[state.show];
  const parts = [
    what,
    state.variable ? groupTitle(state.variable).toLowerCase() + ": " + groupLabel() : "",
    scenarioSaid(item, state.scenario),
    many(state.level),
  ];
  $("map-unit").textContent = parts.filter(Boolean).join(" · ");
}

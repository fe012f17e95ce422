// Choices to view to screen: one way through, whatever was pressed.
let changing = 0;

// What is shown follows what is chosen. Resolves once it is on the screen.
async function update(what) {
  const mine = ++changing,
    start = performance.now();
  if (what.level) {
    fillLevels();
    fillPlaces();
  }
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
  if (mine === changing && what.said !== false) say(spoken());
  document.dispatchEvent(new CustomEvent("explorer:shown", { detail: performance.now() - start }));
}

function spoken() {
  const known = sorted(view.values);
  return (
    $("map-title").textContent +
    ", " +
    $("map-unit").textContent +
    (known.length && view.kind !== "trust"
      ? ". From " + written(known[0], view.shown) + " to " + written(known[known.length - 1], view.shown)
      : "")
  );
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
  const text = $("find-" + side)
      .value.trim()
      .toLowerCase(),
    place = meta.levels[state.level];
  if (!text) return choose(side, -1);
  const names = place.codes.map((c, i) => [
    c.toLowerCase(),
    nameOf(state.level, i).toLowerCase(),
    fullName(state.level, i).toLowerCase(),
  ]);
  let area = names.findIndex((n) => n.includes(text));
  const begins = names.map((n, i) => (n.some((t) => t.startsWith(text)) ? i : -1)).filter((i) => i >= 0);
  const holds = names.map((n, i) => (n.some((t) => t.includes(text)) ? i : -1)).filter((i) => i >= 0);
  if (area < 0) area = begins.length === 1 ? begins[0] : holds.length === 1 ? holds[0] : -1;
  if (area >= 0) {
    goTo(area);
    return choose(side, area);
  }
  $("find-said").textContent = holds.length
    ? number(holds.length, 0) + " " + many(state.level) + " hold “" + text + "”: type more, or choose from the list."
    : "No " + meta.levels[state.level].one + " is called “" + text + "”.";
}

async function changeLevel(to) {
  const from = state.level,
    old = { a: state.a, b: state.b };
  state.level = to;
  for (const side of SIDES) state[side] = old[side] >= 0 && to > from ? await areaIn(from, old[side], to) : -1;
  if (state.a === state.b) state.b = -1;
  await update({ level: true });
}

function wire() {
  $("level").addEventListener("change", (e) => changeLevel(Number(e.target.value)));
  $("topic").addEventListener("change", (e) => {
    [state.item] = known[Number(e.target.value)].items;
    state.column = 0;
    update({ level: !meta.items[state.item].levels[state.level] });
  });
  $("column").addEventListener("change", (e) => {
    [state.item, state.column] = e.target.value.split("/").map(Number);
    update({ level: !meta.items[state.item].levels[state.level] });
  });
  $("group").addEventListener("change", (e) => {
    const at = e.target.value.lastIndexOf("/");
    state.variable = e.target.value.slice(0, at);
    state.group = Number(e.target.value.slice(at + 1));
    update({});
  });
  $("scenario").addEventListener("change", (e) => {
    state.scenario = e.target.value;
    update({});
  });
  $("show").addEventListener("change", (e) => {
    state.show = e.target.value;
    update({});
  });
  $("doubt").addEventListener("change", (e) => {
    state.doubt = e.target.checked;
    update({});
  });
  $("controls").addEventListener("submit", (e) => e.preventDefault());
  for (const side of SIDES) $("find-" + side).addEventListener("change", () => find(side));
  $("clear").addEventListener("click", () => {
    state.b = -1;
    $("find-b").value = "";
    outline("b", -1);
    choose("a", -1);
  });
  $("filter").addEventListener("input", () => {
    showTable(false);
    say($("page-said").textContent);
  });
  $("before").addEventListener("click", () => {
    table.page -= 1;
    showTable(true);
    say($("page-said").textContent);
  });
  $("after").addEventListener("click", () => {
    table.page += 1;
    showTable(true);
    say($("page-said").textContent);
  });
  $("areas-table").addEventListener("click", (e) => {
    const button = e.target.closest("button");
    if (!button) return;
    if (button.dataset.area !== undefined) {
      const area = button.dataset.area;
      goTo(Number(area));
      choose("a", Number(area)).then(() => {
        const again = $("areas-table").querySelector('[data-area="' + area + '"]');
        if (again && !document.activeElement.matches("button, input, select, a, canvas")) again.focus();
      });
      return;
    }
    const key = button.dataset.key;
    if (table.by === key) table.down = !table.down;
    else {
      table.by = key;
      table.down = key !== "name" && key !== "within";
    }
    showTable(false);
    $("areas-table")
      .querySelector('[data-key="' + key + '"]')
      .focus();
    say("Sorted by " + button.textContent.replace(/[▼▲]/, "").trim() + (table.down ? ", largest first" : ", smallest first"));
  });
  $("table-csv").addEventListener("click", () =>
    download(
      many(state.level) + " " + titleOf(view.item, state.column) + " " + (groupLabel() || "") + " " + state.scenario,
      tableRows(),
    ),
  );
  $("all-csv").addEventListener("click", async () => download(many(state.level) + " all indicators", await everyRow()));
  $("profile-csv").addEventListener("click", async () =>
    download("profile " + (await profileColumns()).map((c) => c.plain).join(" "), await profileRows()),
  );
}

function introduce() {
  const first = meta.levels[0],
    facts = new Map(meta.facts);
  $("lede").textContent =
    (facts.get("People") || "") +
    " synthetic people in " +
    number(first.codes.length, 0) +
    " " +
    first.many +
    ". Every figure is an estimate" +
    (meta.sure
      ? " with a " + number(100 * meta.coverage, 0) + " % interval"
      : "; the run has no replicates, so there are no intervals") +
    ". Nobody shown here is real.";
  const words = [
    [
      "Estimate",
      "What the population says of an area: survey records were placed so that the area’s published tables are met. What no table counts is what like people elsewhere say.",
    ],
    [
      "Interval",
      meta.sure
        ? "For the whole error: the draw of people, the survey’s sample, and how far areas differ from what their tables tell, learnt by leaving tables out."
        : "The run has none.",
    ],
    [
      "Reliability",
      "Classes of the relative standard error: below 5 % precise, below 10 % reasonably precise, below 20 % acceptable, else unreliable; also unreliable is what fewer than " +
        meta.few +
        " records stand behind. Unreliable areas are hatched.",
    ],
    [
      "Colours",
      "ColorBrewer YlGnBu (light is low), PuOr for differences (orange below, purple above nought) and YlOrBr for widths: told apart by every kind of colour vision, and in grey. Classes hold about equally many areas.",
    ],
    [
      "Withheld",
      meta.open
        ? "Nothing: the survey is open."
        : "Figures that fewer than " + meta.few + " records stand behind; they are not in this page at all.",
    ],
  ];
  for (const [term, text] of words) {
    const p = element("p");
    p.append(element("strong", term + ". "), text);
    $("words").append(p);
  }
  if (!meta.sure) document.body.classList.add("unsure");
}

async function start() {
  if (typeof DecompressionStream === "undefined") {
    document
      .querySelector("main")
      .prepend(
        element("p", "This browser is too old to unpack the figures of this page: any of 2023 or later does.", "notice"),
      );
    return;
  }
  introduce();
  state.item = meta.items.findIndex((i) => i.domain.startsWith("Questions"));
  if (state.item < 0)
    state.item = Math.max(
      0,
      meta.items.findIndex((i) => i.name === "health"),
    );
  recall();
  wire();
  fillLevels();
  fillTopics();
  const drawing = makeMap(); // figures are on the page before the map is
  await update({ level: true, areas: true, said: false });
  if (await drawing) {
    showLevel();
    await paint();
    for (const side of SIDES) outline(side, state[side]);
    showLegend();
  } else {
    if (!meta.outlines) noMap("The study names no boundaries, so there is no map; the table of areas holds the same figures.");
    $("map-hint").hidden = true;
    $("picks").hidden = true;
  }
  document.body.dataset.state = "shown";
}

start().catch((error) => {
  document.body.dataset.state = "failed";
  $("live").textContent = String(error);
  throw error;
});

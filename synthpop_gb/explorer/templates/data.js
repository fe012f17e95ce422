// What the page holds: plain values, and arrays that are unpacked when they are first asked for. Nothing is read from elsewhere.
const meta = JSON.parse(document.getElementById("meta").textContent);
const NOTHING = 65535,
  WITHHELD = meta.classes.length + 1,
  UNRELIABLE = meta.classes.length - 1;
const WHOLE = meta.levels.length - 1;
const unpacked = new Map();

async function inflated(number) {
  const text = atob(document.getElementById("blob-" + number).textContent);
  const bytes = Uint8Array.from(text, (c) => c.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate-raw"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

// Arrays of one reference: planes of bytes, the lowest of every number first.
async function arraysOf(ref) {
  const bytes = await inflated(ref.b);
  let at = 0;
  return ref.s.map(([n, width]) => {
    const out = width === 1 ? new Uint8Array(n) : width === 2 ? new Uint16Array(n) : new Uint32Array(n);
    for (let plane = 0; plane < width; plane++) {
      const factor = 2 ** (8 * plane);
      for (let i = 0; i < n; i++) out[i] += bytes[at + i] * factor;
      at += n;
    }
    return out;
  });
}

function remembered(key, make) {
  if (!unpacked.has(key)) unpacked.set(key, make());
  return unpacked.get(key);
}

function groupsOf(item) {
  return item.groups || meta.groups;
}
function coverageOf(item) {
  return item.coverage || meta.coverage;
}

// Sets of groups of an item at a level: by variable; "" is everybody. Null where it has no figures there.
function setsOf(item, level, scenario) {
  const here = item.levels[level];
  if (!here) return null;
  return item.scenarios ? here[scenario] || null : here;
}

function rowsOf(packed, arrays, n) {
  const sure = packed.h !== undefined,
    rows = packed.step.length;
  const halves = sure ? arrays[1] : null,
    lows = packed.l !== undefined ? arrays[2] : null;
  const classes = arrays[1 + (sure ? 1 : 0) + (lows ? 1 : 0)];
  const out = [];
  for (let r = 0; r < rows; r++) {
    const estimate = new Float64Array(n),
      above = new Float64Array(n),
      below = new Float64Array(n);
    for (let i = 0; i < n; i++) {
      const at = r * n + i,
        code = arrays[0][at];
      estimate[i] = code === NOTHING ? NaN : packed.low[r] + code * packed.step[r];
      above[i] = !sure || halves[at] === NOTHING ? NaN : halves[at] * packed.h[r];
      below[i] = lows ? (lows[at] === NOTHING ? NaN : lows[at] * packed.l[r]) : above[i];
    }
    out.push({ estimate, above, below, classes: classes.subarray(r * n, (r + 1) * n) });
  }
  return out;
}

// Figures of an item at a level, of the groups of one variable: groups, rows by group and column, people and records by group.
function figuresOf(index, level, scenario, variable) {
  return remembered(JSON.stringify(["f", index, level, scenario, variable]), async () => {
    const item = meta.items[index],
      sets = setsOf(item, level, scenario),
      packed = sets && sets[variable];
    if (!packed) return null;
    const n = meta.levels[level].codes.length,
      columns = item.columns.length;
    const [arrays, who] = await Promise.all([arraysOf(packed), arraysOf(packed.who)]);
    const rows = rowsOf(packed, arrays, n),
      groups = [];
    const labels = groupsOf(item).filter((g) => g[0] === variable);
    for (let g = 0; g < labels.length; g++) {
      groups.push({
        label: labels[g][1],
        rows: rows.slice(g * columns, (g + 1) * columns),
        people: who[0].subarray(g * n, (g + 1) * n),
        donors: who[1].subarray(g * n, (g + 1) * n),
      });
    }
    return groups;
  });
}

// One figure with its ends cut off at what is possible.
function figureAt(item, row, area) {
  const estimate = row.estimate[area];
  let lower = estimate - row.below[area],
    upper = estimate + row.above[area];
  if (item.kind === "share") {
    lower = Math.max(lower, 0);
    upper = Math.min(upper, 1);
  }
  return { estimate, lower, upper, cls: row.classes[area], half: (row.above[area] + row.below[area]) / 2 };
}

function ofZones(level) {
  return remembered("of/" + level, async () => {
    const [plain] = await arraysOf(meta.levels[level].of);
    return Int32Array.from(plain, (v) => v - 1);
  });
}

// Area of `to` in which an area of `from` lies; -1 where it is in several or none.
async function areaIn(from, area, to) {
  if (to === WHOLE) return 0;
  const [a, b] = await Promise.all([ofZones(from), ofZones(to)]);
  let found = -1;
  for (let z = 0; z < a.length; z++) {
    if (a[z] !== area) continue;
    if (found >= 0 && b[z] !== found) return -1;
    found = b[z];
  }
  return found;
}

// Published counts by area: an array a column, and the total of each area, categories that are not shown included.
function censusOf(index, level) {
  const census = meta.items[index].census;
  return census ? remembered(["c", index, level].join("/"), () => summed(census, level)) : Promise.resolve(null);
}

async function summed(census, level) {
  const [of, arrays] = await Promise.all([ofZones(level), arraysOf(census)]);
  const zones = of.length,
    columns = arrays[0].length / zones,
    n = meta.levels[level].codes.length;
  const counts = [],
    total = new Float64Array(n);
  for (let c = 0; c < columns; c++) {
    const out = new Float64Array(n);
    for (let z = 0; z < zones; z++)
      if (of[z] >= 0) out[of[z]] += arrays[0][c * zones + z];
    counts.push(out);
  }
  for (let z = 0; z < zones; z++) if (of[z] >= 0) total[of[z]] += arrays[1][z];
  return { counts, total };
}

// Share of an area that was published of a column; NaN where nothing was.
function published(census, column, area) {
  return census ? census.counts[column][area] / census.total[area] : NaN;
}

function nameOf(level, area) {
  const place = meta.levels[level];
  return (place.names && place.names[area]) || place.codes[area];
}

function fullName(level, area) {
  const place = meta.levels[level],
    name = place.names && place.names[area];
  return name && level !== WHOLE && name !== place.codes[area]
    ? name + " (" + place.codes[area] + ")"
    : name || place.codes[area];
}

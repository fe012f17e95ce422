// Colours that every kind of colour vision tells apart, classes with round limits, and how numbers are written.
const SEQUENTIAL = meta.colours.sequential, // by number of classes, as static maps have them
  DIVERGING = meta.colours.diverging,
  MISSING = meta.colours.missing,
  HELD = "#b9b4bd";
const WIDTHS = {
  1: ["#fe9929"],
  2: ["#fff0b8", "#cc4c02"],
  3: ["#fff0b8", "#fe9929", "#8c2d04"],
  4: ["#fff0b8", "#fec44f", "#ec7014", "#8c2d04"],
  5: ["#fff7d0", "#fee08b", "#fe9929", "#d95f0e", "#7f2704"],
}; // ColorBrewer YlOrBr
const TRUST = ["#253494", "#2c7fb8", "#7fcdbb", "#fee08b"]; // precise to unreliable

const COLOURS = [
  ...new Set([MISSING, HELD, ...Object.values(SEQUENTIAL).flat(), ...Object.values(WIDTHS).flat(), ...DIVERGING, ...TRUST]),
];
const writers = new Map();

function number(value, decimals) {
  if (!Number.isFinite(value)) return "–";
  if (!writers.has(decimals))
    writers.set(decimals, new Intl.NumberFormat("en-GB", { minimumFractionDigits: decimals, maximumFractionDigits: decimals }));
  const text = writers.get(decimals).format(Math.abs(value));
  return value < 0 && /[1-9]/.test(text) ? "−" + text : text;
}

// Numbers that there are, ascending.
function sorted(values) {
  return Array.from(values)
    .filter(Number.isFinite)
    .sort((a, b) => a - b);
}

// What values of an item are multiplied by, their unit, and decimals that mean something beside their spread.
function writing(item, values) {
  const share = item.kind === "share",
    factor = share ? 100 : 1;
  const known = sorted(Array.from(values, (v) => Math.abs(v * factor)));
  const middle = known.length ? known[known.length >> 1] : 0;
  const decimals = share ? (middle > 0 && middle < 1 ? 2 : 1) : middle >= 100 ? 0 : middle >= 20 ? 1 : middle >= 1 ? 2 : 3;
  const unit = share ? "% of " + item.whom : item.unit || item.whom;
  return { factor, decimals, unit, mark: share ? " %" : "", points: share ? " points" : item.unit ? " " + item.unit : "" };
}

function written(value, how) {
  return Number.isFinite(value) ? number(value * how.factor, how.decimals) + how.mark : "–";
}

function interval(f, how) {
  return Number.isFinite(f.half)
    ? number(f.lower * how.factor, how.decimals) + " to " + number(f.upper * how.factor, how.decimals) + how.mark
    : "";
}

function rounding(limit, spread) {
  if (!(spread > 0)) return limit;
  const power = 10 ** (Math.floor(Math.log10(spread)) - 1);
  return Math.round(limit / power) * power;
}

// Classes of values: limits between them, colours, labels, how many areas are in each.
function classes(values, how, kind) {
  const known = sorted(values);
  if (!known.length) return { limits: [], colours: [], labels: [], counts: [] };
  if (kind === "diverging") return diverging(known, how);
  const low = known[0],
    high = known[known.length - 1];
  const at = (q) => known[Math.min(known.length - 1, Math.floor(q * known.length))];
  const spread = at(0.9) - at(0.1) || high - low;
  let limits = [0.2, 0.4, 0.6, 0.8].map((q) => rounding(at(q), spread));
  limits = [...new Set(limits)].filter((l) => l > low && l <= high);
  limits = limits.filter((l, i) => known.some((v) => v < l && (i === 0 || v >= limits[i - 1]))); // a class of none is only a line in the legend
  const palette = kind === "width" ? WIDTHS : SEQUENTIAL;
  return described(known, limits, palette[limits.length + 1], how);
}

// Classes of half-lengths of intervals, none finer than a tenth of the last digit shown: of figures that the tables settle, widths
// are the solver's tolerance and no more.
function widths(values, how) {
  const finest = 10 ** -(how.decimals + 1) / how.factor;
  const found = classes(values.map((v) => (v < finest ? 0 : v)), how, "width");
  if (values.some((v) => v > 0 && v < finest))
    found.labels[0] = "below " + number((found.limits.length ? found.limits[0] : finest) * how.factor, how.decimals + 1);
  return found;
}

function diverging(known, how) {
  const sizes = sorted(known.map(Math.abs)),
    reach = sizes[Math.floor(0.98 * (sizes.length - 1))] || sizes[sizes.length - 1];
  if (!(reach > 0)) return described(known, [], [DIVERGING[2]], how);
  const inner = rounding(reach * 0.2, reach),
    outer = rounding(reach * 0.6, reach);
  return described(known, [-outer, -inner, inner, outer], DIVERGING, how);
}

function described(known, limits, colours, how) {
  const ends = [known[0], ...limits, known[known.length - 1]],
    counts = limits.map(() => 0).concat(0);
  for (const v of known) counts[classAt(v, limits)] += 1;
  const digits = limits.length ? Math.max(...limits.map((l) => decimalsOf(l * how.factor))) : how.decimals;
  const said = (v) => number(v * how.factor, Math.min(digits, 4));
  const labels = counts.map((n, i) =>
    i === 0 && limits.length && ends[0] > limits[0]
      ? "below " + said(limits[0])
      : i === limits.length && limits.length && ends[i + 1] < limits[i - 1]
        ? said(limits[i - 1]) + " or more"
        : said(ends[i]) === said(ends[i + 1])
          ? said(ends[i])
          : said(ends[i]) + " to " + said(ends[i + 1]),
  );
  return { limits, colours, labels, counts };
}

function decimalsOf(value) {
  const text = Number(value.toPrecision(6)).toString();
  return text.includes("e") ? 0 : (text.split(".")[1] || "").length;
}

function classAt(value, limits) {
  let k = 0;
  while (k < limits.length && value >= limits[k]) k++;
  return k;
}

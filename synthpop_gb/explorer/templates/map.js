// The map: zones coloured by class, lines between areas of a level, outlines of what is looked at; names of places on top.
let map = null,
  loaded = false,
  under = -1,
  drawnState = null,
  opening = 0;
const ofPage = getComputedStyle(document.documentElement),
  LINES = { a: ofPage.getPropertyValue("--a").trim(), b: ofPage.getPropertyValue("--b").trim(), over: "#111111" };

async function makeMap() {
  if (!meta.outlines || typeof maplibregl === "undefined") return false;
  const polygons = await unpackOutlines();
  const ofLevel = await Promise.all(meta.levels.map((_, k) => ofZones(k)));
  const zones = {
    type: "FeatureCollection",
    features: polygons
      .map((coordinates, id) => ({ type: "Feature", id, properties: {}, geometry: { type: "MultiPolygon", coordinates } }))
      .filter((f) => f.geometry.coordinates.length),
  };
  const side = (z, k) => (z < 0 ? -1 : ofLevel[k][z]);
  const lines = {
    type: "FeatureCollection",
    features: arcs.map((arc) => ({
      type: "Feature",
      geometry: { type: "LineString", coordinates: arc.line },
      properties: Object.fromEntries(meta.levels.map((_, k) => ["l" + k, side(arc.left, k) !== side(arc.right, k) ? 1 : 0])),
    })),
  };
  let [w, s, e, n] = [180, 90, -180, -90];
  for (const arc of arcs)
    for (const [x, y] of arc.line) {
      w = Math.min(w, x);
      e = Math.max(e, x);
      s = Math.min(s, y);
      n = Math.max(n, y);
    }
  const bounds = [
      [w, s],
      [e, n],
    ],
    flat = (y) => (Math.log(Math.tan(Math.PI / 4 + (y * Math.PI) / 360)) * 180) / Math.PI;
  $("map-frame").style.setProperty("--aspect", ((flat(n) - flat(s)) / (e - w)).toFixed(3));
  const line = (id, source, paint, more) => ({
    id,
    type: "line",
    source,
    paint,
    layout: { "line-join": "round", "line-cap": "round" },
    ...more,
  });
  const nothing = { type: "FeatureCollection", features: [] };
  try {
    map = new maplibregl.Map({
      container: "map",
      bounds,
      fitBoundsOptions: { padding: 18 },
      attributionControl: false,
      dragRotate: false,
      pitchWithRotate: false,
      touchPitch: false,
      renderWorldCopies: false,
      fadeDuration: 0,
      maxZoom: 16,
      maxPitch: 0,
      locale: {
        "Map.Title": "Map of " + meta.title,
        "NavigationControl.ZoomIn": "Zoom in",
        "NavigationControl.ZoomOut": "Zoom out",
      },
      style: {
        version: 8,
        sources: {
          zones: { type: "geojson", data: zones, tolerance: 0, buffer: 16 },
          lines: { type: "geojson", data: lines, tolerance: 0.2, buffer: 16 }, // neighbours keep the same points: no gaps
          a: { type: "geojson", data: nothing },
          b: { type: "geojson", data: nothing },
          over: { type: "geojson", data: nothing },
        },
        layers: [
          { id: "paper", type: "background", paint: { "background-color": "#ffffff" } },
          {
            id: "zones",
            type: "fill",
            source: "zones",
            paint: {
              "fill-antialias": false, // one expression for all scales: another one would have every tile made anew
              "fill-color": ["match", ["coalesce", ["feature-state", "k"], 0], ...COLOURS.flatMap((c, i) => [i, c]), MISSING],
            },
          },
          {
            id: "doubt",
            type: "fill",
            source: "zones",
            paint: {
              "fill-pattern": "hatch",
              "fill-antialias": false,
              "fill-opacity": ["case", ["boolean", ["feature-state", "d"], false], 1, 0],
            },
          },
          ...meta.levels
            .slice(0, WHOLE)
            .map((_, k) =>
              line(
                "line-" + k,
                "lines",
                { "line-color": "#ffffff", "line-width": 0.5 },
                { filter: ["==", ["get", "l" + k], 1], minzoom: finest(k) },
              ),
            ),
          line("outside", "lines", { "line-color": "#5f6b76", "line-width": 1 }, { filter: ["==", ["get", "l" + WHOLE], 1] }),
          ...["over", "b", "a"].flatMap((id) => [
            line(id + "-halo", id, { "line-color": "#ffffff", "line-width": 5, "line-opacity": 0.9 }),
            line(id, id, { "line-color": LINES[id], "line-width": 2.6 }),
          ]),
        ],
      },
    });
  } catch (error) {
    return noMap("This browser cannot draw the map (it needs WebGL). Tables and graphs below hold the same figures.");
  }
  map.on("error", (e) => {
    $("map-frame").dataset.problem = String(e.error && e.error.message);
  });
  map.addControl(new maplibregl.NavigationControl({ showCompass: false }), "top-right");
  map.addControl(new maplibregl.ScaleControl({ maxWidth: 110 }), "bottom-right");
  map.touchZoomRotate.disableRotation();
  map.keyboard.disableRotation();
  map.on("styleimagemissing", (e) => {
    if (e.id === "hatch") map.addImage("hatch", hatching(), { pixelRatio: 2 });
  });
  await new Promise((done) => map.once("load", done));
  opening = map.getZoom();
  const canvas = map.getCanvas();
  canvas.setAttribute(
    "aria-label",
    "Map of " +
      meta.title +
      ". Arrows move it, plus and minus zoom, Enter takes the area in the middle. The table of areas holds the same figures.",
  );
  canvas.setAttribute("role", "application");
  listen(canvas, bounds);
  loaded = true;
  return true;
}

function noMap(text) {
  $("map-frame").replaceChildren(element("p", text, "notice"));
  document.body.dataset.map = "no";
  return false;
}

// Lines under a veil: what lies below is seen, but paler.
function hatching() {
  const size = 16,
    data = new Uint8ClampedArray(size * size * 4);
  for (let y = 0; y < size; y++)
    for (let x = 0; x < size; x++) {
      const at = 4 * (y * size + x),
        on = (x + y) % 8 < 2;
      data.set(on ? [70, 60, 70, 235] : [255, 255, 255, 120], at);
    }
  return { width: size, height: size, data };
}

async function areaUnder(point) {
  const [hit] = map.queryRenderedFeatures(point, { layers: ["zones"] });
  if (!hit) return -1;
  return (await ofZones(state.level))[hit.id];
}

// Side that a click on the map takes.
function picked() {
  return document.querySelector("input[name=pick]:checked").value;
}

function listen(canvas, bounds) {
  let busy = false;
  map.on("mousemove", async (e) => {
    if (busy) return;
    busy = true;
    const area = await areaUnder(e.point);
    busy = false;
    tipAt(e.point, area);
  });
  map.on("mouseout", () => tipAt(null, -1));
  map.on("click", async (e) => {
    const area = await areaUnder(e.point);
    if (area >= 0) choose(picked(), area);
  });
  const middle = () => {
    const r = canvas.getBoundingClientRect();
    return new maplibregl.Point(r.width / 2, r.height / 2);
  };
  const crossed = async () => {
    if (document.activeElement !== canvas || !canvas.matches(":focus-visible")) return;
    $("cross").hidden = false;
    const area = await areaUnder(middle());
    tipAt(middle(), area);
    if (area >= 0) say(tipText(area).join(". "));
  };
  canvas.addEventListener("focus", () => setTimeout(crossed, 30));
  canvas.addEventListener("blur", () => {
    $("cross").hidden = true;
    tipAt(null, -1);
  });
  map.on("moveend", crossed);
  canvas.addEventListener("keydown", async (e) => {
    if (e.key !== "Enter" && e.key !== " ") return;
    e.preventDefault();
    const area = await areaUnder(middle());
    if (area >= 0) choose(picked(), area);
  });
  $("whole").addEventListener("click", () => map.fitBounds(bounds, { padding: 18, duration: calm() ? 0 : 500 }));
  let asked = false;
  map.on("move", () => {
    if (!asked) {
      asked = true;
      requestAnimationFrame(() => {
        asked = false;
        placeNames();
      });
    }
  });
  map.on("resize", placeNames);
  addEventListener("beforeprint", () => {
    map.redraw();
    $("map-print").src = canvas.toDataURL("image/png");
    $("map-print").alt = "Map: " + $("map-title").textContent;
    $("map-print").hidden = false;
  });
  addEventListener("afterprint", () => {
    $("map-print").hidden = true;
  });
}

function calm() {
  return matchMedia("(prefers-reduced-motion: reduce)").matches;
}

function tipText(area) {
  const f = figureAt(view.item, view.row, area),
    out = [fullName(state.level, area)];
  if (f.cls === WITHHELD) return [...out, "withheld: fewer than " + meta.few + " records"];
  out.push(written(f.estimate, view.how) + (Number.isFinite(f.half) ? " (" + interval(f, view.how) + ")" : ""));
  if (state.show === "census") out.push("estimate − census: " + written(view.values[area], view.shown));
  if (state.show === "width") out.push("± " + written(view.values[area], view.shown));
  if (meta.classes[f.cls]) out.push(meta.classes[f.cls]);
  return out;
}

function tipAt(point, area) {
  if (!loaded) return;
  const tip = $("tip");
  if (area < 0 || !point || !view) {
    tip.hidden = true;
    under = -1;
    outline("over", -1);
    return;
  }
  if (area !== under) {
    tip.replaceChildren(...tipText(area).map((t, i) => element(i ? "span" : "strong", t)));
    under = area;
    outline("over", area);
  }
  tip.hidden = false;
  const frame = $("map-frame").getBoundingClientRect();
  tip.style.left = Math.max(4, Math.min(point.x + 14, frame.width - tip.offsetWidth - 6)) + "px";
  tip.style.top = (point.y + 18 + tip.offsetHeight > frame.height ? point.y - tip.offsetHeight - 12 : point.y + 18) + "px";
}

async function outline(id, area) {
  if (!loaded) return;
  const of = await ofZones(state.level);
  const inside = (z) => z >= 0 && of[z] === area;
  const coordinates = area < 0 ? [] : arcs.filter((arc) => inside(arc.left) !== inside(arc.right)).map((arc) => arc.line);
  map.getSource(id).setData({ type: "Feature", properties: {}, geometry: { type: "MultiLineString", coordinates } });
}

// Bring an area into sight that was named, not clicked: nothing moves where it is seen already.
async function goTo(area) {
  if (!loaded || area < 0) return;
  const of = await ofZones(state.level),
    box = new maplibregl.LngLatBounds();
  for (const arc of arcs)
    if ((arc.left >= 0 && of[arc.left] === area) || (arc.right >= 0 && of[arc.right] === area))
      for (const point of arc.line) box.extend(point);
  if (box.isEmpty()) return;
  const [a, b] = [map.project(box.getSouthWest()), map.project(box.getNorthEast())],
    seen = map.getBounds();
  if (seen.contains(box.getSouthWest()) && seen.contains(box.getNorthEast()) && Math.max(b.x - a.x, a.y - b.y) > 16) return;
  map.fitBounds(box, { padding: 140, maxZoom: opening + 3.5, duration: calm() ? 0 : 700 });
}

// Colour the zones; resolves once that is on the screen.
async function paint() {
  if (!loaded) return;
  const of = await ofZones(state.level),
    colour = view.scale.colours.map((c) => COLOURS.indexOf(c));
  const hatch = state.doubt && view.kind !== "trust";
  if (!drawnState) drawnState = new Int16Array(of.length).fill(-1);
  for (let z = 0; z < of.length; z++) {
    const area = of[z],
      k = area < 0 ? -1 : view.place[area],
      d = hatch && area >= 0 && view.doubtful(area);
    const code = k >= 0 ? colour[k] : k === -2 ? 1 : 0,
      both = 2 * code + (d ? 1 : 0);
    if (drawnState[z] !== both) map.setFeatureState({ source: "zones", id: z }, { k: code, d });
    drawnState[z] = both;
  }
  await new Promise((done) => {
    map.once("render", () => requestAnimationFrame(() => done()));
    map.triggerRepaint();
  });
}

// Zoom from which the lines of a level are drawn: among thousands of areas they would be all that is seen of a town.
function finest(k) {
  const n = meta.levels[k].codes.length;
  return n > 800 ? 9 : n > 250 ? 7.5 : 0;
}

function showLevel() {
  if (!loaded) return;
  const many = meta.levels.map((l) => l.codes.length);
  for (let k = 0; k < WHOLE; k++) {
    const finer = k < state.level,
      own = k === state.level;
    map.setPaintProperty("line-" + k, "line-opacity", finer ? 0 : 1);
    map.setPaintProperty("line-" + k, "line-color", own ? "#ffffff" : "#43505c");
    map.setPaintProperty(
      "line-" + k,
      "line-width",
      own ? (many[k] > 800 ? ["interpolate", ["linear"], ["zoom"], 9, 0.2, 11, 0.8] : 0.9) : 1,
    );
  }
  placeNames();
}

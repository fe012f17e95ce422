// Outlines unpacked: arcs between zones, and polygons put together from them.
let zonePoints = null,
  arcs = null;

async function unpackOutlines() {
  const o = meta.outlines;
  const [[lengths, dx, dy, left, right], [rings, ringLengths, ringZone, ringFirst]] = await Promise.all([
    arraysOf(o.arcs),
    arraysOf(o.rings),
  ]);
  const signed = (v) => (v & 1 ? -(v + 1) / 2 : v / 2);
  arcs = [];
  let x = 0,
    y = 0,
    at = 0;
  for (let a = 0; a < lengths.length; a++) {
    const line = new Array(lengths[a]);
    for (let i = 0; i < lengths[a]; i++, at++) {
      x += signed(dx[at]);
      y += signed(dy[at]);
      line[i] = [o.west + x * o.step, o.south + y * o.step];
    }
    arcs.push({ line, left: left[a] - 1, right: right[a] - 1 });
  }
  const n = meta.levels[0].codes.length,
    polygons = Array.from({ length: n }, () => []);
  at = 0;
  for (let r = 0; r < ringLengths.length; r++) {
    const points = [];
    for (let i = 0; i < ringLengths[r]; i++, at++) {
      const number = signed(rings[at]),
        line = number < 0 ? arcs[-1 - number].line.slice().reverse() : arcs[number].line;
      for (let p = points.length ? 1 : 0; p < line.length; p++) points.push(line[p]);
    }
    const mine = polygons[ringZone[r]];
    if (ringFirst[r] || !mine.length) mine.push([points]);
    else mine[mine.length - 1].push(points);
  }
  zonePoints = polygons.map(middleOf);
  return polygons;
}

// Middle and size of a zone's largest polygon.
function middleOf(parts) {
  let best = null;
  for (const [outside] of parts) {
    let area = 0,
      cx = 0,
      cy = 0;
    for (let i = 0; i + 1 < outside.length; i++) {
      const [x0, y0] = outside[i],
        [x1, y1] = outside[i + 1],
        cross = (x0 - outside[0][0]) * (y1 - outside[0][1]) - (x1 - outside[0][0]) * (y0 - outside[0][1]);
      area += cross;
      cx += (cross * (x0 + x1 + outside[0][0])) / 3;
      cy += (cross * (y0 + y1 + outside[0][1])) / 3;
    }
    if (area && (!best || Math.abs(area) > best.area)) best = { area: Math.abs(area), at: [cx / area, cy / area] };
  }
  return best;
}

// Names of places on the map: of the largest areas first, of finer ones when zoomed in, none over another.
const named = []; // by level
function placeNames() {
  if (!loaded || !zonePoints) return;
  const frame = $("map").getBoundingClientRect(),
    taken = [],
    shown = [],
    small = frame.width < 500;
  const there = meta.levels.map((_, k) => k).filter((k) => k !== WHOLE && meta.levels[k].names),
    top = there[there.length - 1];
  for (const k of there.reverse()) {
    const zoomed = map.getZoom() - opening;
    if (k !== top && zoomed < (k === 0 ? 1.8 : 0.9) && !(k === state.level && meta.levels[k].codes.length <= 40)) continue;
    for (const place of middles(k)) {
      const p = map.project(place.at);
      if (p.x < 30 || p.y < 14 || p.x > frame.width - 30 || p.y > frame.height - 14) continue;
      const half = (k === top ? 4.1 : 3.4) * place.text.length + 6,
        box = [p.x - half, p.y - 11, p.x + half, p.y + 11];
      if (taken.some((t) => box[0] < t[2] && box[2] > t[0] && box[1] < t[3] && box[3] > t[1])) continue;
      taken.push(box);
      shown.push({ text: place.text, x: p.x, y: p.y, large: k === top && top > 0 });
      if (shown.length >= (small ? 14 : 40)) break;
    }
  }
  const holder = $("labels");
  while (holder.children.length < shown.length) holder.append(element("span"));
  while (holder.children.length > shown.length) holder.lastChild.remove();
  shown.forEach((s, i) => {
    holder.children[i].textContent = s.text;
    holder.children[i].className = s.large ? "large" : "";
    holder.children[i].style.transform = `translate(${s.x}px, ${s.y}px) translate(-50%, -50%)`;
  });
}

function middles(k) {
  if (!named[k]) {
    named[k] = [];
    ofZones(k).then((of) => {
      const sums = meta.levels[k].codes.map(() => [0, 0, 0]);
      of.forEach((area, z) => {
        const m = area >= 0 && zonePoints[z];
        if (m) {
          sums[area][0] += m.area * m.at[0];
          sums[area][1] += m.area * m.at[1];
          sums[area][2] += m.area;
        }
      });
      named[k] = sums
        .map((s, i) => ({ text: nameOf(k, i), at: [s[0] / s[2], s[1] / s[2]], size: s[2] }))
        .filter((p) => p.size > 0)
        .sort((p, q) => q.size - p.size);
      placeNames();
    });
  }
  return named[k];
}

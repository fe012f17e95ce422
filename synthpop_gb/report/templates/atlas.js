// Draws the map from the data in this page and keeps list, legend and histogram together. Reads nothing from anywhere else.
(function () {
  "use strict";
  const read = (id) => JSON.parse(document.getElementById(id).textContent);
  const known = read("atlas-measures"), spec = read("atlas-spec");
  const list = document.getElementById("atlas-measure"), legend = document.getElementById("atlas-legend");
  spec.datasets = { areas: read("atlas-areas") };
  spec.params.find((p) => p.name === "known").value = known;

  function element(tag, text, name) {
    const node = document.createElement(tag);
    if (text !== undefined) node.textContent = text;
    if (name) node.className = name;
    return node;
  }

  function describe(measure) {
    const chosen = known[measure];
    document.getElementById("atlas-group").textContent = chosen.group;
    document.getElementById("atlas-title").textContent = chosen.label;
    document.getElementById("atlas-unit").textContent = chosen.unit;
    document.getElementById("atlas-spread").textContent = "Median " + chosen.median + ", from " + chosen.spread;
    legend.replaceChildren(...chosen.legend.map((row) => {
      const item = element("li"), swatch = element("span", undefined, "swatch");
      swatch.style.background = row.colour;
      item.append(swatch, element("span", row.label, "range"), element("span", row.count.toLocaleString("en-GB"), "count"));
      return item;
    }));
  }

  const start = Number(list.value) || 0;
  describe(start);
  spec.params.find((p) => p.name === "measure").value = start;
  vegaEmbed("#atlas-drawing", spec, { mode: "vega-lite", ast: true, renderer: "canvas",
    actions: { export: true, source: false, compiled: false, editor: false } }).then((result) => {
    document.getElementById("atlas").dataset.state = "drawn";
    list.addEventListener("change", () => {
      const measure = Number(list.value);
      describe(measure);
      result.view.signal("measure", measure).runAsync();
    });
  }).catch((error) => {
    document.getElementById("atlas").dataset.state = "failed";
    document.getElementById("atlas-drawing").textContent = "The map could not be drawn: " + error;
  });
})();

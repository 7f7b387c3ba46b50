// The metrics of an incident, small and on one time axis: replies of `query_metrics` with points.
const PLOT = { width: 340, height: 118, left: 56, top: 6, bottom: 96 };
const LINES = 5;
const PLAIN = ["count", "0/1", "ratio"]; // units that say nothing beside a number

function pointsOf(series) {
  const points = series.points;
  if (!points || !Array.isArray(points.values)) return [];
  const start = ms(points.start);
  return points.values.map((value, n) => [start + n * points.step_seconds * 1000, typeof value === "number" ? value : NaN]);
}

// A round number of steps that hold the values, from zero where they come near it.
function valueScale(values, unit) {
  let low = Math.min(...values);
  let high = Math.max(...values);
  const most = Math.max(Math.abs(low), Math.abs(high));
  const base = unit.startsWith("bytes") && most >= 1024 ? 1024 ** Math.min(4, Math.floor(Math.log2(most) / 10)) : 1;
  if (low >= 0 && low <= high / 2) low = 0;
  if (high === low) [low, high] = low === 0 ? [0, 1] : [Math.min(low, 0), Math.max(high, 0)];
  const rough = (high - low) / 3;
  const power = base * 10 ** Math.floor(Math.log10(rough / base));
  const step = [1, 2, 2.5, 5, 10].map((n) => n * power).find((one) => one >= rough) || rough;
  const first = Math.floor(low / step) * step;
  const ticks = [];
  for (let n = 0; n < 6 && (n === 0 || ticks[n - 1] < high); n += 1) ticks.push(first + n * step);
  const last = ticks[ticks.length - 1];
  const at = (value) => PLOT.bottom - ((value - first) / (last - first)) * (PLOT.bottom - PLOT.top);
  return { at, ticks };
}

// One path; where a point is missing the line is broken, and a point without neighbours is a dot.
function line(points, x, y, place) {
  let path = "";
  const dots = [];
  points.forEach(([at, value], n) => {
    if (!Number.isFinite(value)) return;
    const before = n > 0 && Number.isFinite(points[n - 1][1]);
    const after = n + 1 < points.length && Number.isFinite(points[n + 1][1]);
    if (!before && !after) dots.push(svg("circle", { class: "dot l" + place, cx: x.at(at), cy: y.at(value), r: 2 }));
    else path += (before ? "L" : "M") + x.at(at).toFixed(1) + " " + y.at(value).toFixed(1);
  });
  return [svg("path", { class: "plot l" + place, d: path || "M0 0" }), ...dots];
}

const PLACES = ["__name__", "instance", "job", "store", "store_id", "node", "address", "name"];

// What tells a series from the others: its entity, then its labels, and who reported it only where nothing else does.
function seriesNames(series, names, title) {
  const labelled = (one, all) =>
    Object.entries(one.labels || {})
      .filter(([label]) => label !== "__name__" && (all || !PLACES.includes(label)))
      .map(([label, value]) => label + "=" + text(value));
  const plain = series.map((one) => [names.get(one.entity) || text(one.entity), ...labelled(one, false)].filter(Boolean).join(" "));
  return series.map((one, n) => {
    const alone = plain[n] && plain.filter((name) => name === plain[n]).length === 1;
    return alone ? plain[n] : [names.get(one.entity) || text(one.entity), ...labelled(one, true)].filter(Boolean).join(" ") || title;
  });
}

// Draws one reply of `query_metrics`.
function chart(title, reply, span, began, names) {
  const series = list(reply.series).slice(0, LINES);
  const called = seriesNames(series, names, title);
  const drawn = series.map((one, n) => ({ one, called: called[n], points: pointsOf(one) }));
  const values = drawn.flatMap(({ points }) => points.map(([, value]) => value)).filter(Number.isFinite);
  const head = el("figcaption", {}, el("h3", {}, title), el("p", { class: "says" }, [reply.says, PLAIN.includes(reply.unit) ? "" : reply.unit].filter(Boolean).map(text).join(" · ")));
  if (!values.length) return el("figure", { "data-metric": title }, head, el("p", { class: "none" }, list(reply.empty_because).join(" ") || "No points in this window."));
  const x = timeScale(span, PLOT.left, PLOT.width - 6);
  const y = valueScale(values, text(reply.unit));
  const rules = y.ticks.map((tick) => [svg("line", { class: "rule", x1: PLOT.left, x2: PLOT.width - 6, y1: y.at(tick), y2: y.at(tick) }), svg("text", { x: PLOT.left - 6, y: y.at(tick) + 4, "text-anchor": "end" }, measured(tick, reply.unit === "1/s" || reply.unit === "1/min" ? "" : reply.unit))]);
  const picture = svg("svg", { viewBox: `0 0 ${PLOT.width} ${PLOT.height}`, role: "img", "aria-label": title + ": " + drawn.map(({ one, called }) => called + " last " + text(one.last ?? one.steady)).join(", ") }, rules, axis(x, PLOT.top, PLOT.bottom), onset(x, began, PLOT.top, PLOT.bottom), ...drawn.map(({ points }, n) => line(points, x, y, n)));
  const legend = drawn.map(({ one, called }, n) => el("span", { title: called }, el("i", { class: "swatch l" + n }), short(called, 60), " ", el("span", { class: "number" }, measured(one.last ?? one.steady, text(reply.unit)))));
  const more = Number(reply.matched) > series.length ? el("p", { class: "left" }, series.length + " of " + reply.matched + " series, those that moved most") : "";
  return el("figure", { "data-metric": title }, head, picture, el("div", { class: "legend" }, legend), more);
}

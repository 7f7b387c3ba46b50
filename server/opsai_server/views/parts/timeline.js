// What happened: the reply of `timeline` on a time axis, one lane for each entity, and the same events as a list.
const LANE = { label: 128, head: 4, row: 12, dot: 3.5, gap: 12, axis: 20, letter: 5.7 };
const TICKS_MS = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400, 172800, 604800].map((seconds) => seconds * 1000);

// Maps a window of time to pixels.
function timeScale(span, from, to) {
  const start = ms(span.start);
  const length = Math.max(1, ms(span.end) - start);
  const at = (time) => from + ((time - start) / length) * (to - from);
  const step = TICKS_MS.find((one) => length / one <= Math.max(2, (to - from) / 85)) || TICKS_MS[TICKS_MS.length - 1];
  const ticks = [];
  for (let tick = Math.ceil(start / step) * step; tick <= start + length; tick += step) ticks.push(tick);
  const label = (time) => (step >= 86400000 ? day(time) : step >= 60000 ? minute(time) : clock(time));
  return { at, ticks, label, back: (x) => start + ((x - from) / (to - from)) * length, from, to };
}

function axis(scale, top, bottom) {
  return scale.ticks.map((tick) => {
    const x = scale.at(tick);
    return [svg("line", { class: "rule", x1: x, x2: x, y1: top, y2: bottom }), svg("text", { x, y: bottom + 14, "text-anchor": "middle" }, scale.label(tick))];
  });
}

function onset(scale, at, top, bottom) {
  const x = at ? scale.at(ms(at)) : -1;
  return x >= scale.from && x <= scale.to ? svg("line", { class: "began", x1: x, x2: x, y1: top, y2: bottom }) : "";
}

const isSymptom = (event) => event.kind === "symptom_began" || event.kind === "symptom_ended";
const isStep = (event) => text(event.kind).startsWith("ticket_");

// The stretches in which an invariant was violated, from where they begin and end among the events.
function stretches(events, span) {
  const open = new Map();
  const found = [];
  for (const event of events.filter(isSymptom)) {
    const what = text(event.says).split(" ", 1)[0];
    const key = event.entity + " " + what;
    if (event.kind === "symptom_began") {
      if (open.has(key)) continue;
      const one = { entity: event.entity, what, says: text(event.says), start: ms(event.at), end: ms(span.end), over: false };
      open.set(key, one);
      found.push(one);
    } else {
      const one = open.get(key) || { entity: event.entity, what, says: text(event.says), start: ms(span.start) };
      if (!open.has(key)) found.push(one);
      open.delete(key);
      Object.assign(one, { end: ms(event.at), over: true });
    }
  }
  return found;
}

function lanesOf(events, span) {
  const lanes = new Map();
  const lane = (entity) => lanes.get(entity) || lanes.set(entity, { entity, events: [], bars: [] }).get(entity);
  for (const event of events) {
    const one = lane(text(event.entity));
    if (!isSymptom(event)) one.events.push(event);
  }
  for (const bar of stretches(events, span)) lane(text(bar.entity)).bars.push(bar);
  return [...lanes.values()];
}

// The name of a bar before it, or behind it, where there is room for it.
function beside(name, start, end, y, scale) {
  const room = name.length * LANE.letter + 8;
  if (start - scale.from > room) return svg("text", { class: "name", x: start - 5, y, "text-anchor": "end" }, name);
  return scale.to - end > room ? svg("text", { class: "name", x: end + 5, y }, name) : "";
}

function drawLane(lane, scale, y, name, choose) {
  const middle = y + LANE.head + LANE.dot;
  const bars = lane.bars.map((bar, n) => {
    const x = Math.max(scale.from, scale.at(bar.start));
    const top = middle + LANE.dot + 3 + n * LANE.row;
    const width = Math.max(3, scale.at(bar.end) - x);
    const shape = { class: bar.over ? "symptom over" : "symptom", x, y: top, width, height: LANE.row - 5, rx: 1 };
    return [svg("rect", shape, svg("title", {}, bar.says + (bar.over ? " · until " + clock(bar.end) : " · still"))), beside(bar.what, x, x + width, top + 7, scale)];
  });
  const dots = lane.events.map((event) => {
    const x = scale.at(ms(event.at));
    const told = svg("title", {}, clock(ms(event.at)) + " " + text(event.kind) + ": " + text(event.says));
    const act = { "data-event": event.place, click: () => choose(event.place, true) };
    if (isStep(event)) return svg("path", { class: "step", d: `M${x} ${middle - 5}l5 5l-5 5l-5-5z`, ...act }, told);
    return svg("circle", { class: "event", cx: x, cy: middle, r: LANE.dot, ...act }, told);
  });
  return [
    svg("line", { class: "rule", x1: 0, x2: scale.to, y1: y, y2: y }),
    svg("text", { class: "lane", x: 0, y: middle + 4 }, short(name, 19), svg("title", {}, name)),
    ...bars,
    ...dots,
  ];
}

// Where the list of events is cut, what is before the first one is not empty: it is not shown.
function notShown(scale, first, height) {
  const hatch = svg("pattern", { id: "hatch", width: 6, height: 6, patternUnits: "userSpaceOnUse", patternTransform: "rotate(45)" }, svg("rect", { class: "unseen", width: 1.2, height: 6 }));
  const width = Math.max(0, scale.at(first) - scale.from - LANE.dot - 1);
  return [svg("defs", {}, hatch), svg("rect", { x: scale.from, y: 0, width, height, fill: "url(#hatch)" }, svg("title", {}, "Events before " + clock(first) + " are not shown: zoom or go there to see them."))];
}

// Draws the lanes; `zoom` is told the window that is dragged over them.
function lanes(reply, width, began, names, choose, zoom) {
  const events = list(reply.events).map((event, place) => ({ ...event, place }));
  const scale = timeScale(reply.window, LANE.label, width - 8);
  const parts = [];
  let y = 0;
  for (const lane of lanesOf(events, reply.window)) {
    parts.push(drawLane(lane, scale, y, names.get(lane.entity) || lane.entity, choose));
    y += LANE.head + 2 * LANE.dot + lane.bars.length * LANE.row + LANE.gap;
  }
  const label = plural(events.length, "event") + " from " + text(reply.window.start) + " to " + text(reply.window.end) + "; the same as a list below";
  const cut = reply.shown && reply.shown.events ? notShown(scale, Math.min(...events.map((event) => ms(event.at))), y) : "";
  const drawn = svg("svg", { class: "lanes", viewBox: `0 0 ${width} ${y + LANE.axis}`, role: "img", "aria-label": label }, cut, axis(scale, 0, y), onset(scale, began, 0, y), ...parts);
  selecting(drawn, scale, width, y, zoom);
  return drawn;
}

// Lets a stretch of time be chosen by dragging over it; the buttons do the same for the keyboard.
function selecting(drawn, scale, width, height, zoom) {
  let from = null;
  const area = svg("rect", { class: "selection", y: 0, height, width: 0 });
  const place = (event) => Math.min(scale.to, Math.max(scale.from, ((event.clientX - drawn.getBoundingClientRect().left) / drawn.getBoundingClientRect().width) * width));
  drawn.append(area);
  drawn.addEventListener("pointerdown", (event) => {
    if (event.button !== 0 || !host.canCall) return;
    from = place(event);
  });
  drawn.addEventListener("pointermove", (event) => {
    if (from === null) return;
    area.setAttribute("x", Math.min(from, place(event)));
    area.setAttribute("width", Math.abs(place(event) - from));
  });
  const end = (event) => {
    if (from !== null && Math.abs(place(event) - from) > 6) zoom(scale.back(Math.min(from, place(event))), scale.back(Math.max(from, place(event))));
    from = null;
    area.setAttribute("width", 0);
  };
  drawn.addEventListener("pointerup", end);
  drawn.addEventListener("pointerleave", end);
}

function events(reply, names, choose) {
  const row = (event, place) => {
    const many = event.until ? " · " + event.count + " in all, until " + clock(ms(event.until)) : "";
    return el("li", { "data-event": place, click: () => choose(place, false), class: isSymptom(event) && event.kind === "symptom_began" ? "bad" : "" }, el("span", { class: "number" }, clock(ms(event.at))), el("span", { class: "kind" }, names.get(event.entity) || text(event.entity)), el("span", { class: "what" }, text(event.says) + many));
  };
  const items = list(reply.events);
  return items.length ? el("ol", { class: "events", tabindex: 0, "aria-label": "Events, oldest first" }, items.map(row)) : el("p", { class: "none" }, text(reply.note) || "Nothing was seen to happen in this window.");
}

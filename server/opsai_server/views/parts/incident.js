// An incident: a window of time around a ticket or the last minutes, with its timeline and the metrics that its cause names.
const METRICS = 6;
const PAGES = 4; // of events: the tool shows the newest twenty of a window, and what began it stands before them
const EARLIER_MS = [180000, 1800000];
const LEAST_MS = 20000;

// The window of a ticket: from well before it began until it was over, or until now.
function spanOf(ticket, now) {
  const began = ms(ticket.violated_at);
  const end = ticket.resolved_at ? Math.min(ms(now), ms(ticket.resolved_at) + EARLIER_MS[0]) : ms(now);
  const before = Math.min(EARLIER_MS[1], Math.max(EARLIER_MS[0], end - began));
  return { start: iso(began - before), end: iso(Math.max(end, began + LEAST_MS)) };
}

// The metrics of the signs that support a cause: of the ticket's own entity first, each once.
function metricsOf(differential, entity) {
  const causes = list(differential.causes);
  const own = causes.filter((one) => one.entity === entity);
  const names = [...own, ...causes.filter((one) => !own.includes(one))].flatMap((one) => list(one.support).flatMap((sign) => list(sign && sign.metrics)));
  return [...new Set(names.map(text))];
}

// Entity to what people call it, from the tables of `topology`.
function namesOf(topology) {
  const names = new Map();
  for (const table of Object.values(topology.tables || {})) {
    const [entity, name] = ["entity", "name"].map((column) => list(table.columns).indexOf(column));
    for (const row of list(table.rows)) if (entity >= 0 && name >= 0) names.set(text(row[entity]), text(row[name]));
  }
  return names;
}

const isCut = (reply) => Boolean(reply.shown && reply.shown.events);

// Reads what a cut reply leaves out, from the newest back, as far as some pages reach.
async function whole(reply, only) {
  let [events, last] = [list(reply.events), reply];
  for (let n = 1; n < PAGES && isCut(last) && events.length; n += 1) {
    const first = text(events[0].at);
    if (ms(first) <= ms(reply.window.start)) break;
    last = await page.call("timeline", { ...only, start: text(reply.window.start), end: first });
    const known = new Set(events.map((event) => JSON.stringify(event)));
    const earlier = list(last.events).filter((event) => !known.has(JSON.stringify(event)));
    if (!earlier.length) break;
    events = [...earlier, ...events];
  }
  const total = text(reply.shown && reply.shown.events).replace(/^\d+ of (\d+).*$/s, "$1");
  return { ...reply, events, shown: isCut(last) ? { events: events.length + " of " + total + "; the newest" } : {} };
}

const incident = (() => {
  let now = null; // what is shown: { reply, whole, only, ticket, names, metrics, charts, asked }
  let place = null;
  let asks = 0; // what is asked for later wins: an answer that comes after it is let go

  function choose(event, scroll) {
    for (const one of place.querySelectorAll("[data-event]")) {
      const chosen = one.dataset.event === String(event);
      one.classList.toggle("chosen", chosen);
      if (chosen && scroll && one.tagName === "LI") one.scrollIntoView({ block: "nearest" });
    }
  }

  function zoomed(start, end) {
    const limit = ms(now.reply.at);
    const length = Math.max(LEAST_MS, end - start);
    const last = Math.min(limit, end);
    show({ span: { start: iso(last - length), end: iso(last) } });
  }

  function tools() {
    const [start, end] = [ms(now.reply.window.start), ms(now.reply.window.end)];
    const half = (end - start) / 2;
    const can = host.canCall;
    const button = (label, act, works) => el("button", { type: "button", disabled: !can || !works, click: act }, label);
    const at = ms(now.reply.at);
    return el(
      "div",
      { class: "tools" },
      el("span", { class: "spread number", id: "span" }, day(start) + " " + clock(start) + " – " + clock(end) + " UTC"),
      button("Earlier", () => zoomed(start - half, end - half), true),
      button("Later", () => zoomed(start + half, end + half), end < at),
      button("Zoom in", () => zoomed(start + half / 2, end - half / 2), end - start > LEAST_MS),
      button("Zoom out", () => zoomed(start - half, end + half), true),
      button("Whole", () => show({ span: now.whole }), start !== ms(now.whole.start) || end !== ms(now.whole.end)),
    );
  }

  function draw() {
    const ticket = now.ticket;
    const began = ticket ? ticket.violated_at : null;
    const width = Math.max(340, Math.round(place.clientWidth || 800));
    const left_out = now.reply.shown && now.reply.shown.events;
    const title = ticket ? text(ticket.id) + ": " + text(ticket.headline) : "What happened" + (now.only.entity ? " on " + now.only.entity : "");
    const charts = now.charts.map(({ name, reply }) => chart(name, reply, now.reply.window, began, now.names));
    const drawn = section(title, "", [
      tools(),
      list(now.reply.events).length ? lanes(now.reply, width, began, now.names, choose, zoomed) : "",
      left_out ? el("p", { class: "left", title: left_out }, text(left_out).split(";", 1)[0] + " events, the newest; the hatched part is not shown. Zoom in or go there to see it.") : "",
      events(now.reply, now.names, choose),
      list(now.reply.unread).length ? el("ul", { class: "rows unseen" }, list(now.reply.unread).map(unread)) : "",
      charts.length ? el("div", { class: "charts", id: "charts" }, charts) : "",
      now.metrics.length > METRICS ? el("p", { class: "left" }, "Not drawn: " + now.metrics.slice(METRICS).join(", ")) : "",
      offer(),
    ], {});
    redrawn(place, () => place.replaceChildren(drawn));
    if (began) scrollTo(began);
  }

  // Puts the list of events where the ticket began, with a little of what was before.
  function scrollTo(began) {
    const rows = place.querySelector(".events");
    const first = rows && rows.children[list(now.reply.events).findIndex((event) => ms(event.at) >= ms(began))];
    if (first) rows.scrollTop = first.offsetTop - rows.offsetTop - 3 * first.offsetHeight;
  }

  // Without a cause no sign names a metric: what is unusual can be looked for, which costs a query for each metric there is.
  function offer() {
    if (!host.canCall || now.metrics.length || !now.asked) return "";
    const begin = now.ticket ? now.ticket.violated_at : now.reply.window.start;
    const find = () => rank({ start: text(begin), end: text(now.reply.window.end) });
    return el("p", { class: "left" }, "No cause names a metric. ", el("button", { type: "button", click: find }, "Rank unusual metrics"));
  }

  const rank = (span) =>
    page.busy("Comparing every metric with the time before …", async () => {
      const mine = ++asks;
      const reply = await page.call("compare_windows", span);
      const metrics = [...new Set(list(reply.rows).map((row) => text(row.metric)))].filter((name) => /^\w+$/.test(name));
      if (mine !== asks) return;
      const charts = await chartsOf(metrics);
      if (mine !== asks) return;
      Object.assign(now, { metrics, charts });
      draw();
    });

  const chartOf = async (name, span) => {
    try {
      return { name, reply: await page.call("query_metrics", { name, points: true, limit: LINES, ...span }) };
    } catch (error) {
      return { name, reply: { series: [], empty_because: [error.message] } };
    }
  };

  function chartsOf(metrics) {
    const span = { start: text(now.reply.window.start), end: text(now.reply.window.end) };
    return Promise.all(metrics.slice(0, METRICS).map((name) => chartOf(name, span)));
  }

  async function correlated() {
    const [found, topology] = await Promise.all([page.call("differential", now.ticket ? { ticket: text(now.ticket.id) } : {}), page.call("topology", {})]);
    return { metrics: metricsOf(found, now.ticket ? now.ticket.entity : ""), names: new Map([...now.names, ...namesOf(topology)]), asked: true };
  }

  // Reads and draws: the events first, then the metrics. `given` may hold a ticket, a window, or a reply that is there already.
  const show = (given) =>
    page.busy("Reading what happened …", async () => {
      const mine = ++asks;
      const only = now === null ? given.only || {} : now.only;
      const reply = given.reply || (await page.call("timeline", { ...only, ...given.span }));
      if (mine !== asks) return;
      const kept = now || { whole: reply.window, only, ticket: given.ticket || null, names: page.names(), metrics: [], charts: [], asked: false };
      now = { ...kept, reply };
      draw();
      const steps = [
        [isCut(reply), async () => ({ reply: await whole(reply, only) })],
        [!now.asked, correlated],
        [true, async () => ({ charts: await chartsOf(now.metrics) })],
      ];
      for (const [wanted, read] of host.canCall ? steps : []) {
        if (!wanted) continue;
        const found = await read();
        if (mine !== asks) return;
        Object.assign(now, found);
        draw();
      }
    });

  return {
    open(where, given) {
      place = where;
      now = null;
      return show(given.ticket ? { ...given, span: spanOf(given.ticket, given.at) } : given);
    },
    redraw() {
      if (now !== null) draw();
    },
    // Reads the same window again; one that reached to the present reaches to the new one.
    async refresh() {
      if (now === null) return;
      const { window: span, at } = now.reply;
      const reached = ms(span.end) >= ms(at) - 2000;
      await show({ span: { start: text(span.start), ...(reached ? {} : { end: text(span.end) }) } });
      if (reached && now !== null && span.start === now.whole.start) now.whole = now.reply.window;
    },
    close() {
      asks += 1;
      now = null;
    },
    get shown() {
      return now;
    },
  };
})();

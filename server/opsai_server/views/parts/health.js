// How the cluster stands: the reply of `overview`, and the list of clusters where a server shows several.
const STANDINGS = {
  violated: "Something is violated",
  healthy: "Everything that is looked at holds",
  unknown: "Too much is unknown to call it healthy",
};

const standingOf = (reply) => (reply.summary.healthy === false ? "violated" : reply.summary.healthy === true ? "healthy" : "unknown");

function standing(place, title, of, state) {
  place.className = "standing " + (state || "");
  place.replaceChildren(el("h1", {}, title), el("p", { class: "of" }, of));
}

function aboutCluster(reply) {
  const kind = reply.summary ? " · " + text(reply.summary.subject) : "";
  return text(reply.cluster) + kind + " · as of " + day(ms(reply.at)) + " " + clock(ms(reply.at)) + " UTC";
}

function verdicts(reply) {
  const counts = reply.summary.verdicts || {};
  const parts = ["violated", "unknown", "held"].map((state) => [state, Number(counts[state]) || 0]);
  const bar = el("div", { class: "bar", role: "img", "aria-label": parts.map(([state, n]) => n + " " + state).join(", ") });
  for (const [state, n] of parts) {
    if (!n) continue;
    const part = el("i", { class: state });
    part.style.flex = n + " 0 0";
    bar.append(part);
  }
  const keys = parts.map(([state, n]) => el("span", { class: "key " + state }, n + " " + state));
  return el("div", {}, bar, el("div", { class: "keys" }, keys));
}

function rows(items, draw, none, attributes) {
  return items.length ? el("ul", { class: "rows", ...attributes }, items.map(draw)) : el("p", { class: "none" }, none);
}

const severity = (one) => el("span", { class: "severity " + text(one.severity), title: text(one.severity) }, text(one.severity));

function cause(one) {
  const over = one.active === false ? " · over now" : "";
  return el("li", {}, el("div", { class: "top" }, el("strong", {}, text(one.kind)), el("span", {}, "on " + text(one.name || one.entity)), el("span", { class: "end" }, text(one.standing) + over)));
}

function violated(reply) {
  const names = namesIn(reply);
  return (one) =>
    el(
      "li",
      {},
      el("div", { class: "top" }, severity(one), el("strong", {}, text(one.invariant)), el("span", {}, names.get(one.entity) || text(one.entity)), el("span", { class: "end" }, since(one.since, reply.at))),
      el("p", { class: "says" }, text(one.says)),
    );
}

function unknown(one) {
  const of = list(one.invariants).join(", ") + (list(one.entities).length ? " on " + list(one.entities).join(", ") : "");
  const more = Number(one.count) > list(one.entities).length * Math.max(1, list(one.invariants).length) ? " …" : "";
  return el("li", {}, el("div", { class: "top" }, el("strong", {}, text(one.why)), el("span", { class: "end" }, plural(Number(one.count) || 0, "verdict"))), el("p", { class: "says" }, of + more));
}

function unread(one) {
  return el("li", {}, el("div", { class: "top" }, el("strong", {}, text(one.source)), el("span", { class: "faint" }, text(one.asked))), el("p", { class: "says" }, [one.why, one.advice].filter(Boolean).join(" · ")));
}

function ticket(reply, chosen, choose) {
  return (one) =>
    el(
      "li",
      {},
      el(
        "button",
        { class: "ticket", type: "button", "data-ticket": text(one.id), "aria-pressed": String(one.id === chosen), disabled: !host.canCall, click: () => choose(one) },
        el("span", { class: "top" }, severity(one), el("strong", {}, text(one.id)), el("span", { class: "faint" }, text(one.status) + (one.joined ? ", " + one.joined + " joined" : "")), el("span", { class: "end" }, since(one.violated_at, reply.at))),
        el("span", {}, text(one.headline)),
        one.diagnosis ? el("span", { class: "faint" }, " · " + text(one.diagnosis.confidence) + ": " + list(one.diagnosis.causes).join(", ")) : "",
      ),
    );
}

function node(one) {
  const broken = list(one.violated).join(", ");
  return el("li", {}, el("div", { class: "top" }, el("strong", {}, text(one.name || one.entity)), el("span", { class: "faint" }, text(one.role)), el("span", { class: "end" }, text(one.state))), broken ? el("p", { class: "says" }, "violates " + broken) : "");
}

function nodes(reply) {
  const all = reply.nodes || {};
  const roles = Object.entries(all.by_role || {}).map(([role, n]) => n + " " + role).join(", ");
  const well = Number(all.total) - list(all.not_well).length;
  const none = "Nothing is seen to be violated on any of them.";
  return section("Nodes", roles, [rows(list(all.not_well), node, none), list(all.not_well).length && well > 0 ? el("p", { class: "left" }, plural(well, "other") + ": nothing seen to be violated") : "", left(reply, "nodes.not_well")], { id: "nodes" });
}

function lately(reply) {
  const draw = (one) => el("li", {}, el("span", { class: "number faint" }, clock(ms(one.at))), el("span", {}, text(one.says)));
  return section("Lately", "last 15 minutes, newest first", [rows(list(reply.events), draw, "Nothing was seen to happen.", { class: "rows timed" }), left(reply, "events")], { id: "lately" });
}

// Draws the reply of `overview`; `where` is the place of the incident that is looked at.
function health(reply, chosen, choose, where) {
  const watcher = reply.watcher || {};
  const noTickets = watcher.alive ? "None." : "None. No watcher looks now, so nothing raises one.";
  const unreadRows = list(reply.unread);
  return el(
    "div",
    { id: "health" },
    verdicts(reply),
    el(
      "div",
      { class: "grid" },
      section("Likely causes", "", [rows(list(reply.causes), cause, "No fault kind fits. That does not mean healthy."), left(reply, "causes")], { id: "causes" }),
      section("Open tickets", "", [rows(list(reply.tickets), ticket(reply, chosen, choose), noTickets), left(reply, "tickets")], { id: "tickets" }),
    ),
    where,
    el(
      "div",
      { class: "grid" },
      el(
        "div",
        { class: "stack" },
        section("Violated", "", [rows(list(reply.violated), violated(reply), "Nothing that can be seen is violated."), left(reply, "violated")], { id: "violated" }),
        nodes(reply),
        lately(reply),
      ),
      el(
        "div",
        { class: "stack" },
        section("Unknown", "not known is not healthy", [rows(list(reply.unknown), unknown, "Nothing.", { class: "rows unseen" }), left(reply, "unknown")], { id: "unknown" }),
        unreadRows.length ? section("Could not be read", "", [rows(unreadRows, unread, "", { class: "rows unseen" }), left(reply, "unread")], { id: "unread" }) : "",
      ),
      el("p", { class: "wide faint" + (watcher.alive ? "" : " warn") }, text(watcher.says)),
    ),
  );
}

// What people call the entities that this reply names.
function namesIn(reply) {
  const named = [...list(reply.causes), ...list(reply.nodes && reply.nodes.not_well)];
  return new Map(named.filter((one) => one.name).map((one) => [one.entity, text(one.name)]));
}

// Draws the list of clusters that a server of several hands out, for one to be chosen.
function clusters(reply, choose) {
  const draw = (one) =>
    el(
      "li",
      {},
      el(
        "button",
        { class: "ticket", type: "button", "data-cluster": text(one.cluster), disabled: !host.canCall, click: () => choose(text(one.cluster)) },
        el("span", { class: "top" }, one.worst ? severity({ severity: one.worst }) : "", el("strong", {}, text(one.cluster)), el("span", { class: "faint" }, text(one.subject)), el("span", { class: "end" }, plural(Number(one.open_tickets) || 0, "open ticket"))),
        el("span", { class: "faint" }, one.watched ? [one.violated, "violated,", one.unknown, "unknown,", one.held, "held when the watcher last looked"].map((part) => part ?? 0).join(" ") : "No watcher looks at it: how it stands is unknown."),
      ),
    );
  return el("div", { class: "grid", id: "clusters" }, section("Clusters", "", [rows(list(reply.of_each), draw, "None."), left(reply, "of_each")], { class: "wide" }));
}

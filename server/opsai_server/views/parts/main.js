// What is shown: the reply that the host hands over, then whatever is asked for by a button.
const page = (() => {
  const places = Object.fromEntries(["standing", "buttons", "said", "main"].map((id) => [id, document.getElementById(id)]));
  const where = el("div", { class: "incident", id: "incident" });
  let cluster = "";
  let several = false;
  let overview = null;
  let given = {}; // the arguments of the call whose result is handed over
  let turn = 0;

  const call = (name, args) => host.call(name, several && cluster ? { ...args, cluster } : args);

  function say(words, failed) {
    places.said.textContent = words;
    places.said.classList.toggle("failed", Boolean(failed));
  }

  // Does one thing at a time: what is asked later wins, and what failed is said.
  async function busy(words, act) {
    const mine = ++turn;
    document.body.setAttribute("aria-busy", "true");
    say(words);
    try {
      await act();
      if (mine === turn) say("");
    } catch (error) {
      if (mine === turn) say("Not read: " + error.message, true);
    }
    if (mine === turn) document.body.removeAttribute("aria-busy");
  }

  function buttons() {
    const button = (id, label, act) => el("button", { id, type: "button", click: act }, label);
    const shown = [
      several && cluster ? button("all", "All clusters", listAll) : null,
      overview === null && cluster ? button("look", "Cluster health", look) : null,
      overview !== null && incident.shown === null ? button("happened", "What happened", () => incident.open(where, {})) : null,
      host.modes.includes("fullscreen") ? button("larger", "Full screen", () => host.request("ui/request-display-mode", { mode: "fullscreen" }).catch(() => say("The host has no full screen."))) : null,
      button("refresh", "Refresh", refresh),
    ].filter((one) => one && (host.canCall || one.id === "larger"));
    redrawn(places.buttons, () => places.buttons.replaceChildren(...shown));
  }

  function drawHealth() {
    const state = standingOf(overview);
    const chosen = incident.shown && incident.shown.ticket ? incident.shown.ticket.id : "";
    standing(places.standing, STANDINGS[state], aboutCluster(overview), state);
    const choose = (ticket) => {
      incident.open(where, { ticket, at: overview.at }).then(buttons);
      for (const one of document.querySelectorAll("[data-ticket]")) one.setAttribute("aria-pressed", String(one.dataset.ticket === ticket.id));
    };
    redrawn(places.main, () => places.main.replaceChildren(health(overview, chosen, choose, where)));
  }

  const look = () =>
    busy("Reading how the cluster stands …", async () => {
      take(await call("overview", {}));
    });

  const listAll = () =>
    busy("Listing the clusters …", async () => {
      take(await host.call("overview", {}));
    });

  const pick = (name) => {
    cluster = name;
    return look();
  };

  async function refresh() {
    const asked = overview !== null;
    if (asked || incident.shown === null) await (several && !cluster ? listAll() : look());
    if (incident.shown !== null) await incident.refresh();
  }

  // Draws a reply: of overview, of timeline, or the list of clusters.
  function take(reply) {
    if (Array.isArray(reply.of_each)) {
      [cluster, several, overview] = ["", true, null];
      incident.close();
      standing(places.standing, plural(reply.of_each.length, "cluster"), text(reply.says));
      places.main.replaceChildren(clusters(reply, pick));
    } else if (reply.summary) {
      const same = overview !== null && overview.cluster === reply.cluster;
      if (!same) where.replaceChildren();
      if (!same) incident.close();
      [cluster, overview] = [text(reply.cluster), reply];
      drawHealth();
    } else if (reply.window && Array.isArray(reply.events)) {
      [cluster, overview] = [text(reply.cluster), null];
      standing(places.standing, "What happened", aboutCluster(reply));
      places.main.replaceChildren(where);
      buttons();
      incident.open(where, { reply, only: given.entity ? { entity: text(given.entity) } : {} }).then(buttons);
      return;
    } else {
      throw new Error("this view does not draw such a reply");
    }
    buttons();
  }

  function handed(result) {
    try {
      say("");
      take(content(result));
    } catch (error) {
      say("Not drawn: " + error.message, true);
    }
  }

  function dressed(context) {
    if (context.theme === "light" || context.theme === "dark") document.documentElement.style.colorScheme = context.theme;
    const variables = (context.styles && context.styles.variables) || {};
    for (const [name, value] of Object.entries(variables)) if (name.startsWith("--") && value) document.documentElement.style.setProperty(name, value);
    const inputs = host.tool.inputSchema && host.tool.inputSchema.properties;
    several = several || Boolean(inputs && inputs.cluster);
  }

  function resizing() {
    let last = "";
    new ResizeObserver(() => {
      const size = { width: Math.ceil(document.documentElement.clientWidth), height: Math.ceil(document.body.getBoundingClientRect().height) };
      if (JSON.stringify(size) === last) return;
      last = JSON.stringify(size);
      host.notify("size-changed", size);
    }).observe(document.body);
    let width = 0;
    new ResizeObserver(() => {
      if (where.clientWidth === width || !where.clientWidth) return;
      width = where.clientWidth;
      incident.redraw();
    }).observe(where);
  }

  async function start() {
    host.on("tool-input", (params) => {
      given = params.arguments || {};
      several = several || Boolean(given.cluster);
    });
    host.on("tool-result", handed);
    host.on("tool-cancelled", () => say("The call was cancelled."));
    host.on("host-context-changed", dressed);
    try {
      dressed(await host.start(document.documentElement.dataset.version));
      if (places.said.textContent.startsWith("Waiting")) say("Waiting for the reply …");
      resizing();
    } catch (error) {
      say("No host of MCP Apps answers: " + error.message, true);
    }
  }

  return { call, busy, start, names: () => (overview === null ? new Map() : namesIn(overview)) };
})();

page.start();

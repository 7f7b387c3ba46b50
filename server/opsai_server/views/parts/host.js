// The host: JSON-RPC over postMessage, as the MCP Apps extension has it (2026-01-26). Nothing else leaves or enters the page.
const host = (() => {
  const ANSWER_MS = 120000;
  const waiting = new Map();
  const told = {};
  let asked = 0;
  let about = { capabilities: {}, context: {} };

  const send = (message) => window.parent.postMessage({ jsonrpc: "2.0", ...message }, "*");

  function request(method, params) {
    const id = ++asked;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => settle(id, null, { message: "the host did not answer" }), ANSWER_MS);
      waiting.set(id, { resolve, reject, timer });
      send({ id, method, params });
    });
  }

  function settle(id, result, error) {
    const one = waiting.get(id);
    if (!one) return;
    waiting.delete(id);
    clearTimeout(one.timer);
    if (error) one.reject(new Error(String(error.message || "the host refused")));
    else one.resolve(result);
  }

  function answer(message) {
    if (message.method === "ping" || message.method === "ui/resource-teardown") send({ id: message.id, result: {} });
    else send({ id: message.id, error: { code: -32601, message: "This view does not know " + message.method } });
  }

  window.addEventListener("message", (event) => {
    const message = event.data;
    if (event.source !== window.parent || !message || message.jsonrpc !== "2.0") return;
    if (message.method === undefined) settle(message.id, message.result, message.error);
    else if (message.id !== undefined) answer(message);
    else if (told[message.method]) told[message.method](message.params || {});
  });

  return {
    on(method, act) {
      told["ui/notifications/" + method] = act;
    },
    notify(method, params) {
      send({ method: "ui/notifications/" + method, params: params || {} });
    },
    request,
    async start(version) {
      const reply = await request("ui/initialize", {
        protocolVersion: "2026-01-26",
        appInfo: { name: "opsai", version },
        appCapabilities: { availableDisplayModes: ["inline", "fullscreen"] },
      });
      about = { capabilities: reply.hostCapabilities || {}, context: reply.hostContext || {} };
      this.notify("initialized");
      return about.context;
    },
    get canCall() {
      return Boolean(about.capabilities.serverTools);
    },
    get modes() {
      return about.context.availableDisplayModes || [];
    },
    get tool() {
      return (about.context.toolInfo && about.context.toolInfo.tool) || {};
    },
    // Returns the structured reply of a tool; throws what the tool says where it refuses.
    async call(name, args) {
      return content(await request("tools/call", { name, arguments: args }));
    },
  };
})();

// The reply inside a tool's result: structured, or the same as text where a host passes on only that.
function content(result) {
  const text = (result.content || []).filter((part) => part.type === "text").map((part) => part.text).join("\n");
  if (result.isError) throw new Error(text || "the tool failed and does not say why");
  if (result.structuredContent) return result.structuredContent;
  try {
    return JSON.parse(text);
  } catch {
    throw new Error("the reply is not what this view can draw");
  }
}

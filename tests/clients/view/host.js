// A host of MCP Apps, built on the official bridge: one sandboxed frame with the view, tool calls passed on to whoever drives it.
import { AppBridge, PostMessageTransport } from "@modelcontextprotocol/ext-apps/app-bridge";

window.openView = async ({ html, theme, tool, args, result, canCall }) => {
  const frame = document.createElement("iframe");
  frame.setAttribute("sandbox", "allow-scripts");
  document.body.replaceChildren(frame);
  const capabilities = { openLinks: {}, ...(canCall ? { serverTools: {} } : {}) };
  const hostContext = { theme, toolInfo: { tool }, displayMode: "inline", availableDisplayModes: ["inline", "fullscreen"] };
  const bridge = new AppBridge(null, { name: "a host of the tests", version: "1" }, capabilities, { hostContext });
  bridge.oncalltool = (params) => window.callTool(params);
  bridge.onrequestdisplaymode = async ({ mode }) => ({ mode });
  bridge.onsizechange = ({ height }) => {
    if (height) frame.style.height = `${height}px`;
  };
  window.bridge = bridge;
  const ready = new Promise((resolve) => {
    bridge.oninitialized = resolve;
  });
  await bridge.connect(new PostMessageTransport(frame.contentWindow, frame.contentWindow));
  frame.srcdoc = html;
  await ready;
  await bridge.sendToolInput({ arguments: args });
  await bridge.sendToolResult(result);
  return { app: bridge.getAppVersion(), capabilities: bridge.getAppCapabilities() };
};

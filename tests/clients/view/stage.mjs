// A real server, its view in a real browser, and the host between them. All that the browser asks the network for is refused and kept.
import { join } from "node:path";

import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import esbuild from "esbuild";
import { chromium } from "playwright-core";

const HOST = "http://host.test/";
const APPS = { "io.modelcontextprotocol/ui": { mimeTypes: ["text/html;profile=mcp-app"] } };

export async function stage({ url, browser: program, folder }) {
  const client = new Client({ name: "a host of the tests", version: "1" }, { capabilities: { extensions: APPS } });
  await client.connect(new StreamableHTTPClientTransport(new URL(url)));
  const { tools } = await client.listTools();
  const bundle = await esbuild.build({ entryPoints: [join(folder, "host.js")], bundle: true, format: "iife", write: false, logLevel: "error" });
  const browser = await chromium.launch({ executablePath: program, args: ["--no-sandbox", "--disable-gpu"] });

  async function open(name, args, { theme = "light", width = 1200, canCall = true, altered = (result) => result, sent = (params) => params } = {}) {
    const tool = tools.find((one) => one.name === name);
    const { contents } = await client.readResource({ uri: tool._meta.ui.resourceUri });
    const page = await browser.newPage({ viewport: { width, height: 900 } });
    const seen = { requests: [], console: [], calls: [], dialogs: 0 };
    await page.route("**/*", async (route) => {
      if (route.request().url() === HOST) return route.fulfill({ contentType: "text/html", body: "<!doctype html><style>body{margin:0}iframe{border:0;width:100%;height:400px;display:block}</style><body></body>" });
      seen.requests.push(route.request().url());
      return route.abort();
    });
    page.on("console", (message) => message.type() === "error" && seen.console.push(message.text()));
    page.on("pageerror", (error) => seen.console.push(String(error)));
    page.on("dialog", (dialog) => {
      seen.dialogs += 1;
      return dialog.dismiss();
    });
    await page.exposeFunction("callTool", async (params) => {
      seen.calls.push(params);
      return altered(await client.callTool(sent(params)));
    });
    await page.goto(HOST);
    await page.evaluate(bundle.outputFiles[0].text);
    const result = altered(await client.callTool({ name, arguments: args }));
    const view = await page.evaluate((given) => window.openView(given), { html: contents[0].text, theme, tool, args, result, canCall });
    return { page, frame: page.frames()[1], seen, view, resource: contents[0], tool, result };
  }

  const close = async () => {
    await browser.close();
    await client.close();
  };
  return { open, close };
}

// Waits until the view has nothing more to read.
export async function settled(frame) {
  await frame.waitForSelector("#main > *");
  await frame.waitForFunction(() => !document.body.hasAttribute("aria-busy"));
}

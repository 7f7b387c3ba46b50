// Drives the view as a person would, and prints as JSON what was seen. Nothing is judged here.
import { writeFileSync } from "node:fs";
import { join } from "node:path";

import { settled, stage } from "./stage.mjs";

const { recording, several, browser, folder, seen } = JSON.parse(process.argv[2]);
const TIME = /^\d{4}-\d\d-\d\dT/;
const HOSTILE = '<img src=x onerror="window.hit=1"><script>window.hit=1</script><a href="javascript:window.hit=1">x</a>';

const texts = (frame, selector) => frame.$$eval(selector, (all) => all.map((one) => one.textContent));
const count = (frame, selector) => frame.$$eval(selector, (all) => all.length);
const paper = (frame) => frame.evaluate(() => getComputedStyle(document.body).backgroundColor);
const overflow = (frame) => frame.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
const names = (view) => view.seen.calls.map((call) => call.name);

// What the view asks for by a name that was poisoned reaches the server as it was.
const healed = (params) => JSON.parse(JSON.stringify(params).replaceAll(JSON.stringify(HOSTILE).slice(1, -1), ""));

// Every text of a result but its times, with what a page must not read as HTML behind it.
function poisoned(value) {
  if (typeof value === "string") return TIME.test(value) ? value : value + HOSTILE;
  if (Array.isArray(value)) return value.map(poisoned);
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, poisoned(one)]));
}

const hostile = (result) => ({ ...result, structuredContent: poisoned(result.structuredContent) });

async function press(view, selector) {
  await view.frame.focus(selector);
  await view.page.keyboard.press("Enter");
  await settled(view.frame);
}

async function picture(view, name) {
  const height = await view.page.$eval("iframe", (frame) => frame.getBoundingClientRect().height);
  await view.page.setViewportSize({ ...view.page.viewportSize(), height: Math.ceil(height) });
  await view.frame.evaluate(() => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve))));
  await view.page.screenshot({ path: join(folder, name) });
}

async function overview(stage) {
  const view = await stage.open("overview", {});
  const { frame } = view;
  await settled(frame);
  const first = {
    reply: view.result.structuredContent,
    app: view.view,
    resource: { mimeType: view.resource.mimeType, meta: view.resource._meta, uri: view.resource.uri },
    standing: await frame.textContent("#standing"),
    keys: await texts(frame, ".key"),
    causes: await texts(frame, "#causes li"),
    violated: await texts(frame, "#violated li"),
    unknown: await texts(frame, "#unknown li"),
    tickets: await texts(frame, "#tickets [data-ticket]"),
    looks: await frame.$$eval(".bar i", (all) => Object.fromEntries(all.map((one) => [one.className, getComputedStyle(one).backgroundImage + getComputedStyle(one).backgroundColor]))),
    calls: names(view),
  };
  await frame.$eval("#causes", (one) => one.remove());
  await press(view, "#refresh");
  const refreshed = { calls: names(view), focused: await frame.evaluate(() => document.activeElement.id), causes: await texts(frame, "#causes li") };
  await press(view, "[data-ticket]");
  const incident = await incidentOf(view);
  await picture(view, "view-light.png");
  const whole = view.seen.calls.findIndex((call) => call.name === "timeline");
  const before = view.seen.calls.length;
  await press(view, "#incident button:has-text('Zoom in')");
  const zoomed = { whole: view.seen.calls[whole].arguments, narrower: view.seen.calls[before].arguments, focused: await frame.evaluate(() => document.activeElement.textContent), span: await frame.textContent("#span"), charts: await count(frame, "#charts figure") };
  return { first, refreshed, incident, zoomed, overflow: await overflow(frame), ...view.seen };
}

async function incidentOf({ frame }) {
  return {
    lanes: await texts(frame, ".lanes .lane"),
    symptoms: await count(frame, ".lanes .symptom"),
    marks: await count(frame, ".lanes .event, .lanes .step"),
    hatched: await count(frame, ".lanes [fill='url(#hatch)']"),
    listed: await texts(frame, ".events li"),
    charts: await frame.$$eval("#charts figure", (all) => all.map((one) => ({ metric: one.dataset.metric, lines: [...one.querySelectorAll(".plot")].map((line) => line.getAttribute("d").length) }))),
  };
}

async function dark(stage) {
  const view = await stage.open("overview", {}, { theme: "dark", width: 400 });
  await settled(view.frame);
  await press(view, "[data-ticket]");
  const seen = { paper: await paper(view.frame), overflow: await overflow(view.frame) };
  await picture(view, "view-dark.png");
  await view.page.evaluate(() => window.bridge.setHostContext({ ...window.bridge._hostContext, theme: "light" }));
  await view.frame.waitForFunction(() => document.documentElement.style.colorScheme === "light");
  return { ...seen, then: await paper(view.frame), ...view.seen };
}

async function inert(stage) {
  const view = await stage.open("overview", {}, { altered: hostile, sent: healed });
  await settled(view.frame);
  await press(view, "[data-ticket]");
  return {
    hit: await view.frame.evaluate(() => window.hit === 1),
    shown: (await view.frame.textContent("body")).split(HOSTILE).length - 1,
    made: await count(view.frame, "img, a, iframe, main script, main style"),
    charts: await count(view.frame, "#charts figure"),
    ...view.seen,
  };
}

async function timeline(stage) {
  const handed = await stage.open("timeline", { minutes: 5 });
  await settled(handed.frame);
  const silent = await stage.open("timeline", { minutes: 5 }, { canCall: false });
  await settled(silent.frame);
  return {
    reply: handed.result.structuredContent,
    handed: { ...(await incidentOf(handed)), ...handed.seen },
    silent: { ...(await incidentOf(silent)), buttons: await silent.frame.$$eval("button:not(:disabled)", (all) => all.map((one) => one.textContent)), ...silent.seen },
  };
}

async function choosing(stage) {
  const view = await stage.open("overview", {});
  await settled(view.frame);
  const listed = await texts(view.frame, "[data-cluster] strong");
  await press(view, "[data-cluster=west]");
  const standing = await view.frame.textContent("#standing");
  await press(view, "#happened");
  await press(view, "#incident button:has-text('Rank unusual metrics')");
  await press(view, "#all");
  return { listed, standing, again: await texts(view.frame, "[data-cluster] strong"), ...view.seen };
}

async function refused(stage) {
  const wrong = { isError: true, content: [{ type: "text", text: "the engine is gone " + HOSTILE }] };
  let gone = false;
  const view = await stage.open("timeline", { cluster: "east", entity: "b" }, { altered: (result) => (gone ? wrong : result) });
  await settled(view.frame);
  const before = await view.frame.textContent("#incident");
  gone = true;
  await press(view, "#refresh");
  const [said, failed] = [await view.frame.textContent("#said"), await count(view.frame, "#said.failed")];
  return { said, failed, kept: before === (await view.frame.textContent("#incident")), ...view.seen };
}

async function within(url, acts) {
  const one = await stage({ url, browser, folder });
  try {
    return await acts(one);
  } finally {
    await one.close();
  }
}

const one = await within(recording, async (stage) => ({
  overview: await overview(stage),
  dark: await dark(stage),
  inert: await inert(stage),
  timeline: await timeline(stage),
}));
const many = await within(several, async (stage) => ({ choosing: await choosing(stage), refused: await refused(stage) }));
writeFileSync(seen, JSON.stringify({ ...one, ...many }));

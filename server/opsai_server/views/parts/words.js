// Elements and words. All text goes in as text: nothing that the cluster says is ever read as HTML.
const SVG = "http://www.w3.org/2000/svg";

function dress(made, attributes, children) {
  for (const [name, value] of Object.entries(attributes || {})) {
    if (value === null || value === undefined || value === false) continue;
    if (typeof value === "function") made.addEventListener(name, value);
    else made.setAttribute(name, value === true ? "" : String(value));
  }
  for (const child of children.flat(3)) {
    if (child !== null && child !== undefined && child !== "" && child !== false) made.append(child instanceof Node ? child : String(child));
  }
  return made;
}

const el = (tag, attributes, ...children) => dress(document.createElement(tag), attributes, children);
const svg = (tag, attributes, ...children) => dress(document.createElementNS(SVG, tag), attributes, children);
const list = (value) => (Array.isArray(value) ? value : []);
const text = (value) => (value === null || value === undefined ? "" : String(value));
const plural = (count, one, many) => count + " " + (count === 1 ? one : many || one + "s");

// Cuts to what fits; whoever shows it has the whole text in a title.
const short = (value, most) => (text(value).length > most ? text(value).slice(0, most - 1) + "…" : text(value));

const ms = (at) => Date.parse(at);
const iso = (at) => new Date(at).toISOString();
const clock = (at) => iso(at).slice(11, 19);
const minute = (at) => iso(at).slice(11, 16);
const day = (at) => iso(at).slice(0, 10);

function lasting(milliseconds) {
  const seconds = Math.max(0, Math.round(milliseconds / 1000));
  if (seconds < 120) return seconds + " s";
  if (seconds < 7200) return Math.round(seconds / 60) + " min";
  return seconds < 172800 ? Math.round(seconds / 3600) + " h" : Math.round(seconds / 86400) + " days";
}

function since(at, now) {
  return at ? el("span", { class: "number", title: text(at) }, "since " + clock(at) + ", " + lasting(ms(now) - ms(at))) : "";
}

function scaled(value, base, units, unit) {
  let power = 0;
  while (Math.abs(value) >= base && power < units.length - 1) {
    value /= base;
    power += 1;
  }
  return trimmed(value) + units[power] + unit;
}

const trimmed = (value) => String(Number(value.toPrecision(3)));

// A value with its unit, short enough for an axis.
function measured(value, unit) {
  if (!Number.isFinite(value)) return text(value);
  if (unit === "bytes" || unit === "bytes/s") return scaled(value, 1024, [" B", " KiB", " MiB", " GiB", " TiB"], unit === "bytes" ? "" : "/s");
  if (unit === "s") return value !== 0 && Math.abs(value) < 1 ? trimmed(value * 1000) + " ms" : trimmed(value) + " s";
  const shown = Math.abs(value) >= 10000 ? scaled(value, 1000, ["", " k", " M", " G", " T"], "") : trimmed(value);
  return unit && !["count", "0/1", "ratio"].includes(unit) ? shown + " " + unit : shown;
}

// Changes what a place holds, and puts the keyboard back on what stands where it was.
function redrawn(place, change) {
  const key = (one) => one.id || one.dataset.ticket || one.dataset.cluster || one.tagName + one.className + one.textContent;
  const active = place.contains(document.activeElement) ? key(document.activeElement) : "";
  change();
  const again = active && [...place.querySelectorAll("button, [tabindex]")].find((one) => key(one) === active);
  if (again) again.focus({ preventScroll: true });
}

function section(title, count, body, attributes) {
  return el("section", attributes, el("h2", {}, title, count === "" ? "" : el("span", { class: "count" }, count)), body);
}

// How much of a list is shown, where that is not all; how a model would ask for the rest is in the title.
function left(reply, place) {
  const note = text(reply.shown && reply.shown[place]);
  return note ? el("p", { class: "left", title: note }, note.split(";", 1)[0] + " shown") : "";
}

"use strict";
// Nodes stand by depth; node 0 is the root. Every text comes from data and is only ever drawn
// or set as textContent. `#search=TEXT&zoom=NAME` behind the address begin with that.
const data = JSON.parse(document.getElementById("data").textContent);
const ROW = 18, LEAST_PX = 0.4, PER_LETTER = 6.6;
const HUES = { user: [205, 62, 74], kernel: [38, 86, 68], hypervisor: [288, 45, 74] };
const count = data.code.length, isDiff = data.own.length === 2;
const firstChild = new Int32Array(count + 1), parent = new Int32Array(count), depth = new Int32Array(count);
let next = 1;
for (let node = 0; node < count; node++) {
  firstChild[node] = next;
  for (let left = data.children[node]; left > 0; left--, next++) {
    parent[next] = node;
    depth[next] = depth[node] + 1;
  }
}
firstChild[count] = next;
const totals = data.own.map((own) => {
  const total = Float64Array.from(own);
  for (let node = count - 1; node > 0; node--) total[parent[node]] += total[node];
  return total;
});
const deepest = depth[count - 1];
const $ = (id) => document.getElementById(id);
const view = $("view"), canvas = $("graph"), context = canvas.getContext("2d");
const state = { focus: 0, cursor: 0, hover: -1, matches: null, rootOnTop: false, widths: totals.length - 1 };
let begin = null;

function layOut() {
  const total = totals[state.widths];
  begin = new Float64Array(count);
  for (let node = 0; node < count; node++) {
    let at = begin[node];
    for (let child = firstChild[node]; child < firstChild[node + 1]; child++) {
      begin[child] = at;
      at += total[child];
    }
  }
}

const nameOf = (node) => (node === 0 ? "all" : data.names[data.code[node]]);
const kindOf = (node) => (node === 0 ? "all" : data.kinds[data.kindOf[data.code[node]]]);

function share(node, column) {
  const all = totals[column][0];
  return all ? totals[column][node] / all : 0;
}

function colour(node) {
  const kind = kindOf(node);
  if (state.matches && node && state.matches[data.code[node]]) return ["#e6007e", "#fff"];
  if (kind === "all") return ["#e8eaed", "#1b1f23"];
  if (isDiff && kind !== "domain") {
    if (data.noise[node]) return ["#dcdcdc", "#1b1f23"];
    const before = share(node, 0), after = share(node, 1);
    const strength = Math.min(1, Math.abs(after - before) / Math.max(after, before));
    const light = 82 - 34 * strength;
    return [`hsl(${after > before ? 4 : 215} 78% ${light}%)`, light < 58 ? "#fff" : "#1b1f23"];
  }
  if (kind === "domain") return ["#37474f", "#fff"];
  const [hue, saturation, light] = HUES[kind];
  return [`hsl(${hue} ${saturation}% ${light - 5 + (data.code[node] * 7) % 11}%)`, "#1b1f23"];
}

function scale() {
  const total = totals[state.widths], width = view.clientWidth;
  const shown = total[state.focus];
  return { width, from: begin[state.focus], per: shown ? width / shown : 0 };
}

const rowTop = (level) => (state.rootOnTop ? level : deepest - level) * ROW - view.scrollTop;

// Nodes to draw: the focus with its descendants, and its ancestors over the whole width.
function* visible() {
  const { width, from, per } = scale(), total = totals[state.widths];
  for (let node = state.focus; node > 0; ) {
    node = parent[node];
    yield [node, 0, width];
  }
  let nodes = [state.focus];
  while (nodes.length) {
    const below = [];
    for (const node of nodes) {
      const wide = total[node] * per;
      if (wide < LEAST_PX && node !== state.focus) continue;
      yield [node, (begin[node] - from) * per, node === state.focus ? width : wide];
      for (let child = firstChild[node]; child < firstChild[node + 1]; child++) below.push(child);
    }
    nodes = below;
  }
}

function draw() {
  const ratio = window.devicePixelRatio || 1, width = view.clientWidth, height = view.clientHeight;
  canvas.style.width = `${width}px`;
  canvas.style.height = `${height}px`;
  canvas.width = Math.round(width * ratio);
  canvas.height = Math.round(height * ratio);
  canvas.style.marginBottom = `${Math.max(0, (deepest + 1) * ROW - height)}px`;
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, width, height);
  context.textBaseline = "middle";
  for (const [node, left, wide] of visible()) {
    const top = rowTop(depth[node]);
    if (top + ROW < 0 || top > height) continue;
    const [fill, ink] = colour(node);
    context.globalAlpha = depth[node] < depth[state.focus] ? 0.55 : 1;
    context.fillStyle = fill;
    context.fillRect(left, top, Math.max(wide - (wide > 3 ? 0.8 : 0), 0.3), ROW - 1);
    if (node === state.cursor && document.activeElement === view) {
      context.strokeStyle = "#000";
      context.lineWidth = 2;
      context.strokeRect(left + 1, top + 1, Math.max(wide - 3, 1), ROW - 3);
    }
    const letters = Math.floor((wide - 6) / PER_LETTER);
    if (letters < 3) continue;
    const name = nameOf(node);
    context.font = `${kindOf(node) === "domain" ? "bold " : ""}11px ui-monospace, monospace`;
    context.fillStyle = ink;
    context.fillText(name.length > letters ? `${name.slice(0, letters - 1)}…` : name, left + 3, top + ROW / 2);
  }
  context.globalAlpha = 1;
}

function percent(value) {
  return `${(100 * value).toFixed(2)} %`;
}

function describe(node) {
  const total = totals[totals.length - 1];
  const parts = [nameOf(node)];
  if (node) parts.push(`${kindOf(node)}${data.images[data.code[node]] ? `, ${data.images[data.code[node]]}` : ""}`);
  parts.push(`${total[node].toLocaleString("en")} samples, ${percent(share(node, totals.length - 1))}`);
  if (isDiff) {
    const change = 100 * (share(node, 1) - share(node, 0));
    const verdict = node === 0 ? "" : data.noise[node] ? " (noise)" : "";
    parts.push(`before: ${totals[0][node].toLocaleString("en")} samples, ${percent(share(node, 0))}`);
    parts.push(`${change >= 0 ? "+" : ""}${change.toFixed(2)} percentage points${verdict}`);
  }
  return parts;
}

function status() {
  const parts = [];
  if (state.matches) {
    const total = totals[state.widths];
    let found = 0;
    const inside = new Uint8Array(count);
    for (let node = 1; node < count; node++) {
      inside[node] = inside[parent[node]];
      if (!inside[node] && state.matches[data.code[node]]) {
        inside[node] = 1;
        found += total[node];
      }
    }
    parts.push(`matched: ${percent(total[0] ? found / total[0] : 0)}`);
  }
  if (state.focus) parts.push(`zoomed into ${nameOf(state.focus)}`);
  const node = state.hover >= 0 ? state.hover : state.cursor;
  parts.push(describe(node).join(" · "));
  $("status").textContent = parts.join("   |   ");
}

function refresh() {
  draw();
  status();
}

function nodeAt(x, y) {
  const { from, per } = scale(), total = totals[state.widths];
  const row = Math.floor((y + view.scrollTop) / ROW);
  const level = state.rootOnTop ? row : deepest - row;
  if (level < 0 || level > deepest) return -1;
  if (level <= depth[state.focus]) {
    let node = state.focus;
    while (depth[node] > level) node = parent[node];
    return node;
  }
  const place = from + x / (per || 1);
  let node = state.focus;
  while (depth[node] < level) {
    let low = firstChild[node], high = firstChild[node + 1] - 1;
    if (low > high) return -1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (begin[middle] <= place) low = middle;
      else high = middle - 1;
    }
    if (place >= begin[low] + total[low]) return -1;
    node = low;
  }
  return node;
}

function zoom(node) {
  if (node < 0) return;
  state.focus = node;
  state.cursor = node;
  refresh();
}

function matcher(text) {
  if (!text) return null;
  if (text.length > 2 && text.startsWith("/") && text.endsWith("/")) {
    try {
      const pattern = new RegExp(text.slice(1, -1), "i");
      return (name) => pattern.test(name);
    } catch {
      return () => false;
    }
  }
  const wanted = text.toLowerCase();
  return (name) => name.toLowerCase().includes(wanted);
}

function search() {
  const matches = matcher($("search").value);
  state.matches = matches && data.names.map((name) => matches(name));
  refresh();
}

function move(key) {
  const node = state.cursor;
  const toLeaf = state.rootOnTop ? "ArrowDown" : "ArrowUp";
  const toRoot = state.rootOnTop ? "ArrowUp" : "ArrowDown";
  if (key === toLeaf && firstChild[node] < firstChild[node + 1]) state.cursor = widest(node);
  else if (key === toRoot && node) state.cursor = parent[node];
  else if (key === "ArrowLeft" && node && node > firstChild[parent[node]]) state.cursor = node - 1;
  else if (key === "ArrowRight" && node && node + 1 < firstChild[parent[node] + 1]) state.cursor = node + 1;
  const at = (state.rootOnTop ? depth[state.cursor] : deepest - depth[state.cursor]) * ROW;
  if (at < view.scrollTop) view.scrollTop = at;
  if (at + ROW > view.scrollTop + view.clientHeight) view.scrollTop = at + ROW - view.clientHeight;
  refresh();
}

function widest(node) {
  const total = totals[state.widths];
  let best = firstChild[node];
  for (let child = best; child < firstChild[node + 1]; child++) if (total[child] > total[best]) best = child;
  return best;
}

function toggle(button, change) {
  $(button).addEventListener("click", () => {
    $(button).setAttribute("aria-pressed", String(change()));
    layOut();
    refresh();
  });
}

function legend() {
  const entries = isDiff
    ? [["more", "hsl(4 78% 60%)"], ["less", "hsl(215 78% 60%)"], ["noise", "#dcdcdc"], ["domain", "#37474f"]]
    : data.kinds
        .filter((kind, index) => data.kindOf.includes(index))
        .map((kind) => [kind, HUES[kind] ? `hsl(${HUES[kind][0]} ${HUES[kind][1]}% ${HUES[kind][2]}%)` : "#37474f"]);
  for (const [text, fill] of entries) {
    const span = document.createElement("span");
    span.textContent = text;
    span.style.background = fill;
    if (text === "domain") span.style.color = "#fff";
    $("legend").append(span);
  }
}

function start() {
  document.title = `${data.title || "flame graph"}`;
  $("title").textContent = data.title || "flame graph";
  const small = document.createElement("small");
  const total = totals[totals.length - 1][0].toLocaleString("en");
  small.textContent = `${data.event}, ${total} samples` + (isDiff ? `; before: ${data.baseTitle}` : "");
  $("title").append(small);
  for (const note of data.notes) {
    const line = document.createElement("small");
    line.textContent = note;
    $("title").append(line);
  }
  legend();
  $("swap").hidden = !isDiff;
  layOut();
  refresh();
  view.scrollTop = state.rootOnTop ? 0 : (deepest + 1) * ROW;
  view.addEventListener("scroll", draw);
  window.addEventListener("resize", refresh);
  canvas.addEventListener("click", (event) => zoom(nodeAt(event.offsetX, event.offsetY)));
  canvas.addEventListener("mousemove", (event) => {
    state.hover = nodeAt(event.offsetX, event.offsetY);
    const tip = $("tip");
    tip.style.display = state.hover < 0 ? "none" : "block";
    if (state.hover >= 0) tip.textContent = describe(state.hover).join("\n");
    tip.style.left = `${Math.min(event.clientX + 12, window.innerWidth - tip.offsetWidth - 8)}px`;
    const above = event.clientY - tip.offsetHeight - 10;
    tip.style.top = `${above > 0 ? above : event.clientY + 16}px`;
    status();
  });
  canvas.addEventListener("mouseleave", () => {
    state.hover = -1;
    $("tip").style.display = "none";
    status();
  });
  view.addEventListener("focus", refresh);
  view.addEventListener("blur", refresh);
  view.addEventListener("keydown", (event) => {
    if (event.key === "Enter") zoom(state.cursor);
    else if (event.key.startsWith("Arrow")) move(event.key);
    else return;
    event.preventDefault();
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") zoom(0);
    if (event.key === "/" && document.activeElement !== $("search")) {
      $("search").focus();
      event.preventDefault();
    }
  });
  $("search").addEventListener("input", search);
  $("reset").addEventListener("click", () => zoom(0));
  toggle("flip", () => (state.rootOnTop = !state.rootOnTop));
  const asked = new URLSearchParams(location.hash.slice(1));
  if (asked.has("search")) {
    $("search").value = asked.get("search");
    search();
  }
  if (asked.has("zoom")) zoom(Math.max(0, data.code.findIndex((_, node) => nameOf(node) === asked.get("zoom"))));
  toggle("swap", () => (state.widths = 1 - state.widths) === 0);
}

start();

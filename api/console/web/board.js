// The operations board: one GET for the first state, then server-sent events; drawn on one canvas.
// ?t=<epoch seconds>&paused=1 stands still at an instant: no stream, no animation (for tests and pictures).

const $ = (id) => document.getElementById(id);
const query = new URLSearchParams(location.search);
const paused = query.get("paused") === "1";
const still = paused || matchMedia("(prefers-reduced-motion: reduce)").matches;
const SOON_S = 300;
const MOST_ROWS = 150;
const SILENT_MS = 40000;
const POINTS = ["stores", "riders", "orders"];
const TABLES = [...POINTS, "heat"];
const WORDS = { working: "at work", idle: "idle", on_break: "on a break", lost: "not heard of" };

const state = { stores: new Map(), riders: new Map(), orders: new Map(), heat: new Map(), counts: {}, ladder: "search", cursor: null };
const clock = { server: 0, local: 0 };
let streets = null; // Path2D in metres
let selected = null; // {table, id}
let rowsAreOld = false;

// --- time ----------------------------------------------------------------------------------------------------------

const seconds = (text) => (text ? Date.parse(text) / 1000 : null);

function now() {
  if (query.has("t")) return Number(query.get("t")) + (paused ? 0 : performance.now() / 1000);
  return paused ? clock.server : clock.server + (performance.now() - clock.local) / 1000;
}

const timeOfDay = (at, withSeconds) =>
  new Date(at * 1000).toLocaleTimeString([], { hourCycle: "h23", hour: "2-digit", minute: "2-digit", ...(withSeconds && { second: "2-digit" }) });

// --- state ---------------------------------------------------------------------------------------------------------

function take(message) {
  for (const table of TABLES) {
    for (const id of message.gone?.[table] ?? []) state[table].delete(id);
    for (const member of message[table]) {
      const before = state[table].get(member.id);
      if (table === "riders") member.shown = before?.shown ?? project(member);
      state[table].set(member.id, member);
    }
  }
  state.counts = message.counts;
  state.ladder = message.ladder;
  [clock.server, clock.local] = [seconds(message.at), performance.now()];
  if (selected && !state[selected.table].has(selected.id)) selected = null;
  rowsAreOld = true;
  wake();
}

function takeAll(message) {
  for (const table of TABLES) {
    const ids = new Set(message[table].map((member) => member.id));
    for (const id of state[table].keys()) if (!ids.has(id)) state[table].delete(id);
  }
  if (origin === null) place(message);
  take(message);
}

const slack = (order) => seconds(order.due_at) - Math.max(now(), seconds(order.expected_dropoff_at) ?? 0);
const urgency = (left) => (left < 0 ? "late" : left < SOON_S ? "soon" : "calm");

// --- the map -------------------------------------------------------------------------------------------------------

const canvas = $("map");
const pen = canvas.getContext("2d");
const ground = document.createElement("canvas");
let origin = null; // {lat, lng, shrink}: metres are counted from here
const view = { x: 0, y: 0, scale: 0.05, moved: false }; // centre in metres, pixels for a metre
let colour = {};
let groundIsOld = true;

function place(message) {
  const points = [...message.stores, ...message.riders, ...message.orders];
  const lat = points.length ? points.reduce((sum, point) => sum + point.lat, 0) / points.length : 0;
  const lng = points.length ? points.reduce((sum, point) => sum + point.lng, 0) / points.length : 0;
  origin = { lat, lng, shrink: Math.cos((lat * Math.PI) / 180) };
}

const project = ({ lat, lng }) => ({ x: (lng - origin.lng) * 111195 * origin.shrink, y: (origin.lat - lat) * 111195 });
const onScreen = ({ x, y }) => ({ x: (x - view.x) * view.scale + size.w / 2, y: (y - view.y) * view.scale + size.h / 2 });
const size = { w: 0, h: 0, ratio: 1 };

function fit() {
  const points = POINTS.flatMap((table) => [...state[table].values()].map(project));
  if (!points.length || !size.w) return;
  const [xs, ys] = [points.map((point) => point.x), points.map((point) => point.y)];
  const [left, right, top, bottom] = [Math.min(...xs), Math.max(...xs), Math.min(...ys), Math.max(...ys)];
  [view.x, view.y] = [(left + right) / 2, (top + bottom) / 2];
  view.scale = Math.min((size.w - 70) / Math.max(right - left, 400), (size.h - 120) / Math.max(bottom - top, 400));
  view.y += 20 / view.scale; // the legend covers the lower edge
  view.moved = false;
  groundIsOld = true;
}

function measure() {
  const box = canvas.getBoundingClientRect();
  [size.w, size.h, size.ratio] = [box.width, box.height, devicePixelRatio || 1];
  for (const layer of [canvas, ground]) [layer.width, layer.height] = [box.width * size.ratio, box.height * size.ratio];
  const style = getComputedStyle(document.documentElement);
  for (const name of ["paper", "ground", "street", "street-edge", "grid", "ink", "muted", "accent", "calm", "soon", "late"])
    colour[name] = style.getPropertyValue(`--${name}`).trim();
  if (!view.moved) fit();
  groundIsOld = true;
  wake();
}

function drawGround() {
  const under = ground.getContext("2d");
  under.setTransform(1, 0, 0, 1, 0, 0);
  under.fillStyle = colour.ground;
  under.fillRect(0, 0, ground.width, ground.height);
  const scale = view.scale * size.ratio;
  const [dx, dy] = [(size.w / 2) * size.ratio - view.x * scale, (size.h / 2) * size.ratio - view.y * scale];
  under.setTransform(scale, 0, 0, scale, dx, dy);
  if (streets) {
    under.lineCap = under.lineJoin = "round";
    for (const [name, wide] of [["street-edge", 3.4], ["street", 2]]) {
      under.strokeStyle = colour[name];
      under.lineWidth = (wide * Math.min(1.6, Math.max(0.35, view.scale * 9))) / view.scale;
      under.stroke(streets);
    }
  } else drawGrid(under);
  groundIsOld = false;
}

function drawGrid(under) {
  const step = [100, 250, 500, 1000, 2500, 5000, 10000, 50000].find((metres) => metres * view.scale >= 44) ?? 100000;
  const [halfW, halfH] = [size.w / 2 / view.scale, size.h / 2 / view.scale];
  under.strokeStyle = colour.grid;
  under.lineWidth = 1 / view.scale;
  under.beginPath();
  for (let x = Math.ceil((view.x - halfW) / step) * step; x <= view.x + halfW; x += step) {
    under.moveTo(x, view.y - halfH);
    under.lineTo(x, view.y + halfH);
  }
  for (let y = Math.ceil((view.y - halfH) / step) * step; y <= view.y + halfH; y += step) {
    under.moveTo(view.x - halfW, y);
    under.lineTo(view.x + halfW, y);
  }
  under.stroke();
}

function disc(at, radius, fill, line, wide = 2) {
  pen.beginPath();
  pen.arc(at.x, at.y, radius, 0, 2 * Math.PI);
  if (fill) { pen.fillStyle = fill; pen.fill(); }
  if (line) { pen.strokeStyle = line; pen.lineWidth = wide; pen.stroke(); }
}

const isSelected = (table, id) => selected?.table === table && selected.id === id;
const isWaiting = (order) => ["created", "confirmed", "enroute_to_pickup", "arrived_at_pickup"].includes(order.state);
const riderOf = () => (selected?.table === "riders" ? selected.id : state.orders.get(selected?.id)?.rider);

function drawRoute(rider, strong) {
  if (!rider.stops.length) return;
  pen.beginPath();
  const start = onScreen(rider.shown);
  pen.moveTo(start.x, start.y);
  for (const stop of rider.stops) {
    const at = onScreen(project(stop));
    pen.lineTo(at.x, at.y);
  }
  pen.globalAlpha = strong ? 1 : 0.28;
  pen.strokeStyle = colour.accent;
  pen.lineWidth = strong ? 2.5 : 1.3;
  pen.stroke();
  pen.globalAlpha = 1;
}

function drawStore(store, waiting) {
  const { x, y } = onScreen(project(store));
  pen.beginPath();
  pen.roundRect(x - 5.5, y - 5.5, 11, 11, 3);
  pen.fillStyle = colour.paper;
  pen.fill();
  pen.lineWidth = isSelected("stores", store.id) ? 3 : 2;
  pen.strokeStyle = store.open ? colour.ink : colour.muted;
  pen.stroke();
  if (!store.open) { pen.moveTo(x - 5, y + 5); pen.lineTo(x + 5, y - 5); pen.stroke(); }
  if (waiting) return () => label(String(waiting), x + 10, y - 7);
  return () => {};
}

function label(text, x, y) {
  pen.font = "600 11px ui-sans-serif, system-ui, sans-serif";
  pen.textBaseline = "middle";
  pen.lineWidth = 3;
  pen.strokeStyle = colour.ground;
  pen.strokeText(text, x, y);
  pen.fillStyle = colour.ink;
  pen.fillText(text, x, y);
}

/** Demand by cell: the more open orders its counters have, against those of the busiest, the warmer. */
function drawHeat(cell, most) {
  pen.beginPath();
  for (const corner of cell.corners) { const { x, y } = onScreen(project(corner)); pen.lineTo(x, y); }
  pen.closePath();
  pen.globalAlpha = 0.05 + 0.3 * cell.orders / Math.max(most, 5);
  pen.fillStyle = colour.soon;
  pen.fill();
  pen.globalAlpha = 1;
}

function drawOrder(order) {
  const at = onScreen(project(order));
  const kind = urgency(slack(order));
  if (kind === "late") disc(at, 8, null, colour.late, 1.2);
  disc(at, isSelected("orders", order.id) ? 6 : 4, isWaiting(order) ? colour.ground : colour[kind], colour[kind]);
}

function drawRider(rider) {
  const at = onScreen(rider.shown);
  const inTrouble = rider.doing === "lost" || rider.doing === "parked";
  const tone = inTrouble ? colour.late : rider.doing === "on_break" ? colour.muted : colour.accent;
  disc(at, isSelected("riders", rider.id) ? 7.5 : 5.5, rider.doing === "working" ? tone : colour.paper, null);
  disc(at, isSelected("riders", rider.id) ? 7.5 : 5.5, null, rider.doing === "working" ? colour.paper : tone, 1.8);
  if (inTrouble) label("?", at.x + 9, at.y);
}

/** Draws everything; true while riders are still gliding to where they were last seen. */
function draw() {
  if (groundIsOld) drawGround();
  pen.setTransform(1, 0, 0, 1, 0, 0);
  pen.drawImage(ground, 0, 0);
  pen.setTransform(size.ratio, 0, 0, size.ratio, 0, 0);
  let gliding = false;
  for (const rider of state.riders.values()) {
    const aim = project(rider);
    const [dx, dy] = [aim.x - rider.shown.x, aim.y - rider.shown.y];
    const jump = still || Math.hypot(dx, dy) * view.scale < 0.3 || Math.hypot(dx, dy) > 3000;
    rider.shown = jump ? aim : { x: rider.shown.x + dx * 0.12, y: rider.shown.y + dy * 0.12 };
    gliding ||= !jump;
  }
  const most = Math.max(0, ...[...state.heat.values()].map((cell) => cell.orders));
  for (const cell of state.heat.values()) drawHeat(cell, most);
  const chosen = riderOf();
  for (const rider of state.riders.values()) if (rider.id !== chosen) drawRoute(rider, false);
  if (state.riders.has(chosen)) drawRoute(state.riders.get(chosen), true);
  const waiting = new Map();
  const orders = [...state.orders.values()].sort((one, other) => slack(other) - slack(one));
  for (const order of orders) {
    if (isWaiting(order)) waiting.set(order.store, (waiting.get(order.store) ?? 0) + 1);
    drawOrder(order);
  }
  const counts = [...state.stores.values()].map((store) => drawStore(store, waiting.get(store.id)));
  for (const rider of state.riders.values()) drawRider(rider);
  for (const write of counts) write(); // nobody stands on a number
  return gliding;
}

// --- words beside the map ------------------------------------------------------------------------------------------

const plain = (word) => word.replaceAll("_", " ");
const minutes = (left) =>
  left < 0 ? `${Math.max(1, Math.floor(-left / 60))} min late` : left < 60 ? "< 1 min" : `${Math.floor(left / 60)} min`;

function whose(order) {
  if (order.rider) return `${order.store} → ${order.rider}`;
  if (order.reason === "kept" && seconds(order.kept_until) > now()) return `${order.store} · kept until ${timeOfDay(seconds(order.kept_until))}`;
  return order.reason ? `${order.store} · ${plain(order.reason)}` : order.store;
}

function element(name, text, attributes = {}) {
  const made = document.createElement(name);
  if (text !== undefined) made.textContent = text;
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  return made;
}

function writeRows() {
  rowsAreOld = false;
  const orders = [...state.orders.values()].map((order) => [slack(order), order]).sort((one, other) => one[0] - other[0]);
  const rows = orders.slice(0, MOST_ROWS).map(([left, order]) => {
    const row = element("button", undefined, { type: "button", class: "row", "data-urgency": urgency(left), "data-id": order.id });
    row.setAttribute("aria-pressed", isSelected("orders", order.id));
    const [above, below] = [element("div"), element("div")];
    above.append(element("b", order.id), element("em", minutes(left)));
    below.append(element("span", whose(order)), element("span", plain(order.state) + (order.ready && isWaiting(order) ? " · ready" : "")));
    row.append(element("i"), above, below);
    const item = element("li");
    item.append(row);
    return item;
  });
  const focused = document.activeElement?.dataset?.id;
  $("orders").replaceChildren(...rows);
  if (focused) [...$("orders").querySelectorAll(".row")].find((row) => row.dataset.id === focused)?.focus();
  $("more").textContent = orders.length > MOST_ROWS ? `the ${MOST_ROWS} most urgent of ${orders.length}` : "";
  $("calm").hidden = orders.length > 0;
}

function writeCounts() {
  for (const name of ["open", "late", "waiting", "working", "idle"]) $(`count-${name}`).textContent = state.counts[name] ?? "–";
  $("count-late").classList.toggle("alarm", state.counts.late > 0);
  $("ladder").textContent = state.ladder;
  $("ladder").dataset.step = state.ladder;
  $("clock").textContent = timeOfDay(now(), true);
  const { open = 0, late = 0 } = state.counts;
  canvas.setAttribute("aria-label", `Map: ${state.stores.size} stores, ${state.riders.size} riders, ${open} open orders, ${late} late`);
}

function facts() {
  const { table, id } = selected;
  const member = state[table].get(id);
  if (table === "orders") {
    const expected = seconds(member.expected_dropoff_at);
    return [["state", plain(member.state)], ["store", member.store], ["rider", member.rider ?? plain(member.reason ?? "none yet")],
      ["promised", timeOfDay(seconds(member.due_at))], ["expected", expected ? timeOfDay(expected) : "not yet known"]];
  }
  if (table === "riders")
    return [["is", WORDS[member.doing] ?? member.doing], ["on board", member.on_board], ["stops ahead", member.stops.length]];
  return [["is", member.open ? "open" : "closed"], ["slower by", member.delay_s ? minutes(member.delay_s) : "no"]];
}

function writeCard() {
  $("card").hidden = !selected;
  if (!selected) return;
  const list = element("dl");
  for (const [name, value] of facts()) list.append(element("dt", name), element("dd", value));
  $("card").replaceChildren(element("h3", selected.id), list);
}

// --- one loop, asleep while nothing happens -------------------------------------------------------------------------

let awake = false;
function wake() {
  if (awake || origin === null) return;
  awake = true;
  requestAnimationFrame(() => {
    awake = false;
    const gliding = draw();
    if (rowsAreOld) { writeRows(); writeCounts(); writeCard(); }
    window.ready = true;
    if (gliding) wake();
  });
}

// --- hands -----------------------------------------------------------------------------------------------------------

function choose(choice) {
  selected = choice;
  rowsAreOld = true;
  wake();
}

function nearest(x, y) {
  let [best, found] = [14, null];
  for (const table of ["orders", "riders", "stores"]) {
    for (const member of state[table].values()) {
      const at = onScreen(member.shown ?? project(member));
      const away = Math.hypot(at.x - x, at.y - y);
      if (away < best) [best, found] = [away, { table, id: member.id }];
    }
  }
  return found;
}

function zoom(factor, x, y) {
  const scale = Math.min(2, Math.max(0.0005, view.scale * factor));
  view.x += (x - size.w / 2) * (1 / view.scale - 1 / scale);
  view.y += (y - size.h / 2) * (1 / view.scale - 1 / scale);
  [view.scale, view.moved, groundIsOld] = [scale, true, true];
  wake();
}

const fingers = new Map();
let travelled = 0;
canvas.addEventListener("pointerdown", (event) => {
  canvas.setPointerCapture(event.pointerId);
  fingers.set(event.pointerId, event);
  if (fingers.size === 1) travelled = 0;
});
canvas.addEventListener("pointermove", (event) => {
  const before = fingers.get(event.pointerId);
  if (!before) return;
  const [dx, dy] = [event.clientX - before.clientX, event.clientY - before.clientY];
  const other = [...fingers.values()].find((finger) => finger.pointerId !== event.pointerId);
  travelled += Math.abs(dx) + Math.abs(dy);
  if (other) {
    const apart = (one) => Math.hypot(one.clientX - other.clientX, one.clientY - other.clientY);
    const box = canvas.getBoundingClientRect();
    zoom(apart(event) / Math.max(1, apart(before)), (event.clientX + other.clientX) / 2 - box.left, (event.clientY + other.clientY) / 2 - box.top);
  } else if (travelled > 4) {
    [view.x, view.y, view.moved, groundIsOld] = [view.x - dx / view.scale, view.y - dy / view.scale, true, true];
    wake();
  }
  fingers.set(event.pointerId, event);
});
canvas.addEventListener("pointerup", (event) => {
  if (fingers.size === 1 && travelled <= 4) choose(nearest(event.offsetX, event.offsetY));
});
for (const kind of ["pointerup", "pointercancel"]) canvas.addEventListener(kind, (event) => fingers.delete(event.pointerId));
canvas.addEventListener("wheel", (event) => {
  event.preventDefault();
  zoom(Math.exp(-event.deltaY * 0.0015), event.offsetX, event.offsetY);
}, { passive: false });
$("fit").addEventListener("click", () => { fit(); wake(); });
addEventListener("keydown", (event) => {
  if (event.target.tagName === "INPUT") return;
  if (event.key === "f") { fit(); wake(); }
  if (event.key === "Escape") choose(null);
});
$("orders").addEventListener("click", (event) => {
  const id = event.target.closest(".row")?.dataset.id;
  if (id) choose(isSelected("orders", id) ? null : { table: "orders", id });
});

// --- the wire ----------------------------------------------------------------------------------------------------------

let key = new URLSearchParams(location.hash.slice(1)).get("key") ?? sessionStorage.getItem("halfhour-key");
history.replaceState(null, "", location.pathname + location.search); // the key leaves the address bar
const headers = (more) => ({ Authorization: `Bearer ${key}`, ...more });
const pause = (ms) => new Promise((done) => setTimeout(done, ms));

function link(name, text) {
  $("link").dataset.state = name;
  $("link").textContent = text;
}

function ask(why = "") {
  $("wrong").textContent = why;
  $("ask").showModal();
  return new Promise((done) => {
    $("ask-form").onsubmit = () => {
      key = $("key").value.trim();
      done();
    };
  });
}

async function get(path) {
  for (;;) {
    if (!key) await ask();
    const answer = await fetch(path, { headers: headers() });
    if (answer.ok) {
      sessionStorage.setItem("halfhour-key", key);
      return answer.json();
    }
    if (answer.status !== 401 && answer.status !== 403) throw new Error(`${path}: ${answer.status}`);
    key = null;
    await ask(answer.status === 401 ? "This key is not known here." : "This key may not see the board.");
  }
}

async function follow() {
  const silence = new AbortController(); // heartbeats come every 15 s: longer silence is a dead line
  let timer = setTimeout(() => silence.abort(), SILENT_MS);
  const answer = await fetch("v1/board/stream", { headers: headers({ "Last-Event-ID": state.cursor }), signal: silence.signal });
  if (!answer.ok) throw new Error(`stream: ${answer.status}`);
  link("live", "live");
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    clearTimeout(timer);
    timer = setTimeout(() => silence.abort(), SILENT_MS);
    const blocks = (rest + value).split("\n\n");
    rest = blocks.pop();
    for (const block of blocks) {
      const fields = Object.fromEntries(block.split("\n").map((line) => line.split(/: (.*)/s)));
      if (fields.data) (fields.event === "board" ? takeAll : take)(JSON.parse(fields.data));
      if (fields.id) state.cursor = fields.id;
    }
  }
}

async function begin() {
  const first = await get("v1/board");
  state.cursor = first.cursor;
  takeAll(first);
  measure();
  const { lines, attribution } = await get("v1/board/streets");
  if (lines.length) {
    document.getElementById("credit").textContent = attribution;
    streets = new Path2D();
    for (const line of lines) line.forEach(([lat, lng], index) => {
      const { x, y } = project({ lat, lng });
      index ? streets.lineTo(x, y) : streets.moveTo(x, y);
    });
    groundIsOld = true;
    wake();
  }
}

async function run() {
  await begin();
  if (paused) return link("live", "standing still");
  setInterval(() => { rowsAreOld = true; wake(); }, 1000); // minutes pass even when nothing happens
  for (let failures = 0; ; failures += 1) {
    try {
      await follow();
      failures = 0;
    } catch (error) {
      console.info(`the stream ended: ${error.message}`);
    }
    link("lost", "reconnecting");
    await pause(Math.min(10000, 500 * 2 ** Math.min(failures, 5)) * (0.5 + Math.random() / 2));
  }
}

new ResizeObserver(measure).observe(canvas);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", measure);
run().catch((error) => link("lost", error.message));

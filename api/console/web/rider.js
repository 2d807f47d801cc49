// The rider's page: the route that they have been told, and big buttons for what they do.
// What they report is queued on the phone with the instant at which it was so, and sent when there is a line.

const $ = (id) => document.getElementById(id);
const POSITION_MS = 15000;
const OFFERS_MS = 4000;
const WAIT_S = 25;
const RENEW_MS = 20 * 60 * 1000; // a token lives for an hour

let token = new URLSearchParams(location.hash.slice(1)).get("token") ?? localStorage.getItem("halfhour-rider");
history.replaceState(null, "", location.pathname);
let rider; // as the service shows them
let route = { revision: -1, stops: [] };
let offer = null;
let watch = null; // of the phone's position
const arrived = new Set(); // ids of stops at which they have said that they are
let refused = ""; // why the service did not take the last report
let queue = JSON.parse(localStorage.getItem("halfhour-queue") ?? "[]"); // reports not yet taken down

const pause = (ms) => new Promise((done) => setTimeout(done, ms));
const happened_at = () => new Date().toISOString();
const timeOfDay = (text) => new Date(text).toLocaleTimeString([], { hourCycle: "h23", hour: "2-digit", minute: "2-digit" });
const plain = (word) => word.replaceAll("_", " ");

/** Whom a token names: its middle is [tenant, rider, from, until]. */
function riderOf(text) {
  try {
    return JSON.parse(atob(text.slice(4).split(".")[0].replaceAll("-", "+").replaceAll("_", "/")))[1];
  } catch {
    return null;
  }
}

// --- the wire --------------------------------------------------------------------------------------------------------

async function call(method, path, body, key) {
  const headers = { Authorization: `Bearer ${token}` };
  if (body) headers["Content-Type"] = "application/json";
  if (key) headers["Idempotency-Key"] = key;
  const answer = await fetch(path, { method, headers, body: body && JSON.stringify(body) });
  const value = await answer.json().catch(() => ({}));
  if (answer.ok) return value;
  throw Object.assign(new Error(value.detail ?? answer.statusText), { status: answer.status, code: value.code });
}

const mine = (rest = "") => `v1/riders/${encodeURIComponent(riderOf(token))}${rest}`;

/** Says it as soon as there is a line; `settles`: the stop that is done with it, hidden until the service has answered. */
function report(path, body, settles = null) {
  queue.push({ path, body, settles, key: crypto.randomUUID?.() ?? String(Math.random()).slice(2) });
  keep();
  drain();
}

/** What is left to do: the route without the stops whose reports wait for a line. */
const toDo = () => route.stops.filter((stop) => !queue.some(({ settles }) => settles === stop.stop_id));

function keep() {
  localStorage.setItem("halfhour-queue", JSON.stringify(queue));
  $("waiting").hidden = queue.length === 0;
  $("waiting").textContent = `${queue.length} report${queue.length === 1 ? "" : "s"} waiting for a line`;
}

let draining = false;
async function drain() {
  if (draining) return;
  draining = true;
  try {
    await sendAll();
  } finally {
    draining = false; // whatever went wrong, the next report is sent
  }
}

async function sendAll() {
  while (queue.length) {
    const { path, body, key } = queue[0];
    let after = route; // what is to be done where nobody tells us now
    try {
      await call("POST", path, body, key);
      after = { ...route, stops: toDo() };
    } catch (error) {
      if (!error.status || error.status === 429 || error.status >= 500) {
        await pause(2000);
        continue;
      }
      if (error.status === 401) return; // a fresh token sends it later
      refused = error.message; // the stop is theirs to do still, and shown again
    }
    // A stop that is done is hidden by its report until the route without it is here.
    if (path.startsWith("v1/stops/")) after = await call("GET", mine("/route")).catch(() => after);
    queue.shift();
    keep();
    if (path.startsWith("v1/stops/")) take(after);
  }
}

let seen = -1; // the newest revision that the service knows to be on this phone
function take(found) {
  if (found.revision >= route.revision) route = found;
  if (route.revision > seen) {
    seen = route.revision;
    report(mine("/route/seen"), { revision: seen, happened_at: happened_at() });
  }
  show();
}

// --- what is seen ----------------------------------------------------------------------------------------------------

function element(name, text, attributes = {}, ...children) {
  const made = document.createElement(name);
  if (text !== null) made.textContent = text;
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

const tell = (text) => { $("duty").textContent = text; };
const VERBS = { pickup: "Pick up at", drop: "Deliver to", return: "Bring back to" };
const DONE = { pickup: "Picked up", drop: "Delivered", return: "Brought back" };
const verbOf = (stop, here = false) => (stop.acts.length ? VERBS[stop.acts[0].kind] : here ? "You are at" : "Go to");
const titleOf = (stop) => stop.store_id ?? stop.acts[0]?.dropoff?.address ?? stop.acts[0]?.dropoff?.contact_name ?? "the pin";

function actLine(act) {
  const items = act.items.map((item) => `${item.quantity} × ${item.name}`).join(", ");
  const drop = act.kind === "drop" ? act.dropoff : null;
  const line = element("li", act.delivery_id.split(".").slice(1).join("."));
  if (items) line.append(element("small", items));
  if (drop?.contact_name) line.append(element("small", drop.contact_name));
  if (drop?.instructions) line.append(element("small", drop.instructions));
  if (drop?.phone_number) line.append(element("small", null, {}, element("a", drop.phone_number, { href: `tel:${drop.phone_number}` })));
  return line;
}

/** The bags that are planned for this rider and not yet told, under one heading. */
function bagLines(bags) {
  if (!bags.length) return [];
  const heading = element("li", "Planned for you, may change until handed over", { class: "planned" });
  return [heading, ...bags.map((bag) => actLine({ ...bag, kind: "pickup" }))];
}

function show() {
  const [stop, ...later] = toDo();
  $("later").replaceChildren(...later.map((one) =>
    element("li", null, {}, element("span", `${verbOf(one)} ${titleOf(one)}`), element("span", timeOfDay(one.expected_act_at)))));
  if (!stop) {
    const words = rider?.on_duty ? "Nothing to do right now. Stay where you are." : "You are off duty.";
    $("next").replaceChildren(element("p", words, { class: "calm" }));
    return;
  }
  const here = arrived.has(stop.stop_id);
  const typing = [...fields.values()].find((field) => field === document.activeElement);
  const buttons = element("div", null, { class: "buttons" });
  const { lat, lng } = stop.location;
  const press = (text, kind, act) => {
    const button = element("button", text, { type: "button", ...(kind && { class: kind }) });
    button.addEventListener("click", act);
    buttons.append(button);
  };
  const path = (verb) => `v1/stops/${encodeURIComponent(stop.stop_id)}/${verb}`;
  if (!here) {
    press("I am here", "go", () => { arrived.add(stop.stop_id); report(path("arrive"), { happened_at: happened_at() }); show(); });
    buttons.append(element("a", "Show the way", { class: "button", href: `geo:${lat},${lng}?q=${lat},${lng}` }));
  } else if (stop.acts.length) {
    const proofs = stop.acts.map((act) => proofField(stop, act)).filter(Boolean);
    buttons.append(...proofs.map(({ field }) => field));
    if (refused) buttons.append(element("p", refused, { class: "calm", role: "alert" }));
    press(DONE[stop.acts[0].kind], "go", () => done(stop, path("complete"), proofs));
    press("Problem", "", () => problem(stop, path("fail")));
  } else buttons.append(element("p", "Wait here for what you are told next.", { class: "calm" }));
  $("next").replaceChildren(
    element("p", verbOf(stop, here), { class: "verb" }), element("h2", titleOf(stop)),
    element("p", `about ${timeOfDay(here ? stop.expected_act_at : stop.expected_arrive_at)}`, { class: "when" }),
    element("ul", null, {}, ...stop.acts.map(actLine), ...bagLines(stop.planned)), buttons);
  if (typing?.isConnected) typing.focus();
}

const fields = new Map(); // of the stop that is shown: news of the route must not take away what is being typed

/** What a customer proves a delivery with: their PIN, or a photo that is taken now and stays on this phone. */
function proofField(stop, act) {
  if (act.kind !== "drop" || act.proof_of_delivery === "none") return null;
  const name = JSON.stringify([stop.stop_id, act.delivery_id, act.proof_of_delivery]);
  if (!fields.has(name)) fields.set(name, fieldOf(act));
  return { act, field: fields.get(name) };
}

function fieldOf(act) {
  const whose = act.dropoff?.contact_name ?? "the customer";
  return act.proof_of_delivery === "pin"
    ? element("input", null, { id: "pin", inputmode: "numeric", placeholder: "PIN", "aria-label": `PIN of ${whose}` })
    : element("input", null, { id: "photo", type: "file", accept: "image/*", capture: "environment", "aria-label": `Photo for ${whose}` });
}

/** A photo's fingerprint: whoever has the photo can show that it is this one. */
async function fingerprint(file) {
  if (!crypto.subtle) return `${file.name} of ${file.size} bytes`;
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", await file.arrayBuffer()));
  return `sha256:${[...digest].map((byte) => byte.toString(16).padStart(2, "0")).join("")}`;
}

async function done(stop, path, proofs) {
  const body = { happened_at: happened_at(), revision: route.revision };
  refused = "";
  for (const { act, field } of proofs) {
    if (field.type !== "file") (body.pins ??= {})[act.delivery_id] = field.value.trim();
    else if (field.files[0]) body.photo_reference = await fingerprint(field.files[0]);
    if (field.type === "file" ? !field.files[0] : !/^[0-9]{4,8}$/.test(field.value.trim())) {
      refused = field.type === "file" ? "Take a photo first." : "Ask the customer for the PIN.";
      return show();
    }
  }
  report(path, body, stop.stop_id);
  show();
}

async function problem(stop, path) {
  $("problem").showModal();
  await new Promise((closed) => $("problem").addEventListener("close", closed, { once: true }));
  const reason = $("problem").returnValue;
  if (!reason) return;
  refused = "";
  report(path, { reason, happened_at: happened_at(), revision: route.revision }, stop.stop_id);
  show();
}

function showRider() {
  $("name").textContent = rider.name ?? rider.rider_id;
  tell(rider.lost ? "Not heard of for a while" : rider.on_break ? "On a break" : rider.on_duty ? "On duty" : "Off duty");
  $("shift").textContent = rider.on_duty ? "End shift" : "Start shift";
  $("break").hidden = !rider.on_duty;
  $("break").textContent = rider.on_break ? "Back to work" : "Break";
  show();
}

function showOffer() {
  $("offer").hidden = !offer;
  if (!offer) return;
  const left = Math.max(0, Math.round((Date.parse(offer.expires_at) - Date.now()) / 1000));
  const count = offer.deliveries.length;
  const trip = offer.stops ? ` · ${offer.stops} stops, ${Math.ceil(offer.work_s / 60)} min, ${(offer.way_m / 1000).toFixed(1)} km` : "";
  const pay = offer.pay === null ? "" : ` · pays ${(offer.pay / 100).toFixed(2)}`;
  $("offer-what").textContent = `${count} order${count === 1 ? "" : "s"}${trip}${pay} · answer within ${left} s`;
  if (left === 0) { offer = null; showOffer(); }
}

/** What was decided about them and why, the newest first; asked for when they open it. */
async function showWhy() {
  if (!$("why").open) return;
  const found = await call("GET", mine("/receipts")).catch((error) => ({ now: [error.message], receipts: [], contact: "" }));
  $("why-now").replaceChildren(...found.now.map((text) => element("li", text)));
  $("why-list").replaceChildren(...found.receipts.map((one) =>
    element("li", null, { value: one.number }, element("small", timeOfDay(one.at)), element("span", one.text))));
  $("why-contact").textContent = found.contact ? `Ask ${found.contact} to have a decision about you looked at again.` : "";
}

$("why").addEventListener("toggle", showWhy);

// --- what they do ---------------------------------------------------------------------------------------------------

async function about(path) {
  try {
    rider = await call("POST", mine(path), {}, crypto.randomUUID?.());
    showRider();
  } catch (error) {
    tell(error.message);
  }
}

$("shift").addEventListener("click", () => about(rider?.on_duty ? "/shift/end" : "/shift"));
$("break").addEventListener("click", () => about(rider?.on_break ? "/break/end" : "/break"));
for (const verb of ["accept", "decline"]) {
  $(verb).addEventListener("click", async () => {
    const chosen = offer;
    offer = null;
    showOffer();
    await call("POST", `v1/offers/${encodeURIComponent(chosen.offer_id)}/${verb}`, {}, crypto.randomUUID?.()).catch((error) => tell(error.message));
  });
}

let lastSent = 0;
function moved({ coords, timestamp }) {
  if (timestamp - lastSent < POSITION_MS) return;
  lastSent = timestamp;
  const body = { location: { lat: coords.latitude, lng: coords.longitude }, seen_at: new Date(timestamp).toISOString() };
  call("POST", mine("/position"), body).catch(() => {}); // the next one will do
}

$("share").addEventListener("click", () => {
  if (watch !== null) {
    navigator.geolocation.clearWatch(watch);
    watch = null;
  } else if (navigator.geolocation) {
    watch = navigator.geolocation.watchPosition(moved, (error) => tell(error.message), { enableHighAccuracy: true });
  }
  $("share").setAttribute("aria-pressed", watch !== null);
});

// --- loops -----------------------------------------------------------------------------------------------------------

async function ask(why = "") {
  $("wrong").textContent = why;
  if (!$("ask").open) $("ask").showModal();
  await new Promise((done) => { $("ask-form").onsubmit = done; });
  token = $("token").value.trim();
}

async function enter() {
  for (;;) {
    if (!token) await ask();
    try {
      if (riderOf(token) === null) throw Object.assign(new Error("This is not a rider's token."), { status: 401 });
      rider = await call("GET", mine());
      localStorage.setItem("halfhour-rider", token);
      return showRider();
    } catch (error) {
      if (error.status !== 401 && error.status !== 404) {
        tell("No line to the service");
        await pause(3000);
        continue;
      }
      token = null;
      await ask(error.message);
    }
  }
}

async function renewToken() {
  for (;;) {
    await pause(RENEW_MS);
    try {
      token = (await call("POST", mine("/token"))).token;
      localStorage.setItem("halfhour-rider", token);
    } catch { /* the old one serves a while yet; then they are asked for a new one */ }
  }
}

async function followRoute() {
  for (;;) {
    try {
      const path = mine(`/route?after_revision=${route.revision}&wait_s=${route.revision < 0 ? 0 : WAIT_S}`);
      take(await call("GET", path));
      window.ready = true;
    } catch (error) {
      if (error.status === 401) await enter();
      else await pause(3000);
    }
  }
}

async function followOffers() {
  for (;;) {
    await pause(OFFERS_MS);
    [offer = null] = await call("GET", mine("/offers")).catch(() => []);
    showOffer();
  }
}

keep();
await enter();
setInterval(showOffer, 1000);
drain();
followOffers();
renewToken();
await followRoute();

// The day's film: streets, stores, orders and riders at any instant.  `film` and `sheet` stand in the page as JSON.
(() => {
  const read = (id) => JSON.parse(document.getElementById(id).textContent);
  const film = read("film"), sheet = read("sheet");
  const box = document.getElementById("map"), canvas = box.querySelector("canvas"), pen = canvas.getContext("2d");
  const slider = document.getElementById("instant"), clock = document.getElementById("clock");
  const counts = document.getElementById("counts"), play = document.getElementById("play");
  const speed = document.getElementById("speed"), tip = document.getElementById("tip");
  const length = film.end - film.begin;
  let now = 0, playing = false, last = 0, view = { scale: 1, x: 0, y: 0 }, ratio = 1, ground = null, colours = {};

  const legs = film.riders.map(() => []);
  for (const leg of film.legs) legs[leg[0]].push(leg);
  const shifts = film.riders.map(() => []);
  for (const shift of film.shifts) shifts[shift[0]].push(shift);
  const perStore = film.stores.map(() => 0);
  for (const order of film.orders) perStore[order[4]]++;
  const busiest = Math.max(1, ...perStore);

  const hhmm = (() => {
    const zone = document.getElementById("film").dataset.zone;
    let format;
    try { format = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", timeZone: zone }); }
    catch { format = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", timeZone: "UTC" }); }
    return (second) => format.format((film.begin + second) * 1000);
  })();

  function fit() {
    const [west, north, east, south] = film.focus, across = east - west, down = south - north;
    const width = box.clientWidth, height = Math.round(Math.min(Math.max(width * down / across, 260), 640));
    ratio = window.devicePixelRatio || 1;
    canvas.width = width * ratio; canvas.height = height * ratio; canvas.style.height = height + "px";
    const scale = Math.min(width / across, height / down);
    view = { scale, x: (width - across * scale) / 2 - west * scale, y: (height - down * scale) / 2 - north * scale };
    style(); draw();
  }

  function style() {
    const css = getComputedStyle(document.documentElement);
    for (const name of ["paper", "card", "ink", "soft", "a", "b", "c", "d", "late", "water", "street", "avenue", "idle"])
      colours[name] = css.getPropertyValue("--" + name).trim();
    ground = null;
  }

  const px = (x) => view.x + x * view.scale, py = (y) => view.y + y * view.scale;

  function paintGround() {
    ground = document.createElement("canvas");
    ground.width = canvas.width; ground.height = canvas.height;
    const under = ground.getContext("2d");
    under.scale(ratio, ratio);
    under.lineCap = under.lineJoin = "round";
    const stroke = (kind, colour, width) => {
      under.strokeStyle = colour; under.lineWidth = width; under.beginPath();
      for (const line of sheet[kind] || []) {
        under.moveTo(px(line[0]), py(line[1]));
        for (let k = 2; k < line.length; k += 2) under.lineTo(px(line[k]), py(line[k + 1]));
      }
      under.stroke();
    };
    stroke("river", colours.water, Math.max(130 * view.scale, 4));
    for (const kind of Object.keys(sheet)) if (!["river", "avenue", "bridge"].includes(kind)) stroke(kind, colours.street, 1);
    stroke("avenue", colours.avenue, 2.2);
    stroke("bridge", colours.avenue, 3);
  }

  // Where a rider is: on a leg, at the end of their last one, or at their own place; null when off duty.
  function whereabouts(rider) {
    const list = legs[rider];
    let low = 0, high = list.length;
    while (low < high) { const mid = (low + high) >> 1; if (list[mid][1] <= now) low = mid + 1; else high = mid; }
    const leg = low ? list[low - 1] : null;
    const onDuty = shifts[rider].some((shift) => shift[1] <= now && now < shift[2]);
    if (leg && now < leg[2]) {
      const part = (now - leg[1]) / Math.max(leg[2] - leg[1], 1);
      return { x: leg[3] + (leg[5] - leg[3]) * part, y: leg[4] + (leg[6] - leg[4]) * part, leg, state: leg[7] ? "empty" : "driving" };
    }
    if (leg && (onDuty || now < leg[8])) return { x: leg[5], y: leg[6], leg: null, state: now < leg[8] ? "stop" : "idle" };
    if (!onDuty) return null;
    const shift = shifts[rider].find((one) => one[1] <= now && now < one[2]);
    return { x: shift[3], y: shift[4], leg: null, state: "idle" };
  }

  function dot(x, y, radius, colour, hollow) {
    pen.beginPath(); pen.arc(px(x), py(y), radius, 0, 7);
    if (hollow) { pen.strokeStyle = colour; pen.lineWidth = 1.6; pen.stroke(); }
    else { pen.fillStyle = colour; pen.fill(); }
  }

  let shown = [];
  function draw() {
    if (!ground) paintGround();
    pen.setTransform(1, 0, 0, 1, 0, 0);
    pen.clearRect(0, 0, canvas.width, canvas.height);
    pen.drawImage(ground, 0, 0);
    pen.scale(ratio, ratio);
    shown = [];
    let waiting = 0, aboard = 0, delivered = 0, late = 0, busy = 0, onDuty = 0;
    const zoom = Math.min(Math.max(Math.sqrt(view.scale / 0.13), 0.8), 2);
    for (const [placed, picked, ended, due, store, x, y, id, state] of film.orders) {
      if (placed > now) continue;
      const done = ended >= 0 && ended <= now;
      if (done) {
        if (state !== "delivered") continue;
        delivered++;
        const isLate = ended > due;
        if (isLate) late++;
        const age = (now - ended) / 900;
        if (age > 1 && now < length) { pen.globalAlpha = isLate ? 0.5 : 0.16; } else pen.globalAlpha = 0.9 - 0.4 * Math.min(age, 1);
        dot(x, y, 2.2 * zoom, isLate ? colours.late : colours.c);
        pen.globalAlpha = 1;
      } else {
        const carried = picked >= 0 && picked <= now;
        if (carried) aboard++; else waiting++;
        dot(x, y, 3 * zoom, now > due ? colours.late : colours.a, !carried);
        shown.push([x, y, `order ${id}: ${carried ? "on its way" : "waiting"}, due ${hhmm(due)}`]);
      }
    }
    film.stores.forEach(([x, y, id], number) => {
      const size = (5.5 + 5.5 * Math.sqrt(perStore[number] / busiest)) * zoom;
      pen.fillStyle = colours.ink; pen.strokeStyle = colours.card; pen.lineWidth = 1.2;
      pen.beginPath(); pen.rect(px(x) - size / 2, py(y) - size / 2, size, size); pen.fill(); pen.stroke();
      shown.push([x, y, `store ${id}: ${perStore[number]} orders this day`]);
    });
    const paint = { driving: colours.d, empty: colours.b, stop: colours.d, idle: colours.idle };
    film.riders.forEach((id, rider) => {
      const place = whereabouts(rider);
      if (!place) return;
      onDuty++;
      if (place.state !== "idle") busy++;
      if (place.leg) {
        pen.strokeStyle = paint[place.state]; pen.globalAlpha = 0.45; pen.lineWidth = 1.2;
        pen.beginPath(); pen.moveTo(px(place.x), py(place.y)); pen.lineTo(px(place.leg[5]), py(place.leg[6])); pen.stroke();
        pen.globalAlpha = 1;
      }
      pen.strokeStyle = colours.card; pen.lineWidth = 1;
      dot(place.x, place.y, 3.4 * zoom, paint[place.state]);
      pen.stroke();
      const words = { driving: "driving", empty: "driving empty", stop: "at a stop", idle: "idle" };
      shown.push([place.x, place.y, `rider ${id}: ${words[place.state]}`]);
    });
    clock.textContent = hhmm(now);
    counts.textContent = `${waiting} orders waiting, ${aboard} on their way, ${delivered} delivered (${late} late) · ` +
      `${busy} of ${onDuty} riders at work`;
    slider.value = now;
  }

  function tick(time) {
    if (!playing) return;
    now = Math.min(now + Math.min(time - last, 200) / 1000 * Number(speed.value), length);
    last = time;
    if (now >= length) stop();
    draw();
    requestAnimationFrame(tick);
  }
  function stop() { playing = false; play.textContent = "Play"; }
  play.addEventListener("click", () => {
    if (playing) { stop(); return; }
    if (now >= length) now = 0;
    playing = true; play.textContent = "Pause"; last = performance.now();
    requestAnimationFrame(tick);
  });
  slider.addEventListener("input", () => { now = Number(slider.value); draw(); });

  let drag = null;
  canvas.addEventListener("pointerdown", (e) => { drag = [e.offsetX, e.offsetY]; canvas.setPointerCapture(e.pointerId); });
  canvas.addEventListener("pointerup", () => { drag = null; });
  canvas.addEventListener("pointerleave", () => { tip.style.display = "none"; });
  canvas.addEventListener("pointermove", (e) => {
    if (drag) {
      view.x += e.offsetX - drag[0]; view.y += e.offsetY - drag[1];
      drag = [e.offsetX, e.offsetY]; ground = null; draw(); return;
    }
    let best = null, gap = 144;
    for (const [x, y, words] of shown) {
      const away = (px(x) - e.offsetX) ** 2 + (py(y) - e.offsetY) ** 2;
      if (away < gap) { gap = away; best = words; }
    }
    tip.style.display = best ? "block" : "none";
    if (best) {
      tip.textContent = best;
      tip.style.left = Math.min(e.offsetX + 12, box.clientWidth - tip.offsetWidth - 4) + "px";
      tip.style.top = canvas.offsetTop + e.offsetY + 14 + "px";
    }
  });
  canvas.addEventListener("wheel", (e) => {
    if (!e.ctrlKey && !e.metaKey) return;
    e.preventDefault();
    const factor = Math.exp(-e.deltaY / 300);
    view.x = e.offsetX - (e.offsetX - view.x) * factor; view.y = e.offsetY - (e.offsetY - view.y) * factor;
    view.scale *= factor; ground = null; draw();
  }, { passive: false });
  canvas.addEventListener("dblclick", fit);

  document.getElementById("theme").addEventListener("click", () => {
    const dark = getComputedStyle(document.documentElement).colorScheme === "dark" ||
      (!document.documentElement.dataset.theme && matchMedia("(prefers-color-scheme: dark)").matches);
    document.documentElement.dataset.theme = dark ? "light" : "dark";
    style(); draw();
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => { style(); draw(); });
  window.addEventListener("resize", fit);
  slider.max = length;
  now = Math.round(length * 0.45);
  fit();
  window.ready = true;
})();

// Promises by area: the hour that is chosen, above the streets of the day's map.
(() => {
  const map = document.getElementById("kept"), choice = document.getElementById("kept-hour");
  if (!map) return;
  const show = () => map.querySelectorAll("g[data-hour]").forEach((group) => {
    group.style.display = group.dataset.hour === choice.value ? "" : "none";
  });
  choice.addEventListener("change", show);
  show();
  if (!map.dataset.onStreets) return;
  const sheet = JSON.parse(document.getElementById("sheet").textContent);
  for (const [kind, lines] of Object.entries(sheet)) {
    const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
    path.setAttribute("class", "way " + kind);
    path.setAttribute("d", lines.map((line) => "M" + line.reduce((words, value, k) => words + (k % 2 ? "," : k ? "L" : "") + value, "")).join(""));
    map.prepend(path);
  }
})();

// The API's documentation, drawn from /openapi.json: no library, no request to anywhere else.

const verbs = ["get", "post", "put", "patch", "delete"];
let doc;

function element(name, text, attributes = {}, ...children) {
  const made = document.createElement(name);
  if (text !== null) made.textContent = text;
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

/** Text with `code` in it, as nodes. */
const prose = (text) => text.split("`").map((part, index) => (index % 2 ? element("code", part) : part));

const named = (ref) => ref.split("/").slice(1).reduce((part, key) => part[key.replaceAll("~1", "/")], doc);
const resolved = (schema) => (schema?.$ref ? { ...named(schema.$ref), ...schema, $ref: undefined } : schema ?? {});

function typeOf(schema) {
  const known = resolved(schema);
  const choices = known.anyOf ?? known.oneOf;
  if (choices) return choices.map(typeOf).join(" or ");
  if (known.const !== undefined) return JSON.stringify(known.const);
  if (known.enum) return known.enum.map((value) => JSON.stringify(value)).join(" | ");
  if (known.type === "array") return `list of ${typeOf(known.items)}`;
  return [known.format ?? known.type ?? "any", bounds(known)].filter(Boolean).join(" ");
}

function bounds(schema) {
  const [low, high] = [schema.minimum ?? schema.minLength ?? schema.exclusiveMinimum, schema.maximum ?? schema.maxLength];
  if (low === undefined && high === undefined) return "";
  const unit = schema.type === "string" ? " characters" : "";
  if (high === undefined) return `from ${low}${unit}`;
  return `${low ?? ""}…${high}${unit}`;
}

/** Rows of an object's fields; objects inside are told with a dot, three levels deep. */
function rowsOf(schema, prefix = "", depth = 0) {
  const known = resolved(schema);
  const choices = (known.anyOf ?? known.oneOf ?? []).filter((choice) => choice.type !== "null");
  if (choices.length === 1) return rowsOf(choices[0], prefix, depth);
  if (known.type === "array") return rowsOf(known.items, `${prefix}[]`, depth);
  return Object.entries(known.properties ?? {}).flatMap(([name, field]) => {
    const path = prefix ? `${prefix}.${name}` : name;
    const cell = element("td", path, known.required?.includes(name) ? { class: "must" } : {});
    const about = resolved(field).description ?? field.description ?? "";
    const preset = field.default !== undefined && field.default !== null ? ` Default: ${JSON.stringify(field.default)}.` : "";
    const row = element("tr", null, {}, cell, element("td", typeOf(field)), element("td", null, {}, ...prose(about + preset)));
    return [row, ...(depth < 2 ? rowsOf(field, path, depth + 1) : [])];
  });
}

function table(heads, rows) {
  const head = element("tr", null, {}, ...heads.map((text) => element("th", text)));
  return element("table", null, {}, element("thead", null, {}, head), element("tbody", null, {}, ...rows));
}

function exampleOf(media) {
  if (!media) return undefined;
  const first = Object.values(media.examples ?? {})[0];
  return media.example ?? first?.value ?? resolved(media.schema).examples?.[0];
}

function curl(verb, path, operation) {
  const lines = [`curl ${verb === "get" ? "" : `-X ${verb.toUpperCase()} `}"$HALFHOUR_URL${path}"`];
  if (operation.security) lines.push('-H "Authorization: Bearer $HALFHOUR_KEY"');
  const body = exampleOf(operation.requestBody?.content?.["application/json"]);
  if (body !== undefined) lines.push('-H "Content-Type: application/json"', `-d '${JSON.stringify(body).replaceAll("'", "'\\''")}'`);
  return lines.join(" \\\n  ");
}

function answers(operation) {
  return Object.entries(operation.responses ?? {}).map(([status, answer]) => {
    const known = resolved(answer);
    return element("li", null, {}, element("b", status), ` ${known.description ?? ""}`);
  });
}

function article(verb, path, operation) {
  const made = element("article", null, { id: operation.operationId });
  made.append(element("h2", operation.summary ?? operation.operationId));
  made.append(element("div", null, { class: "path" }, element("span", verb, { class: "verb", "data-verb": verb }), path));
  if (operation.description) made.append(element("p", null, {}, ...prose(operation.description)));
  const roles = (operation.security ?? []).flatMap((rule) => Object.values(rule).flat());
  made.append(element("p", roles.length ? `Open to: ${roles.join(", ")}` : "Open to everyone", { class: "roles" }));
  const inputs = (operation.parameters ?? []).map(resolved);
  if (inputs.length) {
    const rows = inputs.map((input) => element("tr", null, {},
      element("td", input.name, input.required ? { class: "must" } : {}),
      element("td", `${input.in}, ${typeOf(input.schema)}`), element("td", input.description ?? input.schema?.description ?? "")));
    made.append(element("h3", "Parameters"), table(["name", "kind", "meaning"], rows));
  }
  const body = operation.requestBody?.content?.["application/json"];
  if (body) {
    const rows = rowsOf(body.schema);
    made.append(element("h3", "Body"), rows.length ? table(["field", "type", "meaning"], rows) : element("p", typeOf(body.schema)));
  }
  made.append(element("h3", "Try it"), element("pre", curl(verb, path, operation)));
  const good = Object.entries(operation.responses ?? {}).find(([status]) => status.startsWith("2"));
  const shown = exampleOf(good?.[1]?.content?.["application/json"]);
  if (shown !== undefined) made.append(element("h3", `Answer ${good[0]}`), element("pre", JSON.stringify(shown, null, 2)));
  made.append(element("h3", "Answers"), element("ul", null, { class: "codes" }, ...answers(operation)));
  return made;
}

function show() {
  const groups = new Map();
  for (const [path, item] of Object.entries(doc.paths)) {
    for (const verb of verbs.filter((name) => item[name])) {
      const group = item[verb].tags?.[0] ?? "other";
      groups.set(group, [...(groups.get(group) ?? []), [verb, path, item[verb]]]);
    }
  }
  const head = element("header", null, {}, element("h2", `${doc.info.title} ${doc.info.version}`), element("p", null, {}, ...prose(doc.info.description ?? "")));
  document.getElementById("page").replaceChildren(head);
  for (const [group, operations] of groups) {
    document.getElementById("index").append(element("h2", group));
    for (const [verb, path, operation] of operations) {
      const badge = element("span", verb, { class: "verb", "data-verb": verb });
      const link = element("a", null, { href: `#${operation.operationId}`, title: path }, badge, operation.summary ?? path);
      link.dataset.words = `${group} ${verb} ${path} ${operation.summary}`.toLowerCase();
      document.getElementById("index").append(link);
      document.getElementById("page").append(article(verb, path, operation));
    }
  }
  if (location.hash) document.getElementById(location.hash.slice(1))?.scrollIntoView();
}

document.getElementById("filter").addEventListener("input", (event) => {
  const word = event.target.value.toLowerCase();
  for (const link of document.querySelectorAll("#index a")) link.hidden = !link.dataset.words.includes(word);
});

fetch("openapi.json").then((answer) => answer.json()).then((found) => {
  doc = found;
  show();
  window.ready = true;
}).catch((error) => document.getElementById("page").replaceChildren(element("p", `The document cannot be read: ${error.message}`)));

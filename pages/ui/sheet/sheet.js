// A sheet of drawing pads: a column per class with a pad per shot, and a large pad for the query.
// A pad holds strokes, a stroke points [x, y] from 0 to `data.units` across the pad. They live
// here and in the tab's own memory, so that neither a rerun nor a reload wipes them; the server is
// told whenever the pen leaves a pad. `data.id` names what was last loaded: only a new one
// replaces what is drawn.

const MEMORY = "metacore sheet";

export default function ({ data, parentElement, setStateValue }) {
  const root = parentElement.querySelector(".sheet");
  root.sheet ??= sheet(root);
  root.sheet(data, setStateValue);
}

function sheet(root) {
  let data = null, drawn = null, tell = null, pads = [];
  const said = element("output", { role: "status" });
  const seen = element("p", { class: "seen" }, "what the networks see");
  seen.prepend(element("i", {}));
  const changed = (words = "") => {
    said.textContent = words;
    const state = { id: data.id, ...drawn };
    remember(state);
    tell("drawn", JSON.parse(JSON.stringify(state))); // a copy: the next stroke is not for now
  };
  const cell = (column, row) => ((drawn.support[column] ??= [])[row] ??= []);

  function column(number) {
    const box = element("section", { class: "class" });
    box.style.setProperty("--class", data.colors[number]);
    const usual = data.letters[number];
    const name = element("input", { maxlength: data.longest, placeholder: usual, "aria-label": `Name of class ${usual}`, spellcheck: false });
    name.value = drawn.names[number] ?? "";
    name.onchange = () => { drawn.names[number] = name.value; changed(); };
    box.append(name);
    for (let row = 0; row < data.shots; row++)
      box.append(pad(`Class ${usual}, drawing ${row + 1}`, "", cell(number, row), ["↶", "✕"]));
    return box;
  }
  function pad(label, hint, strokes, [undo, clear]) {
    const made = drawingPad(data, label, hint, strokes, [undo, clear], changed);
    pads.push(made);
    return made.box;
  }
  function clearAll() {
    for (const each of pads) each.clear();
    changed("Everything is cleared; each pad's Undo brings its drawing back.");
  }
  function layout() {
    for (const each of pads) each.forget();
    pads = [];
    const support = element("div", { class: "support" });
    for (let number = 0; number < data.ways; number++) support.append(column(number));
    const query = element("section", { class: "query" });
    query.append(element("h4", {}, "Query: which class is this?"));
    query.append(pad("Query", "draw here", drawn.query, ["Undo", "Clear"]));
    const all = element("button", { type: "button", title: "Empties every pad." }, "Clear all");
    all.onclick = clearAll;
    query.querySelector(".buttons").append(all);
    query.append(seen);
    root.classList.toggle("long", Math.ceil(data.ways / 5) * data.shots > 3); // rows of a telephone
    root.replaceChildren(support, query, said);
  }
  return (given, setStateValue) => {
    const before = data;
    [data, tell] = [given, setStateValue];
    const kept = before ? null : recalled(data.id);
    const loaded = !before || before.id !== data.id;
    if (loaded) drawn = kept ?? structuredClone({ names: data.names, support: data.support, query: data.query });
    if (loaded || before.ways !== data.ways || before.shots !== data.shots) layout();
    seen.classList.toggle("nothing", !data.seen);
    seen.firstChild.style.maskImage = seen.firstChild.style.webkitMaskImage = data.seen && `url(${data.seen})`;
    if (kept) changed();
    else if (loaded) remember({ id: data.id, ...drawn });
  };
}

function drawingPad(data, label, hint, strokes, [undoWord, clearWord], changed) {
  const box = element("div", { class: "pad", "data-hint": hint });
  const canvas = element("canvas", { role: "img" });
  const undoing = button(undoWord, `Undo in ${label}`, () => { undo(); changed(); });
  const clearing = button(clearWord, `Clear ${label}`, () => { clear(); changed(); });
  const buttons = element("div", { class: "buttons" });
  buttons.append(undoing, clearing);
  box.append(canvas, buttons);
  const past = []; // what the pad held before each change
  let pointer = null;

  function become(next) {
    strokes.splice(0, strokes.length, ...next);
    paint();
  }
  function undo() {
    become(past.pop() ?? strokes.slice(0, -1));
  }
  function clear() {
    if (strokes.length) past.push([...strokes]);
    become([]);
  }
  function place(event) {
    const { left, top, width, height } = canvas.getBoundingClientRect();
    const within = (share) => Math.round(data.units * Math.min(1, Math.max(0, share)));
    return [within((event.clientX - left) / width), within((event.clientY - top) / height)];
  }
  const room = () => strokes.reduce((left, stroke) => left - stroke.length, data.points);

  canvas.onpointerdown = (event) => {
    if (pointer !== null || event.button > 0) return;
    event.preventDefault();
    if (strokes.length >= data.strokes || room() < 2) return changed(`${label} is full: undo or clear something.`);
    canvas.setPointerCapture(event.pointerId);
    pointer = event.pointerId;
    past.push([...strokes]);
    strokes.push([place(event)]);
    paint();
  };
  canvas.onpointermove = (event) => {
    if (event.pointerId !== pointer) return;
    const stroke = strokes.at(-1), between = event.getCoalescedEvents?.() ?? [];
    for (const each of between.length ? between : [event]) {
      const [x, y] = place(each), [lastX, lastY] = stroke.at(-1);
      if (Math.hypot(x - lastX, y - lastY) >= data.units / 250 && room() > 0) stroke.push([x, y]);
    }
    paint();
  };
  canvas.onpointerup = canvas.onpointercancel = (event) => {
    if (event.pointerId !== pointer) return;
    pointer = null;
    strokes.push(simpler(strokes.pop(), data.units / 300));
    paint();
    changed();
  };

  function paint() {
    const side = Math.max(1, Math.round(canvas.clientWidth * devicePixelRatio));
    if (canvas.width !== side) canvas.width = canvas.height = side;
    const pen = canvas.getContext("2d");
    pen.setTransform(side / data.units, 0, 0, side / data.units, 0, 0);
    pen.clearRect(0, 0, data.units, data.units);
    pen.lineWidth = data.pen * data.units;
    pen.lineCap = pen.lineJoin = "round";
    pen.strokeStyle = getComputedStyle(canvas).color;
    for (const stroke of strokes) {
      pen.beginPath();
      pen.moveTo(...stroke[0]);
      for (const point of stroke.length > 1 ? stroke : [stroke[0]]) pen.lineTo(...point);
      pen.stroke();
    }
    box.classList.toggle("empty", !strokes.length);
    undoing.disabled = !strokes.length && !past.length;
    clearing.disabled = !strokes.length;
    canvas.setAttribute("aria-label", `${label}: ${strokes.length || "no"} stroke${strokes.length === 1 ? "" : "s"}`);
  }
  const fit = new ResizeObserver(paint); // also when it first has a size
  fit.observe(canvas);
  const scheme = new MutationObserver(paint); // another theme is another ink
  for (let at = canvas; at; at = at.parentNode ?? at.host)
    if (at.nodeType === Node.ELEMENT_NODE) scheme.observe(at, { attributes: true, attributeFilter: ["style", "class"] });
  const forget = () => { fit.disconnect(); scheme.disconnect(); };
  return { box, clear, forget };
}

// Ramer, Douglas, Peucker: the corners without which a stroke would look different.

function simpler(points, most) {
  if (points.length < 3) return points;
  const [[x0, y0], [x1, y1]] = [points[0], points.at(-1)];
  const length = Math.hypot(x1 - x0, y1 - y0);
  const off = ([x, y]) => length ? Math.abs((x - x0) * (y1 - y0) - (y - y0) * (x1 - x0)) / length : Math.hypot(x - x0, y - y0);
  const distances = points.map(off), far = distances.indexOf(Math.max(...distances));
  if (distances[far] <= most) return [points[0], points.at(-1)];
  return [...simpler(points.slice(0, far + 1), most).slice(0, -1), ...simpler(points.slice(far), most)];
}

function remember(state) {
  try { sessionStorage.setItem(MEMORY, JSON.stringify(state)); } catch { /* the tab keeps nothing */ }
}

// What this tab drew before a reload, unless something else is to be loaded.

function recalled(id) {
  try {
    const { id: before, names, support, query } = JSON.parse(sessionStorage.getItem(MEMORY));
    const some = query.length || support.flat(2).length || names.some(Boolean);
    return some && (!id || before === id) ? { names, support, query } : null;
  } catch { return null; }
}

function button(words, label, act) {
  const made = element("button", { type: "button", "aria-label": label, title: label }, words);
  made.onclick = act;
  return made;
}

function element(tag, attributes, words) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  if (words !== undefined) made.textContent = words;
  return made;
}

// Plays an adaptation step by step, on the client alone: a slider, a play button and panels that
// show drawings, lines over the steps, or a curve bending towards the truth.
// `data` is what player.py describes. Called again on every rerun: it rebuilds only for new data.

const SVG = "http://www.w3.org/2000/svg";
const END_PAUSE = 4; // a loop rests on its last step for this many steps
const FILM = "film"; // in the address: the step a hand has chosen
const SETTLED = 400; // milliseconds after which the server has written the rest of the address
const FEW = 3; // boards that keep their notes

export default function ({ data, parentElement }) {
  const root = parentElement.querySelector(".player");
  const before = root.player;
  if (before && before.data.id === data.id) {
    before.resume();
    return before.rest;
  }
  const goesOn = before ? before.playing() || (data.loop && !before.touched) : true;
  if (before) before.stop();
  const kept = before && before.data.steps.length === data.steps.length ? before.step : data.start;
  const linked = linkedStep(data);
  const touched = linked !== null || (before ? before.touched : false);
  root.player = player(root, data, linked ?? kept, touched);
  root.player.open(goesOn && linked === null, !before);
  root.player.link();
  return root.player.rest; // called before every rerun, and when the film leaves the page
}

function linkedStep(data) {
  const said = new URLSearchParams(location.search).get(FILM);
  const at = said === null ? -1 : data.steps.indexOf(Number(said));
  return at < 0 ? null : at;
}

function player(root, data, start, touched) {
  const last = data.steps.length - 1;
  const self = { data, step: Math.min(start, last), touched, stop, rest, resume, playing, open, link };
  const panels = element("div", { class: data.stack ? "arranged" : "panels" });
  const boards = data.stack ? element("div", { class: "boards" }) : panels;
  const stack = data.stack ? element("div", { class: "stack" }) : panels;
  const place = (panel) => (panel.kind === "lines" ? stack : boards);
  const updates = data.panels.map((panel) => draw(panel, data, place(panel), () => self.step));
  if (data.stack) arranged(panels, boards, stack);
  let timer = null;
  let resting = false;
  let pause = 0;

  const slider = element("input", {
    type: "range", min: 0, max: last, step: 1, "aria-label": data.label,
  });
  const button = element("button", { type: "button", class: "play" });
  const said = element("output", { class: "said" });
  const controls = element("div", { class: "controls" });
  controls.append(button, slider, said);
  root.replaceChildren(...(last > 0 ? [controls, panels] : [panels]));

  function show(step) {
    self.step = step;
    slider.value = step;
    slider.setAttribute("aria-valuetext", `${data.label} ${data.steps[step]}`);
    slider.style.setProperty("--share", last ? step / last : 0);
    said.textContent = `${data.label} ${data.steps[step]} of ${data.steps[last]}`;
    root.dataset.step = data.steps[step];
    for (const update of updates) update(step);
  }
  function playing() {
    return timer !== null || resting;
  }
  function stop() {
    clearInterval(timer);
    timer = null;
    resting = false;
    label();
  }
  function rest() {
    resting = playing();
    clearInterval(timer);
    timer = null;
  }
  function resume() {
    if (resting) run();
    resting = false;
  }
  function label() {
    button.textContent = timer ? "❚❚" : "▶";
    button.setAttribute("aria-label", timer ? "Pause" : "Play step by step");
    button.title = timer ? "Pause" : "Play step by step";
  }
  function tick() {
    if (self.step < last) show(self.step + 1);
    else if (!data.loop) { stop(); link(); }
    else if (++pause > END_PAUSE) { pause = 0; show(0); }
  }
  function play() {
    if (self.step === last) show(0);
    run();
  }
  function run() {
    clearInterval(timer);
    timer = setInterval(tick, data.interval);
    label();
  }
  function open(goesOn, first) {
    const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
    const own = data.autoplay && !self.touched; // nobody has taken the slider yet
    if (first && own && calm) show(last);
    else if (last > 0 && goesOn && (first ? own : !calm || self.touched)) run();
  }
  // Where the film rests is part of the view: a link or a reload shows the same step.
  function link() {
    setTimeout(() => {
      if (!root.isConnected || root.player !== self || !self.touched || playing()) return;
      const address = new URL(location);
      address.searchParams.set(FILM, data.steps[self.step]);
      if (address.href !== location.href) history.replaceState(history.state, "", address);
    }, SETTLED);
  }
  button.onclick = () => { self.touched = true; timer ? stop() : play(); link(); };
  slider.oninput = () => { self.touched = true; stop(); show(Number(slider.value)); link(); };

  label();
  show(self.step);
  return self;
}

// Boards beside the lines about them where both have room; else below, in rows of equal length.

function arranged(panels, boards, stack) {
  const count = boards.childElementCount;
  panels.append(...[boards, stack].filter((part) => part.hasChildNodes()));
  boards.classList.toggle("compact", count > FEW);
  fitted(panels, (width) => {
    const rem = parseFloat(getComputedStyle(document.documentElement).fontSize);
    const gap = rem, least = leastWidth(boards, count) * rem;
    const beside = count <= FEW && width >= (count + 1) * (least + gap) - gap;
    const abreast = Math.max(1, Math.min(count, Math.floor((width + gap) / (least + gap))));
    const rows = Math.ceil(count / abreast);
    boards.style.setProperty("--columns", beside ? count : Math.ceil(count / rows));
    panels.classList.toggle("beside", beside);
    panels.classList.toggle("above", !beside && count > 1);
  });
}

// In rem: a column per class with a letter in it, or a curve.
function leastWidth(boards, count) {
  const columns = boards.querySelector(".classes")?.childElementCount;
  if (!columns) return 15;
  return Math.min(26, Math.max(11, 1.8 + columns * (count > FEW ? 2 : 2.6)));
}

function draw(panel, data, parent, step) {
  const box = element("section", { class: `panel ${panel.kind}` });
  const head = element("header", {});
  head.append(element("h4", { title: panel.title }, panel.title));
  if (panel.note) head.append(element("p", {}, panel.note));
  box.append(head);
  parent.append(box);
  return { drawings, lines, curve }[panel.kind](panel, data, box, step);
}

// Drawings: a column per class, its support above, its queries below.

function drawings(panel, data, box) {
  const sum = element("p", { class: "sum" });
  const grid = element("div", { class: "classes" });
  const inClass = (these) => Math.max(...panel.classes.map((_, n) => these.filter((d) => d.class === n).length));
  grid.style.setProperty("--rows", inClass(panel.support) + inClass(panel.query));
  const cells = [];
  panel.classes.forEach((kind, number) => {
    const column = element("div", { class: "class" });
    column.style.setProperty("--class", kind.color);
    column.append(element("span", { class: "chip", title: kind.name }, kind.name));
    for (const drawing of panel.support.filter((d) => d.class === number))
      column.append(picture(data.pictures[drawing.image], panel.inked, "support", `Support of class ${kind.name}`));
    column.append(element("hr", {}));
    for (const drawing of panel.query.filter((d) => d.class === number)) {
      const cell = picture(data.pictures[drawing.image], panel.inked, "query", "");
      const guess = element("span", { class: kind.name.length > 2 ? "guess named" : "guess" });
      guess.append(document.createTextNode(""), element("span", {}));
      cell.append(guess);
      column.append(cell);
      cells.push([cell, guess, drawing]);
    }
    grid.append(column);
  });
  box.append(sum, grid);
  return (now) => {
    let right = 0;
    for (const [cell, guess, drawing] of cells) {
      const shares = at(drawing.probabilities, now);
      const best = shares.indexOf(Math.max(...shares));
      const kind = panel.classes[best];
      const correct = best === drawing.class;
      right += correct;
      cell.style.setProperty("--class", kind.color);
      cell.classList.toggle("wrong", !correct);
      const share = `${Math.round(100 * shares[best])}%`;
      guess.firstChild.data = kind.name;
      guess.lastChild.textContent = share;
      const truth = panel.classes[drawing.class].name;
      cell.title = `${truth}, taken for ${kind.name}: ${share}`;
      cell.setAttribute("aria-label", `Query of class ${truth}: taken for ${kind.name}`);
    }
    sum.textContent = `${right} of ${cells.length} queries right`;
  };
}

function picture(address, inked, role, words) {
  const cell = element("div", { class: `drawing ${role}`, role: "img", "aria-label": words });
  const ink = element("i", {});
  if (inked) ink.style.maskImage = ink.style.webkitMaskImage = `url(${address})`;
  else Object.assign(ink.style, { background: `url(${address}) center / contain no-repeat`, imageRendering: "auto" });
  cell.append(ink);
  return cell;
}

// Lines over the steps, with a cursor at the step shown.

function lines(panel, data, box, step) {
  const place = element("div", { class: "chart" });
  const values = panel.lines.flatMap((l) => [...l.values, ...(l.band ? [...l.band.low, ...l.band.high] : [])]);
  const range = panel.range || padded(values);
  let redraw = () => {};
  const named = panel.lines.filter((line) => !line.quiet);
  box.append(legend(named), place);
  fitted(place, (width, height) => {
    const axes = frame(place, panel, width, height, [data.steps[0], data.steps.at(-1)], range, true);
    if (panel.mark) axes.svg.append(...marked(panel.mark, axes, panel.percent));
    const xs = data.steps.map(axes.x);
    const cursor = shape("line", { class: "cursor", y1: axes.top, y2: axes.bottom });
    for (const line of panel.lines) if (line.band) axes.svg.append(band(line, xs, axes));
    axes.svg.append(cursor);
    const dots = panel.lines.map((line) => {
      axes.svg.append(path(line, line.values.map((_, i) => [xs[i], axes.y(at(line.values, i))])));
      const dot = shape("circle", { r: line.width > 1.6 ? 4.5 : line.quiet ? 0 : 3.5, fill: line.color });
      axes.svg.append(dot);
      return [line, dot];
    });
    redraw = (now) => {
      cursor.setAttribute("x1", xs[now]);
      cursor.setAttribute("x2", xs[now]);
      for (const [line, dot] of dots) {
        const index = Math.min(now, line.values.length - 1);
        dot.setAttribute("cx", xs[index]);
        dot.setAttribute("cy", axes.y(at(line.values, index)));
      }
    };
    redraw(step());
  });
  return (now) => {
    for (const [number, line] of named.entries())
      box.querySelectorAll(".legend b")[number].textContent = written(at(line.values, now), panel);
    redraw(now);
  };
}

// A step worth a word, such as where training ended.

function marked({ at: where, text: words }, axes, percent) {
  const x = axes.x(where), y = percent ? axes.bottom - 6 : axes.top + 10;
  const tick = shape("line", { class: "mark", x1: x, x2: x, y1: axes.top, y2: axes.bottom });
  return [tick, text(words, x + 5, y, "start", "tick")];
}

function band(line, xs, axes) {
  const upper = line.band.high.map((v, i) => `${xs[i]},${axes.y(v)}`);
  const lower = line.band.low.map((v, i) => `${xs[i]},${axes.y(v)}`).reverse();
  return shape("polygon", { points: [...upper, ...lower].join(" "), fill: line.color, class: "band" });
}

// A function of x that bends from step to step.

function curve(panel, data, box, step) {
  const place = element("div", { class: "chart tall" });
  let redraw = () => {};
  const named = [...(panel.truth ? [{ name: "truth", color: "currentColor", dash: "5 4", width: 1.4 }] : []), ...panel.lines];
  box.append(legend(named), place);
  fitted(place, (width, height) => {
    const grid = panel.grid;
    const axes = frame(place, panel, width, height, [grid[0], grid.at(-1)], panel.range, false);
    const traced = (values) => values.map((_, i) => [axes.x(grid[i]), axes.y(at(values, i))]);
    if (panel.truth) axes.svg.append(path(named[0], traced(panel.truth), "truth"));
    const outlined = (values, reach) => [
      ...traced(values.map((v, i) => v + reach[i])), ...traced(values.map((v, i) => v - reach[i])).reverse(),
    ];
    const moving = panel.lines.map((line) => {
      const around = line.reach && shape("polygon", { fill: line.color, class: "band" });
      const drawn = path(line, traced(line.values[0]));
      axes.svg.append(...(around ? [around, drawn] : [drawn]));
      return [line, drawn, around];
    });
    for (const [x, y] of panel.points || [])
      axes.svg.append(shape("circle", { class: "point", r: 5, cx: axes.x(x), cy: axes.y(y) }));
    redraw = (now) => {
      for (const [line, drawn, around] of moving) {
        const values = at(line.values, now);
        drawn.setAttribute("d", joined(traced(values)));
        if (around) around.setAttribute("points", outlined(values, at(line.reach, now)).join(" "));
      }
    };
    redraw(step());
  });
  return (now) => redraw(now);
}

// What charts share.

function frame(place, panel, width, height, [x0, x1], [y0, y1], whole) {
  const letter = Math.max(14, 0.85 * parseFloat(getComputedStyle(document.documentElement).fontSize)); // as in player.css
  const left = 4.8 * letter, right = width - letter, top = 0.8 * letter, bottom = height - 2.9 * letter;
  const x = (v) => left + ((v - x0) / (x1 - x0 || 1)) * (right - left);
  const y = (v) => bottom - ((Math.max(y0, Math.min(y1, v)) - y0) / (y1 - y0 || 1)) * (bottom - top);
  const svg = shape("svg", { viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": panel.alt });
  for (const tick of ticks(y0, y1, 4)) {
    svg.append(shape("line", { class: "gridline", x1: left, x2: right, y1: y(tick), y2: y(tick) }));
    svg.append(text(written(tick, panel, true), left - 0.5 * letter, y(tick) + 0.35 * letter, "end"));
  }
  const spans = whole ? Math.min(x1 - x0, Math.max(2, Math.floor(width / (4.3 * letter)))) : 5;
  for (const tick of ticks(x0, x1, spans).filter((t) => !whole || Number.isInteger(t)))
    svg.append(text(short(tick), x(tick), bottom + 1.3 * letter, "middle"));
  svg.append(text(panel.x, (left + right) / 2, height - 0.3 * letter, "middle", "axis"));
  const name = text(panel.y, 0, 0, "middle", "axis");
  name.setAttribute("transform", `translate(${letter} ${(top + bottom) / 2}) rotate(-90)`);
  svg.append(name);
  place.replaceChildren(svg);
  return { svg, x, y, top, bottom };
}

function fitted(place, redraw) {
  let width = 0, height = 0;
  new ResizeObserver(() => {
    if (Math.abs(place.clientWidth - width) + Math.abs(place.clientHeight - height) < 2) return;
    [width, height] = [place.clientWidth, place.clientHeight];
    redraw(width, height);
  }).observe(place);
}

function legend(named) {
  const list = element("p", { class: "legend" });
  for (const line of named) {
    const item = element("span", {});
    const key = shape("svg", { class: "key", viewBox: "0 0 22 8" });
    key.append(shape("line", { x1: 1, x2: 21, y1: 4, y2: 4, stroke: line.color, "stroke-width": 1 + line.width, "stroke-dasharray": line.dash || "" }));
    item.append(key, document.createTextNode(` ${line.name} `), element("b", {}));
    list.append(item);
  }
  return list;
}

function path(line, points, kind = "") {
  return shape("path", { d: joined(points), fill: "none", class: `line ${kind}`, stroke: line.color, "stroke-width": line.width, "stroke-dasharray": line.dash || "" });
}

const joined = (points) => points.map(([x, y], i) => `${i ? "L" : "M"}${x.toFixed(1)} ${y.toFixed(1)}`).join("");
const at = (values, step) => values[Math.min(step, values.length - 1)] ?? Infinity; // JSON has none
const rounded = (v) => (Math.abs(v) < 0.01 ? String(Number(v.toPrecision(1))) : short(v));
const short = (v) => String(Number(v.toPrecision(3)));

function written(value, panel, coarse) {
  if (!Number.isFinite(value)) return "–";
  return panel.percent ? `${(100 * value).toFixed(coarse ? 0 : 1)}%` : coarse ? short(value) : rounded(value);
}

function padded(values) {
  const finite = values.filter(Number.isFinite);
  const low = Math.min(0, ...finite), high = Math.max(...finite, low + 1e-6);
  return [low, high + 0.06 * (high - low)];
}

function ticks(low, high, count) {
  const rough = (high - low) / Math.max(1, count);
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 2.5, 5, 10].map((m) => m * power).find((s) => s >= rough * 0.999);
  const found = [];
  for (let v = Math.ceil(low / step - 1e-9) * step; v <= high + 1e-9 * step; v += step)
    found.push(Number(v.toPrecision(10)));
  return found;
}

function element(tag, attributes, words) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  if (words !== undefined) made.textContent = words;
  return made;
}

function shape(tag, attributes) {
  const made = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  return made;
}

function text(words, x, y, anchor, kind = "tick") {
  const made = shape("text", { x, y, "text-anchor": anchor, class: kind });
  made.textContent = words;
  return made;
}

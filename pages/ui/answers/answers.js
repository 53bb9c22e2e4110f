// A card per run: its answer, a bar per class, and how both came about over the inner steps.
// `data` is what __init__.py describes. Bars are kept from one answer to the next, so that they
// move; everything else is cheap to write anew.

const SVG = "http://www.w3.org/2000/svg";

export default function ({ data, parentElement }) {
  const root = parentElement.querySelector(".answers");
  if (root.dataset.id === data.id) return;
  root.dataset.id = data.id;
  const shape = JSON.stringify([data.cards.map((c) => c.run), data.classes.length]);
  if (root.dataset.shape !== shape) root.replaceChildren(...data.cards.map(() => blank(data)));
  root.dataset.shape = shape;
  data.cards.forEach((card, number) => fill(root.children[number], card, data.classes));
}

function blank({ classes }) {
  const box = element("section", "card");
  const bars = element("div", "bars");
  for (let number = 0; number < classes.length; number++) {
    const bar = element("span", "bar");
    bar.append(element("i", ""));
    bars.append(element("span", "name"), bar, element("span", "number"));
  }
  box.append(element("h4", ""), element("p", "best"), bars, element("div", "reason"), element("div", "steps"), element("p", "note"));
  return box;
}

function fill(box, card, classes) {
  const [title, best, bars, reason, steps, note] = box.children;
  const shares = card.probabilities.at(-1) ?? [];
  const top = shares.indexOf(Math.max(...shares));
  box.style.setProperty("--run", card.color);
  title.textContent = title.title = card.name;
  best.classList.toggle("waiting", top < 0);
  best.textContent = top < 0 ? "adapted: waits for the query" : `${classes[top].name} · ${percent(shares[top])}`;
  bars.setAttribute("role", "img");
  bars.setAttribute("aria-label", top < 0 ? "no query yet" : classes.map((c, n) => `${c.name} ${percent(shares[n])}`).join(", "));
  classes.forEach((kind, number) => {
    const [name, bar, said] = [...bars.children].slice(3 * number, 3 * number + 3);
    name.textContent = name.title = kind.name;
    bar.style.setProperty("--class", kind.color);
    bar.firstChild.style.width = `${100 * (shares[number] ?? 0)}%`;
    said.textContent = top < 0 ? "" : percent(shares[number]) + (card.distances.length ? ` · ${short(card.distances[number])}` : "");
    for (const part of [name, said]) part.classList.toggle("top", number === top);
  });
  because(reason, card);
  steps.replaceChildren(...charts(card, classes));
  note.textContent = card.note;
}

// The picture that the answer goes by.

function because(box, card) {
  box.hidden = !card.reason;
  if (!card.reason) return box.replaceChildren();
  const image = element("img", ""), words = element("span", "");
  image.src = card.reason;
  image.alt = "the picture it finds most like it";
  words.textContent = "most like this one of yours";
  box.replaceChildren(image, words);
}

function charts(card, classes) {
  if (card.support_loss.length < 2) return [];
  const loss = card.support_loss, last = loss.length - 1, first = card.steps[0];
  const reach = Math.max(1e-6, ...loss.filter((v) => v !== null));
  const made = [spark([[loss.map((v) => (v ?? reach) / reach), card.color]], `support loss ${short(loss[0])} → ${short(loss[last])}`)];
  if (card.probabilities.length > 1) {
    const lines = classes.map((kind, number) => [card.probabilities.map((row) => row[number] ?? 0), kind.color]);
    made.push(spark(lines, `query, step ${first} → ${card.steps[last]}`));
  }
  return made;
}

// Lines of values from 0 to 1, over the inner steps.

function spark(lines, words) {
  const figure = element("figure", "");
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 100 40");
  svg.setAttribute("preserveAspectRatio", "none");
  svg.setAttribute("role", "img");
  svg.setAttribute("aria-label", words);
  svg.append(drawn("line", { x1: 0, x2: 100, y1: 39, y2: 39, class: "ground" }));
  for (const [values, color] of lines) {
    const points = values.map((v, step) => `${(100 * step) / (values.length - 1)},${(39 - 37 * v).toFixed(1)}`);
    svg.append(drawn("polyline", { points: points.join(" "), stroke: color }));
  }
  const caption = element("figcaption", "");
  caption.textContent = words;
  figure.append(svg, caption);
  return figure;
}

const percent = (share) => `${Math.round(100 * (share ?? 0))}%`;

function short(value) {
  if (value === null || value === undefined) return "–";
  return value > 0 && value < 0.001 ? "<0.001" : String(Number(value.toPrecision(value >= 100 ? 3 : 2)));
}

function drawn(tag, attributes) {
  const made = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  return made;
}

function element(tag, kind) {
  const made = document.createElement(tag);
  if (kind) made.className = kind;
  return made;
}

// One drawing, and classes to choose from by a click, by Tab and Enter, or by a class's letter.
// `data` is what __init__.py describes; `answer` goes back once per round.

export default function ({ data, parentElement, setTriggerValue }) {
  const root = parentElement.querySelector(".puzzle");
  const since = performance.now() - 1000 * data.seconds;
  let open = data.open;

  function answer(tile) {
    if (!open) return;
    open = false;
    for (const button of root.querySelectorAll("button")) button.disabled = true;
    clearInterval(ticking);
    setTriggerValue("answer", { number: data.number, tile });
  }
  function button(tile, rank) {
    const made = element("button", { type: "button", disabled: !open, className: tile.right ? "right" : "" });
    made.style.setProperty("--class", tile.color);
    const label = [`class ${tile.name}`, tile.note, tile.votes.join(", ")].filter(Boolean).join(": ");
    made.setAttribute("aria-label", label);
    const drawings = element("span", { className: "drawings" });
    drawings.style.setProperty("--columns", tile.images.length > 1 ? Math.ceil(Math.sqrt(tile.images.length)) : 1);
    drawings.append(...tile.images.map(picture));
    made.append(drawings, element("b", { textContent: tile.name }));
    if (tile.note) made.append(element("small", { className: "note", textContent: tile.note }));
    if (tile.votes.length) made.append(element("small", { textContent: tile.votes.join(", ") }));
    made.onclick = () => answer(rank);
    return made;
  }
  function tick() {
    const seconds = data.open ? (performance.now() - since) / 1000 : data.seconds;
    clock.textContent = `${seconds.toFixed(1)} s`;
  }

  const clock = element("span", { className: "clock" });
  clock.setAttribute("role", "timer");
  const asked = element("div", { className: "asked" });
  asked.append(element("p", { textContent: data.title }), picture(data.query), clock);
  const tiles = element("div", { className: "tiles" });
  const small = data.tiles.length > 5 && data.tiles[0].images.length === 1;
  tiles.style.setProperty("--share", small ? "21%" : "30%"); // of a narrow window: four or three in a row
  tiles.append(...data.tiles.map(button));
  root.replaceChildren(asked, tiles);
  root.classList.toggle("colour", !data.inked);
  root.tabIndex = -1;
  root.onkeydown = (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const rank = data.tiles.findIndex((tile) => tile.name === event.key.toUpperCase());
    if (rank >= 0) answer(rank);
  };
  if (open && data.number) root.focus({ preventScroll: true });
  tick();
  const ticking = open ? setInterval(tick, 100) : undefined;
  return () => clearInterval(ticking);
}

function element(kind, properties) {
  return Object.assign(document.createElement(kind), properties);
}

function picture(address) {
  const ink = element("i", {});
  ink.style.setProperty("--picture", `url(${address})`);
  return ink;
}

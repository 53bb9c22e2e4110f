// Drawings as buttons that are ticked and unticked; those ticked stand above, in their order.
// `data` is what __init__.py describes; `chosen` goes back with every tick.

export default function ({ data, parentElement, setStateValue }) {
  const root = parentElement.querySelector(".picker");
  let chosen = [...data.chosen];

  function toggle(number) {
    const there = chosen.includes(number);
    if (!there && chosen.length >= data.most) return;
    chosen = there ? chosen.filter((n) => n !== number) : [...chosen, number];
    draw();
    root.querySelector(`[data-number="${number}"]`)?.focus();
    setStateValue("chosen", chosen);
  }
  function button(number) {
    const { image, name } = data.pictures[number];
    const rank = chosen.indexOf(number);
    const made = document.createElement("button");
    made.type = "button";
    made.dataset.number = number;
    made.title = name;
    made.setAttribute("aria-pressed", rank >= 0);
    made.setAttribute("aria-label", rank >= 0 ? `${name}, class ${letter(rank)}` : name);
    if (rank >= 0) made.style.setProperty("--class", data.colors[rank]);
    const ink = document.createElement("i");
    if (data.inked) ink.style.maskImage = ink.style.webkitMaskImage = `url(${image})`;
    else Object.assign(ink.style, { background: `url(${image}) center / contain no-repeat`, imageRendering: "auto" });
    const label = document.createElement("b");
    label.textContent = rank >= 0 ? letter(rank) : "";
    made.append(ink, label);
    if (data.named) {
      const called = document.createElement("span");
      called.textContent = name;
      made.append(called);
    }
    made.onclick = () => toggle(number);
    return made;
  }
  function row(kind, numbers, empty) {
    const made = document.createElement("div");
    made.className = kind;
    made.append(...numbers.map(button));
    if (!numbers.length) made.textContent = empty;
    return made;
  }
  function draw() {
    const left = data.offered.filter((number) => !chosen.includes(number));
    root.replaceChildren(row("chosen", chosen, "Nothing is ticked yet."), row("offered", left, ""));
  }
  draw();
}

const letter = (rank) => String.fromCharCode(65 + rank);

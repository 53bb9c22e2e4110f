// A button that copies the address. What is usual only in this store (`exact`) is spelled out, and
// what stands in the address bar now counts: it may be newer than the page's last run.

const SAID = { rest: "Copy link", done: "Copied", failed: "Copy it from here" };
const SHOWN = 2500;

export default function ({ data, parentElement }) {
  const root = parentElement.querySelector(".link");
  root.exact = data.exact;
  if (root.hasChildNodes()) return;
  const button = document.createElement("button");
  button.type = "button";
  button.title = "Copies a link to exactly this view";
  button.innerHTML =
    '<svg viewBox="0 0 24 24" width="18" height="18" aria-hidden="true"><path fill="none" stroke="currentColor" stroke-width="2" stroke-linecap="round" d="M10 14a4 4 0 0 0 5.7 0l3.2-3.2a4 4 0 0 0-5.7-5.7L12 6.3M14 10a4 4 0 0 0-5.7 0l-3.2 3.2a4 4 0 0 0 5.7 5.7l1.2-1.2"/></svg>';
  const said = document.createElement("span");
  said.setAttribute("aria-live", "polite");
  said.textContent = SAID.rest;
  button.append(said);
  const field = document.createElement("input");
  field.readOnly = true;
  field.hidden = true;
  field.setAttribute("aria-label", "Link to exactly this view");
  root.append(button, field);
  button.onclick = async () => {
    const address = exactly(root.exact);
    root.dataset.address = address;
    const copied = await copy(address);
    said.textContent = copied ? SAID.done : SAID.failed;
    field.hidden = copied;
    if (!copied) {
      field.value = address;
      field.select();
    }
    setTimeout(() => { said.textContent = SAID.rest; }, SHOWN);
  };
}

function exactly(exact) {
  const query = new URLSearchParams(location.search);
  const spelled = new URLSearchParams(exact);
  for (const name of new Set(spelled.keys()))
    if (!query.has(name)) spelled.getAll(name).forEach((word) => query.append(name, word));
  const words = query.toString();
  return location.origin + location.pathname + (words ? `?${words}` : "");
}

// Browsers lend the clipboard to safe addresses only (https, localhost): elsewhere the link is shown.
async function copy(address) {
  try {
    await navigator.clipboard.writeText(address);
    return true;
  } catch {
    return false;
  }
}

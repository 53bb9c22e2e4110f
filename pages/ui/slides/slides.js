// Hears the click on a chart's camera before Plotly does, and dresses the figure that it copies.

const HEADING = 26; // pixels; a slide is 960 wide

export default function () {
  document.addEventListener("click", dress, true);
  return () => document.removeEventListener("click", dress, true);
}

function dress(event) {
  const button = event.target.closest?.('.modebar-btn[data-title^="Download"]');
  const chart = button?.closest(".js-plotly-plot");
  if (!chart) return;
  const wanted = chart._context?.toImageButtonOptions?.title;
  const { layout } = chart;
  const { title, margin, paper_bgcolor } = layout;
  const ink = layout.font?.color;
  if (wanted) {
    const rows = chart._fullLayout?.legend?._height ?? 0;
    layout.title = {
      text: `<b>${wanted}</b>`, x: 0, xref: "container", xanchor: "left", y: 1, yref: "container", yanchor: "top",
      pad: { l: 24, t: 20 }, font: { size: HEADING, color: ink },
    };
    layout.margin = { ...margin, l: 24, r: 30, b: 24, t: 36 + HEADING + rows };
  }
  layout.paper_bgcolor = getComputedStyle(document.querySelector(".stApp")).backgroundColor;
  setTimeout(() => Object.assign(layout, { title, margin, paper_bgcolor })); // Plotly has its copy
}

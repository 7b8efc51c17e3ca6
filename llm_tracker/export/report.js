"use strict";
{
  const { specs, configs, texts } = JSON.parse(document.getElementById("charts").textContent);
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const given = document.documentElement.dataset.scheme;
  const drawn = new Map();

  const draw = async (spec, at) => {
    const scheme = given || (dark.matches ? "dark" : "light");
    const place = document.getElementById(`chart-${at}`);
    // Vega makes code of its expressions, unless it is told to read them as trees: a spec may hold any text.
    const config = { ...configs[scheme], background: null, font: getComputedStyle(document.body).fontFamily };
    const how = { config, renderer: "svg", actions: false, ast: true };
    try {
      drawn.get(at)?.finalize();
      drawn.set(at, await vegaEmbed(place, spec, how));
    } catch (error) {
      place.textContent = texts.undrawn;
      place.removeAttribute("aria-hidden");
      place.parentElement.removeAttribute("role");
      console.error(error);
    }
  };

  const drawAll = () => specs.forEach(draw);
  drawAll();
  if (!given) dark.addEventListener("change", drawAll);

  for (const button of document.querySelectorAll("[data-copies]")) {
    const source = document.getElementById(button.dataset.copies);
    const status = button.parentElement.querySelector("[role=status]");
    button.addEventListener("click", async () => {
      try {
        await navigator.clipboard.writeText(source.textContent);
        status.textContent = texts.copied;
      } catch {
        getSelection().selectAllChildren(source);
        status.textContent = texts.selected;
      }
    });
  }
}

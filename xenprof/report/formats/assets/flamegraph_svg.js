"use strict";
// Zoom and search. Texts are only ever set as textContent.
// `#search=TEXT&zoom=NAME` behind the address begin with that.
(() => {
  const svg = document.documentElement, nodes = [...document.querySelectorAll("#graph > g")];
  const margin = Number(svg.dataset.margin), letter = Number(svg.dataset.letter);
  const inner = Number(svg.getAttribute("width")) - 2 * margin;
  const details = document.getElementById("details"), reset = document.getElementById("reset");
  const of = nodes.map((node) => ({
    node,
    rect: node.querySelector("rect"),
    text: node.querySelector("text"),
    begin: Number(node.dataset.b),
    width: Number(node.dataset.w),
    name: node.dataset.n,
    y: Number(node.querySelector("rect").getAttribute("y")),
  }));
  const total = Number(svg.dataset.total);
  let wanted = null;

  function zoom(focus) {
    const per = focus.width ? inner / focus.width : 0;
    for (const one of of) {
      const isAbove = one.y > focus.y && one.begin <= focus.begin && one.begin + one.width >= focus.begin + focus.width;
      const isInside = one.y <= focus.y && one.begin >= focus.begin && one.begin + one.width <= focus.begin + focus.width;
      one.node.style.display = isAbove || isInside ? "" : "none";
      one.node.classList.toggle("far", isAbove);
      const left = isAbove ? margin : margin + (one.begin - focus.begin) * per;
      const wide = isAbove ? inner : one.width * per;
      one.rect.setAttribute("x", left);
      one.rect.setAttribute("width", wide);
      one.text.setAttribute("x", left + 3);
      const letters = Math.floor((wide - 6) / letter);
      one.text.textContent =
        letters < 3 ? "" : one.name.length > letters ? `${one.name.slice(0, letters - 1)}…` : one.name;
    }
    reset.setAttribute("visibility", focus === of[0] ? "hidden" : "visible");
  }

  function ask() {
    const text = prompt("Part of a name, or /regular expression/", wanted ?? "");
    if (text !== null) search(text);
  }

  function search(text) {
    wanted = text;
    let test = (name) => name.toLowerCase().includes(text.toLowerCase());
    if (text.length > 2 && text.startsWith("/") && text.endsWith("/")) {
      try {
        const pattern = new RegExp(text.slice(1, -1), "i");
        test = (name) => pattern.test(name);
      } catch {
        test = () => false;
      }
    }
    const found = of.filter((one, index) => index > 0 && text !== "" && test(one.name));
    for (const one of of) one.rect.classList.toggle("match", found.includes(one));
    // Wider ones that stand below contain those above them: count each sample once.
    found.sort((a, b) => b.y - a.y || a.begin - b.begin);
    const counted = [];
    let samples = 0;
    for (const one of found) {
      if (counted.some((big) => one.begin >= big.begin && one.begin + one.width <= big.begin + big.width)) continue;
      counted.push(one);
      samples += one.width;
    }
    details.textContent = text === "" ? "" : `matched: ${((100 * samples) / (total || 1)).toFixed(2)} %`;
  }

  for (const one of of) {
    one.rect.addEventListener("click", () => zoom(one));
    one.rect.addEventListener("mouseenter", () => {
      details.textContent = one.node.querySelector("title").textContent;
    });
  }
  reset.addEventListener("click", () => zoom(of[0]));
  document.getElementById("search").addEventListener("click", ask);
  addEventListener("keydown", (event) => {
    if ((event.ctrlKey || event.metaKey) && event.key === "f") {
      ask();
      event.preventDefault();
    }
    if (event.key === "Escape") zoom(of[0]);
  });
  const asked = new URLSearchParams(location.hash.slice(1));
  if (asked.has("search")) search(asked.get("search"));
  const named = of.find((one) => one.name === asked.get("zoom"));
  if (named) zoom(named);
})();

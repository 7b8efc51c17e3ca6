// A strip of tokens as radio buttons: click, or arrow keys, Home and End. Text only ever enters by textContent.
const strips = new WeakMap();

function button(token, index) {
  const element = document.createElement("button");
  element.type = "button";
  element.setAttribute("role", "radio");
  element.setAttribute("aria-label", token.said);
  element.title = token.said;
  const text = document.createElement("span");
  text.textContent = token.text;
  const bar = document.createElement("span");
  bar.className = "bar";
  const share = document.createElement("span");
  share.style.width = `${100 * token.prob}%`;
  bar.append(share);
  element.append(text, bar);
  element.dataset.step = index;
  return element;
}

function build(parentElement, data) {
  const strip = document.createElement("div");
  strip.className = "strip";
  strip.setAttribute("role", "radiogroup");
  data.tokens.forEach((token, index) => strip.append(button(token, index)));
  parentElement.querySelector(".strip")?.remove();
  parentElement.append(strip);
  return strip;
}

function mark(strip, chosen) {
  const isElsewhere = !strip.children[chosen]; // then the keyboard enters at the first token
  for (const each of strip.children) {
    const own = Number(each.dataset.step) === chosen;
    each.setAttribute("aria-checked", own);
    each.tabIndex = own || (isElsewhere && each === strip.firstChild) ? 0 : -1;
    if (own && (each.offsetLeft < strip.scrollLeft || each.offsetLeft + each.offsetWidth > strip.scrollLeft + strip.clientWidth))
      strip.scrollLeft = each.offsetLeft - strip.clientWidth / 2;
  }
}

const moves = { ArrowLeft: -1, ArrowRight: 1, Home: -Infinity, End: Infinity };

export default function ({ data, parentElement, setTriggerValue }) {
  const content = JSON.stringify(data.tokens);
  let known = strips.get(parentElement);
  if (!known || known.content !== content) {
    known = { content, strip: build(parentElement, data) };
    strips.set(parentElement, known);
  }
  const { strip } = known;
  strip.setAttribute("aria-label", data.label);
  strip.style.setProperty("--chosen", data.colour);
  mark(strip, data.chosen);
  const choose = (step) => {
    mark(strip, step);
    setTriggerValue("picked", step);
  };
  strip.onclick = (event) => {
    const target = event.target.closest("button");
    if (target) choose(Number(target.dataset.step));
  };
  strip.onkeydown = (event) => {
    if (!(event.key in moves)) return;
    event.preventDefault();
    const at = Number(event.target.closest("button").dataset.step);
    const step = Math.min(Math.max(at + moves[event.key], 0), strip.children.length - 1);
    strip.children[step].focus();
    if (step !== at) choose(step);
  };
}

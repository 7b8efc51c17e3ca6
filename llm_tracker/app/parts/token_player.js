// The tokens of an answer, one after another: a strip, buttons to walk and to play, and what was likely at each token.
// Text only ever enters by textContent, and the player's own in `data.texts`. The server hears of a token when the walk stops there.
const players = new WeakMap();
const STEP_MS = 900;
const moves = { ArrowLeft: -1, ArrowRight: 1, Home: -Infinity, End: Infinity };

function element(name, className, text = "") {
  const made = document.createElement(name);
  if (className) made.className = className;
  made.textContent = text;
  return made;
}

function bar(prob, className = "bar") {
  const track = element("span", className);
  const share = element("span");
  share.style.width = `${100 * prob}%`;
  track.append(share);
  return track;
}

// Drawn, since some systems show the signs for these as pictures in colours of their own.
const icons = {
  first: "M3 2h2v12H3zM14 2v12L6 8z", back: "M10 2l2 2-4 4 4 4-2 2-6-6z", play: "M4 2v12l9-6z",
  pause: "M3 2h4v12H3zM9 2h4v12H9z", next: "M6 2L4 4l4 4-4 4 2 2 6-6z", last: "M2 2v12l8-6zM11 2h2v12h-2z",
};

function icon(name) {
  const space = "http://www.w3.org/2000/svg";
  const drawing = document.createElementNS(space, "svg");
  drawing.setAttribute("viewBox", "0 0 16 16");
  drawing.setAttribute("aria-hidden", "true");
  const path = document.createElementNS(space, "path");
  path.setAttribute("d", icons[name]);
  drawing.append(path);
  return drawing;
}

function control(label, name, act) {
  const button = element("button", "control");
  button.append(icon(name));
  button.type = "button";
  button.title = label;
  button.setAttribute("aria-label", label);
  button.onclick = act;
  return button;
}

class Player {
  constructor(parent, data, tell) {
    this.data = data;
    this.tell = tell;
    this.at = data.chosen;
    this.told = []; // steps that the server has been told of and has not drawn yet
    this.root = element("div", "player");
    this.strip = element("div", "strip");
    this.strip.setAttribute("role", "radiogroup");
    data.tokens.forEach((token, index) => this.strip.append(this.token(token, index)));
    this.play = control(data.texts.play, "play", () => this.toggle());
    this.place = element("span", "place");
    const walk = (by) => () => { this.pause(); this.go(this.at + by); this.settle(); };
    const controls = element("div", "controls");
    controls.append(
      control(data.texts.first, "first", walk(-Infinity)), control(data.texts.back, "back", walk(-1)),
      control(data.texts.next, "next", walk(1)), control(data.texts.last, "last", walk(Infinity)), this.play, this.place,
    );
    this.text = element("p", "so-far");
    this.facts = element("p", "facts");
    this.facts.setAttribute("aria-live", "polite");
    this.rivals = element("div", "rivals");
    this.root.append(this.strip, controls, this.text, this.facts, this.rivals);
    this.root.onkeydown = (event) => this.key(event);
    parent.querySelector(".player")?.remove();
    parent.append(this.root);
    this.show();
  }

  token(token, index) {
    const button = element("button", "token");
    button.type = "button";
    button.setAttribute("role", "radio");
    button.setAttribute("aria-label", token.said);
    button.title = token.said;
    button.append(element("span", "", token.text), bar(token.prob));
    button.onclick = () => { this.pause(); this.go(index); this.settle(); };
    return button;
  }

  go(to) {
    this.at = Math.min(Math.max(to, 0), this.data.tokens.length - 1);
    this.show();
  }

  settle() {
    const last = this.told.length ? this.told[this.told.length - 1] : this.chosen;
    if (this.at === last) return;
    this.told.push(this.at);
    this.tell("picked", this.at);
  }

  // What the server draws may be an earlier step of this walk: only one that came from elsewhere is gone to.
  drawn(chosen) {
    this.chosen = chosen;
    const place = this.told.lastIndexOf(chosen);
    if (place >= 0) this.told.splice(0, place + 1);
    else if (!this.told.length && !this.timer && chosen !== this.at) this.go(chosen);
  }

  toggle() {
    if (this.timer) { this.pause(); this.settle(); return; }
    if (this.at === this.data.tokens.length - 1) this.go(0);
    this.play.replaceChildren(icon("pause"));
    this.play.setAttribute("aria-label", this.data.texts.pause);
    this.timer = setInterval(() => {
      if (!this.root.isConnected) { this.pause(); return; }
      if (this.at < this.data.tokens.length - 1) this.go(this.at + 1);
      if (this.at === this.data.tokens.length - 1) { this.pause(); this.settle(); }
    }, STEP_MS);
  }

  pause() {
    clearInterval(this.timer);
    this.timer = undefined;
    this.play.replaceChildren(icon("play"));
    this.play.setAttribute("aria-label", this.data.texts.play);
  }

  key(event) {
    const inStrip = event.target.closest(".strip");
    if (event.key === " " && (inStrip || event.target === this.play)) {
      event.preventDefault();
      this.toggle();
    } else if (event.key in moves) {
      event.preventDefault();
      this.pause();
      this.go(this.at + moves[event.key]);
      if (inStrip) this.strip.children[this.at].focus();
      this.settle();
    }
  }

  show() {
    const token = this.data.tokens[this.at];
    [...this.strip.children].forEach((each, index) => {
      each.setAttribute("aria-checked", index === this.at);
      each.tabIndex = index === this.at ? 0 : -1;
    });
    const own = this.strip.children[this.at];
    if (own.offsetLeft < this.strip.scrollLeft || own.offsetLeft + own.offsetWidth > this.strip.scrollLeft + this.strip.clientWidth)
      this.strip.scrollLeft = own.offsetLeft - this.strip.clientWidth / 2;
    this.place.textContent = token.place;
    const before = this.data.tokens.slice(0, this.at).map((each) => each.raw).join("");
    this.text.replaceChildren(document.createTextNode(before), element("mark", "", token.raw));
    this.facts.textContent = token.facts;
    this.rivals.replaceChildren(...token.candidates.map((each) => this.candidate(each)));
  }

  candidate(each) {
    const row = element("div", each.own ? "row own" : "row");
    row.append(element("span", "name", each.text), bar(each.prob, "track"), element("span", "percent", each.percent));
    if (this.data.what_if) {
      const { texts } = this.data;
      const ask = element("button", "ask", texts.what_if);
      ask.type = "button";
      ask.disabled = each.own || !this.data.what_if_ready;
      ask.title = each.own ? texts.written : texts.ask.replace("{token}", () => each.text);
      ask.setAttribute("aria-label", ask.title);
      ask.onclick = () => this.tell("what_if", { step: this.at, token_id: each.id });
      row.append(ask);
    }
    return row;
  }
}

export default function ({ data, parentElement, setTriggerValue }) {
  const content = JSON.stringify([data.tokens, data.texts, data.what_if, data.what_if_ready]);
  let known = players.get(parentElement);
  if (!known || known.content !== content) {
    known?.player.pause();
    known = { content, player: new Player(parentElement, data, setTriggerValue) };
    players.set(parentElement, known);
  }
  const { player } = known;
  player.tell = setTriggerValue;
  player.root.style.setProperty("--chosen", data.colour);
  player.strip.setAttribute("aria-label", data.label);
  player.drawn(data.chosen);
  return () => player.pause();
}

// A presenter's remote control sends PageDown and PageUp, whatever has the focus: Streamlit's own shortcuts rest while
// somebody types. Only Escape's does not, and is to leave the field first.
const buttons = { PageDown: "on", PageUp: "back" };

export default function () {
  const press = (event) => {
    if (event.key === "Escape" && event.target.matches?.("input, textarea")) {
      event.stopPropagation();
      event.target.blur();
      return;
    }
    const name = buttons[event.key];
    const button = name && document.querySelector(`.st-key-${name} button:enabled`);
    if (!button) return;
    event.preventDefault();
    event.stopImmediatePropagation(); // one press, one slide: while the page is drawn anew there may be two of us
    if (!event.repeat) button.click();
  };
  document.addEventListener("keydown", press, true);
  return () => document.removeEventListener("keydown", press, true);
}

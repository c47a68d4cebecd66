// A sign that tells more while it is pointed at or has the focus.

function explain(button, text) {
  button.hidden = !text;
  button.setAttribute("aria-label", text ? `Help: ${text}` : "");
  button.dataset.text = text ?? "";
  if (button.tip) return;
  const tip = (button.tip = document.createElement("div"));
  tip.className = "tip";
  tip.popover = "manual";
  button.after(tip);
  const show = () => {
    tip.textContent = button.dataset.text;
    tip.showPopover();
    const { left, bottom, top } = button.getBoundingClientRect();
    const x = Math.max(8, Math.min(left, innerWidth - tip.offsetWidth - 8));
    const below = bottom + 6 + tip.offsetHeight < innerHeight;
    tip.style.left = `${x}px`;
    tip.style.top = `${below ? bottom + 6 : top - 6 - tip.offsetHeight}px`;
  };
  const hide = () => tip.matches(":popover-open") && tip.hidePopover();
  button.onpointerenter = button.onfocus = show;
  button.onpointerleave = button.onblur = hide;
  button.onkeydown = (event) => event.key === "Escape" && hide();
}

// A sentence, as the server told it or as the answers of a dial have it.

const sentences = new WeakMap(); // parent element -> { data, watch }

export default function ({ data, parentElement }) {
  let own = sentences.get(parentElement);
  if (!own) {
    const root = parentElement.querySelector(".sentence");
    own = {};
    own.watch = () => {
      const answer = dials.instead(own.data.at);
      root.textContent = answer?.table?.sentence(own.data.key, answer.row) ?? own.data.text;
    };
    dials.addEventListener("move", own.watch);
    sentences.set(parentElement, own);
  }
  own.data = data;
  parentElement.querySelector(".sentence").classList.toggle("strong", data.strong);
  own.watch();
  const call = (own.call = Symbol());
  return () => {
    if (own.call !== call) return;
    dials.removeEventListener("move", own.watch);
    sentences.delete(parentElement);
  };
}

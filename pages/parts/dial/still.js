// Tells the server, once for each of its runs, that nothing on the page has changed for a while.

const told = new WeakMap(); // parent element -> the run
const ALL = { childList: true, subtree: true, attributes: true, characterData: true };

export default function ({ data, parentElement, setTriggerValue }) {
  if (told.get(parentElement) === data.run) return;
  let timer;
  const wait = () => {
    clearTimeout(timer);
    timer = setTimeout(tell, 1000 * data.seconds);
  };
  const changes = new MutationObserver(wait);
  const stop = () => {
    clearTimeout(timer);
    changes.disconnect();
  };
  const tell = () => {
    stop();
    told.set(parentElement, data.run);
    setTriggerValue("still", true);
  };
  changes.observe(document.body, ALL);
  wait();
  return stop;
}

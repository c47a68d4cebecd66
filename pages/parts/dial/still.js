// Tells the server, once for each of its runs, that nothing has been asked for since for a while.

const told = new WeakMap(); // parent element -> the run

export default function ({ data, parentElement, setTriggerValue }) {
  if (told.get(parentElement) === data.run) return;
  const timer = setTimeout(() => {
    told.set(parentElement, data.run);
    setTriggerValue("still", true);
  }, 1000 * data.seconds);
  return () => clearTimeout(timer);
}

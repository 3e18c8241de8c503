// The answer as a sound, for a clerk who looks at the person and not at the screen. Off until he turns it on.
const TONES = { good: [880], warn: [440, 440], bad: [220, 220, 220], unknown: [330, 220] }; // Hz
const LENGTH = 0.16; // seconds
const KEPT = "ona-sound";
const box = document.querySelector("[data-sound]");
const asked = box.querySelector("input");

async function play(tone) {
  const context = new AudioContext();
  await context.resume();
  TONES[tone].forEach((pitch, place) => {
    const note = new OscillatorNode(context, { frequency: pitch });
    note.connect(new GainNode(context, { gain: 0.2 })).connect(context.destination);
    note.start(context.currentTime + place * 1.5 * LENGTH);
    note.stop(context.currentTime + place * 1.5 * LENGTH + LENGTH);
  });
}

function sound() {
  const band = document.querySelector(".ona-band");
  const tone = Object.keys(TONES).find((name) => band?.classList.contains(`ona-band--${name}`));
  if (asked.checked && tone) play(tone).catch(() => undefined); // a browser may want a click first: then it stays silent
}

box.hidden = false;
asked.checked = localStorage.getItem(KEPT) === "on";
asked.addEventListener("change", () => {
  localStorage.setItem(KEPT, asked.checked ? "on" : "off");
  if (asked.checked) play("good").catch(() => undefined);
});
document.addEventListener("ona-answer", sound); // an answer that the page itself drew
sound();

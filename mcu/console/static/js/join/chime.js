// @ts-check
// Two tones that say in the room: you are called.

const NOTES_HZ = [660, 880];
const NOTE_S = 0.35;

/** Sounds where the browser lets pages sound that nobody has touched; else the text must do. */
export function chime() {
  const context = new AudioContext();
  const gain = context.createGain();
  gain.gain.value = 0.15;
  gain.connect(context.destination);
  NOTES_HZ.forEach((hz, index) => {
    const tone = context.createOscillator();
    tone.frequency.value = hz;
    tone.connect(gain);
    tone.start(context.currentTime + index * NOTE_S);
    tone.stop(context.currentTime + (index + 1) * NOTE_S);
    if (index === NOTES_HZ.length - 1) tone.onended = () => void context.close();
  });
}

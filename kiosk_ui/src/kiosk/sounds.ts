import type { Kiosk } from "../shared/snapshots";

export type Sound = "tap-ok" | "try-again" | "done" | "warning";

/** Pitches in Hz that follow each other; all of one sound last at most 300 ms. */
const PITCHES: Record<Sound, number[]> = {
  "tap-ok": [880],
  "try-again": [330, 262],
  done: [659, 784, 1047],
  warning: [523, 659],
};
const NOTE_S = 0.09;
const VOLUME = 0.06;

let audio: AudioContext | null = null;

/** Returns the sound of what came onto the screen, or null when nothing of it is worth one. */
export function soundOf(screen: Kiosk["screen"], before: Kiosk["screen"]["screen"] | null): Sound | null {
  switch (screen.screen) {
    case "trouble":
      return "try-again";
    case "done":
    case "gift":
      return "done";
    case "gate":
      return screen.opened ? "done" : "try-again";
    case "join":
      return screen.step === "joined" ? "done" : null;
    case "balance":
      return before === "attract" || before === "reading" || before === "trouble" ? "tap-ok" : null;
    default:
      return null;
  }
}

/** Plays a short quiet sound; it never says anything that the screen does not. */
export async function play(sound: Sound): Promise<void> {
  if (document.hidden || !(await mayPlay())) return;
  audio ??= new AudioContext();
  if (audio.state === "suspended") await audio.resume();
  PITCHES[sound].forEach((pitch, place) => note(audio as AudioContext, pitch, place * NOTE_S));
}

function note(on: AudioContext, pitch: number, after_s: number): void {
  const tone = on.createOscillator();
  const volume = on.createGain();
  const from = on.currentTime + after_s;
  tone.frequency.value = pitch;
  volume.gain.setValueAtTime(0, from);
  volume.gain.linearRampToValueAtTime(VOLUME, from + 0.01);
  volume.gain.exponentialRampToValueAtTime(0.001, from + NOTE_S);
  tone.connect(volume).connect(on.destination);
  tone.start(from);
  tone.stop(from + NOTE_S);
}

/** A browser that was not started for a kiosk lets nothing sound before the first touch; asking it is silent. */
async function mayPlay(): Promise<boolean> {
  if (navigator.userActivation.hasBeenActive) return true;
  const refused = new Audio().play().then(
    () => true,
    () => false,
  );
  return Promise.race([refused, new Promise<boolean>((tell) => setTimeout(() => tell(true), 20))]);
}

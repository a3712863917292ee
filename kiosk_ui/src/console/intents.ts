import { textsOfPage } from "../shared/i18n";
import { intentsFor } from "../shared/intents";
import type { Problem } from "../shared/snapshots";
import { texts } from "./texts";

export type Intend = (path: string, body?: object) => void;

export const sendToConsole = intentsFor("console", unreachable);
export const sendToDock = intentsFor("dock", unreachable);

function unreachable(): Problem {
  const { say } = textsOfPage(texts);
  return { code: "unreachable", sentence: say("console.lost.title"), next_step: say("console.lost.next") };
}

import { intentsFor } from "../shared/intents";
import { textsOfPage } from "../shared/i18n";
import { texts } from "./texts";

export type Intend = (path: string, body?: object) => void;

export const send = intentsFor("kiosk", () => {
  const { say } = textsOfPage(texts);
  return { code: "unreachable", sentence: say("kiosk.lost.title"), next_step: say("kiosk.lost.next") };
});

import { useRef } from "preact/hooks";

import { intentsFor, type Send } from "../shared/intents";
import { textsOfPage } from "../shared/i18n";
import { texts } from "./texts";

/** Sends what the person at the till wants and tells whether it was taken; a refusal appears in the message line. */
export type Intend = (path: string, body?: object) => Promise<boolean>;

const post = intentsFor("till", () => {
  const { say } = textsOfPage(texts);
  return { code: "UNREACHABLE", sentence: say("till.lost.title"), next_step: say("till.lost.next") };
});

let last: Promise<unknown> = Promise.resolve();

/** Posts one intent after the other, so that they arrive in the order in which they were typed. */
export const send: Send = (path, body) => {
  const answer = last.then(() => post(path, body));
  last = answer;
  return answer;
};

/** What a second press before the answer must not ask for again. */
const ONCE: ReadonlySet<string> = new Set(["pay", "top-up", "return-confirm", "join"]);

/** Returns the same intents, of which those that move money or make a member are sent one at a time. */
export function useOnce(intend: Intend): Intend {
  const sending = useRef(false);
  return async (path, body) => {
    if (!ONCE.has(path)) return intend(path, body);
    if (sending.current) return false;
    sending.current = true;
    const taken = await intend(path, body);
    sending.current = false;
    return taken;
  };
}

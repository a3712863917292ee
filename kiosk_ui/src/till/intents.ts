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

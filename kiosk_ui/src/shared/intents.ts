import type { Refused } from "./refusals";
import type { Problem } from "./snapshots";

/** Posts what a person wants. Returns null when it was taken, else the reason and the next step. */
export type Send = (path: string, body?: object) => Promise<Refused | null>;

/** Makes the sender of one face; `unreachable` is what to say when the daemon does not answer. */
export function intentsFor(face: "kiosk" | "till" | "console" | "dock", unreachable: () => Problem): Send {
  return async (path, body = {}) => {
    try {
      const answer = await fetch(`/api/${face}/${path}`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify(body),
      });
      if (answer.ok) return null;
      return { ...asProblem(await answer.json()), version: Number(answer.headers.get("live-version")) };
    } catch {
      return { ...unreachable(), version: 0 };
    }
  };
}

/** Reads the daemon's refusal. */
export function asProblem(answer: unknown): Problem {
  const { code, sentence, next_step } = answer as Record<string, unknown>;
  if (typeof code !== "string" || typeof sentence !== "string" || typeof next_step !== "string") {
    throw new TypeError("the daemon refused without a problem");
  }
  return { code, sentence, next_step };
}

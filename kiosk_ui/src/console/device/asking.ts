import { textsOfPage } from "../../shared/i18n";
import { asProblem } from "../../shared/intents";
import type { Problem } from "../../shared/snapshots";
import { texts } from "../texts";

const SESSION_BYTES = 16;

/** This page's own name: nobody else knows it, and what it claimed is free when its feed ends. */
export const SESSION = [...crypto.getRandomValues(new Uint8Array(SESSION_BYTES))]
  .map((byte) => byte.toString(16).padStart(2, "0"))
  .join("");

export type Answer<T> = { value: T; problem?: never } | { problem: Problem; value?: never };

/** Shows why something was not done; null takes it back. */
export type Tell = (problem: Problem | null) => void;

/** Asks the daemon: a GET, or with a body a POST. Whatever goes wrong is an answer too. */
export async function ask<T>(path: string, body?: object): Promise<Answer<T>> {
  return answered(path, body, async (answer) => (await answer.json()) as T);
}

/** Asks for a file. */
export async function askFile(path: string): Promise<Answer<Blob>> {
  return answered(path, {}, (answer) => answer.blob());
}

async function answered<T>(
  path: string,
  body: object | undefined,
  read: (answer: Response) => Promise<T>,
): Promise<Answer<T>> {
  const posting = {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  };
  try {
    const answer = await fetch(`/api/${path}`, body === undefined ? {} : posting);
    return answer.ok ? { value: await read(answer) } : { problem: asProblem(await answer.json()) };
  } catch {
    const { say } = textsOfPage(texts);
    return {
      problem: { code: "unreachable", sentence: say("console.lost.title"), next_step: say("console.lost.next") },
    };
  }
}

import { useEffect, useRef, useState } from "preact/hooks";

import { Check, Cross, Erase } from "../shared/icons";
import { settle, typed } from "../shared/press";
import { useTexts } from "./texts";

/** The last digit of a phone number can be read this long. */
const READABLE_MS = 1000;
const LONGEST = 15;
const STAY_EVERY = 4;

interface Props {
  /** Sent by itself with the last digit; without it OK sends. */
  length?: number | undefined;
  /** The fewest that OK sends. */
  least?: number;
  /** Whether the last digit can be read for a moment: a phone number, never a PIN. */
  readable?: boolean;
  /** Told now and then that somebody is typing. */
  stay: () => void;
  send: (digits: string) => void;
}

/** Twelve keys, or a keyboard's digits. What was typed leaves the page as soon as it is sent. */
export function useDigits({ length, least = 4, readable = false, stay, send }: Props) {
  const [digits, setDigits] = useState("");
  const [fresh, setFresh] = useState(false);
  const now = useRef("");

  function become(next: string): void {
    now.current = next;
    setDigits(next);
  }

  function finish(): void {
    if (now.current.length < (length ?? least)) return;
    const sent = now.current;
    become("");
    settle(performance.now());
    send(sent);
  }

  function key(name: string): void {
    setFresh(false);
    if (name === "erase") become(now.current.slice(0, -1));
    else if (name === "clear") become("");
    else if (name === "ok") finish();
    else if (now.current.length < (length ?? LONGEST)) {
      become(now.current + name);
      setFresh(readable);
      if (now.current.length === length) finish();
      else if (now.current.length % STAY_EVERY === 1) stay();
    }
  }

  useEffect(() => {
    if (!fresh) return undefined;
    const timer = setTimeout(() => setFresh(false), READABLE_MS);
    return () => clearTimeout(timer);
  }, [fresh, digits]);
  useEffect(() => listenToDigits((name) => key(name)), [length]);
  return { digits, fresh, key, ready: digits.length >= (length ?? least) };
}

/** A keyboard's digits and Backspace; Enter sends unless it presses a button. */
function listenToDigits(key: (name: string) => void): () => void {
  function onKey(event: KeyboardEvent): void {
    if (event.repeat || document.querySelector("[aria-modal]")) return;
    if (/^\d$/.test(event.key)) key(event.key);
    else if (event.key === "Backspace") key("erase");
    else if (event.key === "Enter" && !(document.activeElement instanceof HTMLButtonElement)) key("ok");
  }
  document.addEventListener("keydown", onKey);
  return () => document.removeEventListener("keydown", onKey);
}

type Typing = ReturnType<typeof useDigits>;

/** Dots for what was typed, and for a number of known length the places still empty. */
export function Typed({ typing, length }: { typing: Typing; length?: number | undefined }) {
  const { say, number } = useTexts();
  const { digits, fresh } = typing;
  const words =
    length === undefined
      ? say("kiosk.numpad.typed", { count: number(digits.length) })
      : say("kiosk.numpad.typed_of", { count: number(digits.length), of: number(length) });
  return (
    <p class="typed" data-testid="typed" data-count={digits.length}>
      <span class="visually-hidden" role="status">
        {words}
      </span>
      {Array.from({ length: length ?? Math.max(digits.length, 1) }, (_, place) => (
        <i key={place} class={place < digits.length ? "full" : ""} aria-hidden="true">
          {fresh && place === digits.length - 1 ? digits[place] : ""}
        </i>
      ))}
    </p>
  );
}

const DIGITS = ["1", "2", "3", "4", "5", "6", "7", "8", "9"];

export function Numpad({ typing, length }: { typing: Typing; length?: number | undefined }) {
  const { say } = useTexts();
  const { key, ready } = typing;
  const digit = (name: string) => (
    <button key={name} type="button" class="button quiet" data-testid={`key-${name}`} onClick={typed(name, () => key(name))}>
      {name}
    </button>
  );
  return (
    <div class="numpad" data-testid="numpad">
      {DIGITS.map(digit)}
      <button
        type="button"
        class="button quiet"
        data-testid="key-erase"
        aria-label={say("kiosk.numpad.erase")}
        onClick={typed("erase", () => key("erase"))}
      >
        <Erase />
      </button>
      {digit("0")}
      {length === undefined ? (
        <button
          type="button"
          class={ready ? "button primary" : "button quiet waiting"}
          data-testid="key-ok"
          aria-disabled={!ready}
          aria-label={say("kiosk.numpad.ok")}
          onClick={typed("ok", () => key("ok"))}
        >
          <Check />
        </button>
      ) : (
        <button
          type="button"
          class="button quiet"
          data-testid="key-clear"
          aria-label={say("kiosk.numpad.clear")}
          onClick={typed("clear", () => key("clear"))}
        >
          <Cross />
        </button>
      )}
    </div>
  );
}

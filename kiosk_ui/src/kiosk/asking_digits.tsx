import type { ComponentChildren } from "preact";

import { Back } from "../shared/icons";
import { Button } from "./button";
import type { Intend } from "./intents";
import { Numpad, Typed, useDigits } from "./numpad";
import { useTexts } from "./texts";

interface Props {
  title: string;
  /** What it is for, in one sentence. */
  purpose: string;
  length?: number | undefined;
  readable?: boolean;
  send: (digits: string) => void;
  intend: Intend;
  /** Another way, as a button. */
  children?: ComponentChildren;
}

/** A screen that asks for digits: what for above, the keys below, or beside it where there is no height. */
export function AskingDigits({ title, purpose, length, readable = false, send, intend, children }: Props) {
  const { say } = useTexts();
  const stay = () => intend("stay");
  const typing = useDigits({ length, least: readable ? 5 : 4, readable, stay, send });
  return (
    <>
      <section class="reading digits">
        <h1 class="question" tabIndex={-1}>
          {title}
        </h1>
        <p class="notes">{purpose}</p>
        <Typed typing={typing} length={length} />
      </section>
      <section class="acting digits">
        <Numpad typing={typing} length={length} />
        <div class="digits-ways">
          <Button id="back" icon={Back} act={() => intend("back")}>
            {say("kiosk.action.back")}
          </Button>
          {children}
        </div>
      </section>
    </>
  );
}

import { useEffect, useRef, useState } from "preact/hooks";

import { Back, Check, Gift, Lock } from "../shared/icons";
import type { Wheel } from "../shared/snapshots";
import { Button } from "./button";
import type { Intend } from "./intents";
import { Sheet } from "./sheet";
import { useTexts } from "./texts";
import { pointerAngle, sectors, TURN_MS, turnsTo } from "./wheel_shape";

const WORD_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789";
const WORD_LENGTH = 12;
const SHORT_HEX = 16;

/** A lottery: what can be drawn and how likely, the draw, and what anybody can check it by later. */
export function WheelScreen({ screen, intend }: { screen: Wheel; intend: Intend }) {
  const { say } = useTexts();
  const [looking, look] = useState(false);
  const { drawn = null } = screen;
  const turning = useTurning(drawn);
  const over = drawn !== null && !turning;

  function check(open: boolean): void {
    look(open);
    intend("stay");
  }

  return (
    <>
      <section class="reading wheel-reading">
        <About screen={screen} over={over} />
        <WheelPicture screen={screen} />
      </section>
      <section class="acting lottery">
        <Prizes screen={screen} over={over} />
        <div class="options">
          {drawn === null && !screen.why_not && (
            <Button id="draw" kind="primary huge" icon={Gift} act={() => intend("draw", { word: randomWord() })}>
              {say("kiosk.wheel.draw")}
            </Button>
          )}
          {turning && <span class="button huge turning" />}
          {over && (
            <Button id="back" kind="primary huge" icon={Check} act={() => intend("back")}>
              {say("kiosk.gift.thanks")}
            </Button>
          )}
          <Button id="fairness" act={() => check(true)}>
            {say("kiosk.wheel.check")}
          </Button>
          {drawn === null && (
            <Button id="back" icon={Back} act={() => intend("back")}>
              {say("kiosk.action.back")}
            </Button>
          )}
        </div>
      </section>
      {looking && (
        <Sheet id="fairness-sheet" label={say("kiosk.wheel.check")} close={() => check(false)}>
          <Prizes screen={screen} over={over} />
          <Fairness screen={screen} over={over} />
        </Sheet>
      )}
    </>
  );
}

/** What a draw takes, or what it brought. */
function About({ screen, over }: { screen: Wheel; over: boolean }) {
  const { say, number } = useTexts();
  return (
    <div>
      <h1 class="question" tabIndex={-1}>
        {screen.name}
      </h1>
      <div class="notes" role="status">
        {over ? (
          (screen.sentences ?? []).map((sentence, place) => (
            <p key={place} class={place === 0 ? "given drawn" : ""} data-testid="drawn">
              {sentence}
            </p>
          ))
        ) : (
          <p data-testid="wheel-cost">
            {say(screen.cost_points > 0 ? "kiosk.wheel.cost" : "kiosk.wheel.free", {
              cost: number(screen.cost_points),
              points: number(screen.points),
            })}
          </p>
        )}
        {screen.why_not && screen.drawn == null && (
          <p class="slip-state" data-testid="wheel-why-not">
            <Lock />
            <span>{screen.why_not}</span>
          </p>
        )}
        <p class="sealed" data-testid="commit-short" data-silent>
          <Sealed hex={screen.commit} />
        </p>
      </div>
    </div>
  );
}

/** Every prize with its odds. */
function Prizes({ screen, over }: { screen: Wheel; over: boolean }) {
  const { say } = useTexts();
  return (
    <ol class="prizes" data-testid="prizes">
      {screen.prizes.map((prize, place) => (
        <li key={place} class={over && place === screen.drawn ? "won" : ""} data-testid={`prize-${place}`}>
          <i class={`swatch sector-${place % 6}`} aria-hidden="true" />
          <span class="prize-name">{prize.name}</span>
          <span class="prize-odds">{prize.sold_out ? say("kiosk.wheel.sold_out") : prize.odds}</span>
        </li>
      ))}
    </ol>
  );
}

/** The commitment that stood here before the draw; after it what the prize followed from. */
function Fairness({ screen, over }: { screen: Wheel; over: boolean }) {
  const { say } = useTexts();
  return (
    <div class="fairness">
      <p>{say("kiosk.wheel.fair")}</p>
      <p data-testid="commit">
        <Sealed hex={screen.commit} />
      </p>
      <p class="whole">
        <code>{screen.commit}</code>
      </p>
      {over && screen.proof && (
        <p data-testid="proof">
          {say("kiosk.wheel.proof")} <code>{screen.proof}</code>
        </p>
      )}
    </div>
  );
}

/** The beginning of the commitment, which is what people compare. */
function Sealed({ hex }: { hex: string }) {
  const { say } = useTexts();
  return (
    <>
      {say("kiosk.wheel.commit")} <code>{groups(hex.slice(0, SHORT_HEX))}…</code>
    </>
  );
}

/** Turns to what was drawn while the page was here; a page that comes later, or without motion, shows it at once. */
function WheelPicture({ screen }: { screen: Wheel }) {
  const wheel = useRef<SVGGElement>(null);
  const { drawn = null, prizes } = screen;
  const before = useRef(drawn);
  const angle = drawn === null ? 0 : pointerAngle(prizes, drawn);
  useEffect(() => {
    if (before.current === null && drawn !== null && !still()) {
      const turn = [0, turnsTo(angle)].map((degrees) => ({ transform: `rotate(${degrees}deg)` }));
      wheel.current?.animate(turn, { duration: TURN_MS, easing: "cubic-bezier(.15,.7,.1,1)" });
    }
    before.current = drawn;
  }, [drawn]);
  return (
    <svg class="wheel" viewBox="-104 -112 208 216" aria-hidden="true" focusable="false" data-drawn={drawn ?? ""}>
      <g ref={wheel} class="wheel-disc" transform={`rotate(${angle})`}>
        {sectors(prizes).map((sector, place) => (
          <path key={place} class={`sector sector-${place % 6}`} d={sector} />
        ))}
        <circle class="wheel-hub" r="22" />
      </g>
      <path class="wheel-pointer" d="M-11 -110h22L0 -86z" />
    </svg>
  );
}

/** True from the draw until the wheel stands. */
function useTurning(drawn: number | null): boolean {
  const [stands, setStands] = useState(drawn !== null);
  useEffect(() => {
    if (drawn === null || still()) {
      setStands(drawn !== null);
      return undefined;
    }
    const timer = setTimeout(() => setStands(true), TURN_MS);
    return () => clearTimeout(timer);
  }, [drawn]);
  return drawn !== null && !stands;
}

function still(): boolean {
  return matchMedia("(prefers-reduced-motion: reduce)").matches;
}

/** The kiosk's word, of which the prize follows together with the shop's seed: nobody here can choose it. */
function randomWord(): string {
  const numbers = crypto.getRandomValues(new Uint32Array(WORD_LENGTH));
  return Array.from(numbers, (number) => WORD_LETTERS[number % WORD_LETTERS.length]).join("");
}

function groups(hex: string): string {
  return hex.replace(/(.{4})(?=.)/g, "$1 ");
}

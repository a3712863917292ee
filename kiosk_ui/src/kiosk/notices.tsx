import type { ComponentChildren, ComponentType } from "preact";

import { Card, Check, Clock, Lock, Person, Sparkle, Star, Warning } from "../shared/icons";
import type { Gate, OutOfService, Trouble } from "../shared/snapshots";
import { Button } from "./button";
import { useCountdown } from "./countdown";
import type { Intend } from "./intents";
import { useTexts } from "./texts";

interface NoticeProps {
  icon: ComponentType;
  title: ComponentChildren;
  next?: ComponentChildren;
  tone?: "calm" | "attention";
  /** What can be pressed, at the bottom. */
  children?: ComponentChildren;
}

/** A whole screen with one thing to say, and at most one to press. */
export function Notice({ icon: Icon, title, next = "", tone = "calm", children }: NoticeProps) {
  return (
    <section class={`notice ${tone}`} role={tone === "attention" ? "alert" : undefined}>
      <div class="notice-mark">
        <Icon />
      </div>
      <h1 class="notice-title" tabIndex={-1}>
        {title}
      </h1>
      <p class="notice-next">{next}</p>
      {children && <div class="notice-acts">{children}</div>}
    </section>
  );
}

export function StartingScreen() {
  const { say } = useTexts();
  return <Notice icon={Clock} title={say("kiosk.starting.title")} />;
}

export function ReadingScreen() {
  const { say } = useTexts();
  return <Notice icon={Card} title={say("kiosk.reading.title")} next={say("kiosk.reading.next")} />;
}

export function TroubleScreen({ screen, intend }: { screen: Trouble; intend: Intend }) {
  const { say } = useTexts();
  const { sentence, next_step: next } = screen.problem;
  return (
    <Notice icon={Card} title={sentence} next={next} tone="attention">
      {screen.can_join && (
        <Button id="join" kind="primary huge" icon={Person} act={() => intend("join")}>
          {say("kiosk.trouble.join")}
        </Button>
      )}
    </Notice>
  );
}

export function GoodbyeScreen({ feedback, intend }: { feedback: boolean; intend: Intend }) {
  const { say } = useTexts();
  return (
    <Notice icon={Check} title={say("kiosk.goodbye.title")} next={say("kiosk.goodbye.next")}>
      {feedback && (
        <Button id="feedback" kind="quiet huge" icon={Star} act={() => intend("feedback")}>
          {say("kiosk.goodbye.feedback")}
        </Button>
      )}
    </Notice>
  );
}

/** While the glass is wiped nothing can be pressed, so nothing stands here but how long that lasts. */
export function OutOfServiceScreen({ screen }: { screen: OutOfService }) {
  const { say, number } = useTexts();
  const left = useCountdown(screen.left_s ?? null);
  if (screen.why === "closed") {
    return (
      <Notice icon={Warning} title={say("kiosk.lost.title")} next={say("kiosk.lost.next")} tone="attention" />
    );
  }
  return (
    <Notice
      icon={Sparkle}
      title={say("kiosk.cleaning.title")}
      next={
        screen.left_s != null && (
          <span data-testid="cleaning-left">{say("kiosk.cleaning.left", { seconds: number(left) })}</span>
        )
      }
    />
  );
}

/** The answer of a door. A sign and words say it, not the colour alone. */
export function GateScreen({ screen }: { screen: Gate }) {
  const { say } = useTexts();
  return (
    <Notice
      icon={screen.opened ? Check : Lock}
      tone={screen.opened ? "calm" : "attention"}
      title={
        <span data-testid="gate" data-opened={screen.opened}>
          {say(screen.opened ? "kiosk.gate.opened" : "kiosk.gate.refused", { title: screen.title })}
        </span>
      }
      next={screen.sentences.map((sentence, place) => (
        <span class="in-all" key={place}>
          {sentence}
        </span>
      ))}
    />
  );
}

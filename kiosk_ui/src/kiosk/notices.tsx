import type { ComponentChildren, ComponentType } from "preact";

import { Card, Check, Clock, Warning } from "../shared/icons";
import type { Problem } from "../shared/snapshots";
import { useTexts } from "./texts";

interface NoticeProps {
  icon: ComponentType;
  title: ComponentChildren;
  next?: ComponentChildren;
  tone?: "calm" | "attention";
}

/** A whole screen with one thing to say and nothing to press. */
export function Notice({ icon: Icon, title, next = "", tone = "calm" }: NoticeProps) {
  return (
    <section class={`notice ${tone}`} role={tone === "attention" ? "alert" : undefined}>
      <div class="notice-mark">
        <Icon />
      </div>
      <h1 class="notice-title" tabIndex={-1}>
        {title}
      </h1>
      <p class="notice-next">{next}</p>
    </section>
  );
}

export function StartingScreen() {
  const { say } = useTexts();
  return <Notice icon={Clock} title={say("kiosk.starting.title")} />;
}

export function TroubleScreen({ problem }: { problem: Problem }) {
  return <Notice icon={Card} title={problem.sentence} next={problem.next_step} tone="attention" />;
}

export function GoodbyeScreen() {
  const { say } = useTexts();
  return <Notice icon={Check} title={say("kiosk.goodbye.title")} next={say("kiosk.goodbye.next")} />;
}

export function OutOfServiceScreen({ problem }: { problem: Problem }) {
  return <Notice icon={Warning} title={problem.sentence} next={problem.next_step} tone="attention" />;
}

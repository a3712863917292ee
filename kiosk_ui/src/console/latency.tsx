import { Check, Clock, Warning } from "../shared/icons";
import type { Latency } from "../shared/snapshots";
import { useTexts } from "./texts";

const GOAL_MS = 50;
const SCALE_FROM_MS = 100;

/** From the card being reported to the picture on the screen, against the goal. */
export function LatencyPanel({ latency }: { latency: Latency }) {
  const { say, number } = useTexts();
  const measured = latency.taps > 0;
  const good = latency.p99_ms <= GOAL_MS;
  const Mark = good ? Check : Warning;
  const ms = (value: number) => (measured ? `${number(value)} ms` : "—");
  return (
    <section class="panel" data-testid="latency" data-taps={latency.taps} aria-labelledby="latency-title">
      <div class="panel-head">
        <h2 id="latency-title" class="section-title">
          <Clock />
          {say("console.latency.title")}
        </h2>
        {measured && (
          <p class="badge" data-light={good ? "green" : "amber"}>
            <Mark />
            <span>{say(good ? "console.latency.good" : "console.latency.slow", { goal: GOAL_MS })}</span>
          </p>
        )}
      </div>
      <p class="hint">{say("console.latency.what", { goal: GOAL_MS })}</p>
      <dl class="figures">
        <Figure name={say("console.latency.taps")} value={number(latency.taps)} />
        <Figure name="p50" value={ms(latency.p50_ms)} />
        <Figure name="p99" value={ms(latency.p99_ms)} />
      </dl>
      {measured && <Scale latency={latency} />}
    </section>
  );
}

function Figure({ name, value }: { name: string; value: string }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd class="figure">{value}</dd>
    </div>
  );
}

/** The same figures as lengths: p50 a full dot, p99 an open one, the goal a line. */
function Scale({ latency }: { latency: Latency }) {
  const end_ms = Math.max(SCALE_FROM_MS, latency.p99_ms * 1.1);
  const x = (ms: number) => (ms / end_ms) * 1000;
  return (
    <svg class="scale" viewBox="-20 0 1040 100" aria-hidden="true" focusable="false">
      <path class="scale-line" d="M0 60H1000" />
      <path class="scale-bar" d={`M0 60H${x(latency.p99_ms)}`} />
      <path class="scale-goal" d={`M${x(GOAL_MS)} 12V96`} />
      <text class="scale-text" x={x(GOAL_MS) + 14} y="32">{`${GOAL_MS} ms`}</text>
      <circle class="scale-dot worst" cx={x(latency.p99_ms)} cy="60" r="15" />
      <circle class="scale-dot" cx={x(latency.p50_ms)} cy="60" r="15" />
    </svg>
  );
}

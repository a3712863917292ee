import { useState } from "preact/hooks";

import { Check, Warning } from "../../shared/icons";
import type { DeviceEventView, DeviceView } from "../../shared/snapshots";
import { type MessageId, useTexts } from "../texts";
import { detailsOf, eventWord } from "./event_words";

const SHOWN = 5;
const GOOD: ReadonlySet<string> = new Set(["card", "code", "removed"]);
const UID_KINDS: Record<string, MessageId> = {
  fixed: "console.trial.uid_fixed",
  random: "console.trial.uid_random",
  forbidden: "console.trial.uid_forbidden",
};

/** What was tapped or scanned while this page holds the device; no face has heard of it. */
export function Trial({ device, events }: { device: DeviceView; events: DeviceEventView[] }) {
  const { say } = useTexts();
  const [from] = useState(() => events[0]?.seq ?? 0);
  const seen = events.filter(({ seq, type, claim }) => seq > from && type === "data" && claim === "console");
  return (
    <div class="trial" data-testid="trial" aria-live="polite">
      {seen.length === 0 && (
        <p class="hint">{say(device.kind === "card_reader" ? "console.trial.tap_now" : "console.trial.scan_now")}</p>
      )}
      <ul>
        {seen.slice(0, SHOWN).map((event) => (
          <Outcome key={event.seq} event={event} />
        ))}
      </ul>
    </div>
  );
}

function Outcome({ event }: { event: DeviceEventView }) {
  const { say } = useTexts();
  const { data, private: mine } = event;
  const what = String(data["what"] ?? "");
  const Mark = GOOD.has(what) ? Check : Warning;
  const uid = UID_KINDS[String(data["uid_kind"] ?? "")];
  return (
    <li class="outcome" data-testid="outcome" data-what={what}>
      <p>
        <Mark /> <strong>{eventWord(event, say)}</strong>
      </p>
      {mine?.["text"] !== undefined && <p class="exact" data-testid="scanned">{shown(mine["text"])}</p>}
      {mine?.["tail"] !== undefined && (
        <p data-testid="tapped">
          {say("console.trial.card", { tail: mine["tail"], level: String(data["level"] ?? 0) })}
        </p>
      )}
      {uid && <p>{say(uid)}</p>}
      <p class="hint exact">{detailsOf(event)}</p>
    </li>
  );
}

/** Shows control characters as their pictures: a lost separator must be seen. */
function shown(text: string): string {
  return text.replace(/[\u0000-\u001f]/g, (char) => String.fromCharCode(0x2400 + char.charCodeAt(0)));
}

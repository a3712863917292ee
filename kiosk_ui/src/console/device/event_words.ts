import type { DeviceEventView } from "../../shared/snapshots";
import type { MessageId } from "../texts";
import { LINKS } from "../words";

type Say = (id: MessageId, values?: Record<string, string>) => string;

const WORDS: Record<string, MessageId> = {
  card: "console.event.card",
  removed: "console.event.removed",
  torn: "console.event.torn",
  collision: "console.event.collision",
  code: "console.event.code",
  refused: "console.event.refused",
  payment_card: "console.event.payment",
  payment_code: "console.event.payment",
  health: "console.event.health",
  claimed: "console.event.claimed",
  released: "console.event.released",
  lease_ended: "console.event.released",
  asked_for: "console.event.asked_for",
  kept: "console.event.kept",
  withdrawn: "console.event.withdrawn",
  taken_over: "console.event.taken_over",
  overridden: "console.event.overridden",
};

const KINDS: Record<DeviceEventView["type"], MessageId> = {
  data: "console.event.data",
  status: "console.event.status",
  error: "console.event.error",
  output: "console.event.output",
  lifecycle: "console.event.lifecycle",
};

/** Says what happened; the reason is more telling than the kind, the kind more than nothing. */
export function eventWord({ data, type }: DeviceEventView, say: Say): string {
  const told = WORDS[String(data["reason"] ?? "")] ?? WORDS[String(data["what"] ?? "")];
  if (told) return say(told);
  const link = LINKS[data["link"] as keyof typeof LINKS];
  return say(link ? link.text : KINDS[type]);
}

/** Shows the rest of an event as it stands in the ring. */
export function detailsOf({ data }: DeviceEventView): string {
  return Object.entries(data)
    .filter(([name, value]) => !(name === "what" && String(value) in WORDS) && name !== "link")
    .map(([name, value]) => `${name}=${String(value)}`)
    .join(" ");
}

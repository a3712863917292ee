import type { DockCard } from "../../shared/snapshots";
import { type MessageId, useTexts } from "../texts";

interface Words {
  /** Absent where the card bears a person's name, which the label has. */
  title?: MessageId;
  note: MessageId;
}

/** What the lab's cards are, in words of the page's language; any other card shows the label it came with. */
const KNOWN: Record<string, Words> = {
  wang: { note: "console.dock.card_signed" },
  li: { note: "console.dock.card_tag" },
  bob: { note: "console.dock.card_plain" },
  unknown: { title: "console.dock.card_unknown", note: "console.dock.card_unknown_note" },
  torn: { title: "console.dock.card_torn", note: "console.dock.card_torn_note" },
  copy: { title: "console.dock.card_copy", note: "console.dock.card_copy_note" },
  phone: { title: "console.dock.card_phone", note: "console.dock.card_phone_note" },
};

/** A card as it looks from above. */
export function CardFace({ card }: { card: DockCard }) {
  const { say } = useTexts();
  const words = KNOWN[card.id];
  const [name, ...rest] = card.label.split(" · ");
  return (
    <span class="card-face" data-card={card.id}>
      <span class="card-chip" aria-hidden="true" />
      <span class="card-title">{words?.title ? say(words.title) : name}</span>
      <span class="card-note">{words ? say(words.note) : rest.join(" · ")}</span>
    </span>
  );
}

import { useState } from "preact/hooks";

import type { DockCard, DockDevice } from "../../shared/snapshots";
import type { Intend } from "../intents";
import { useTexts } from "../texts";
import { roleName } from "../words";
import { CardFace } from "./card_face";
import { carried } from "./drag";
import { Faults } from "./faults";

interface Props {
  readers: DockDevice[];
  cards: DockCard[];
  target: string;
  choose: (role: string) => void;
  lay: (card: string, reader: string) => void;
  take: (reader: string) => void;
  intend: Intend;
}

/** The readers, with what lies on them. One is chosen: a card that is clicked goes there. */
export function Readers({ readers, cards, target, choose, lay, take, intend }: Props) {
  const { say } = useTexts();
  return (
    <fieldset class="readers">
      <legend class="bench-label">{say("console.dock.readers")}</legend>
      {readers.map((reader) => (
        <Reader
          key={reader.role}
          reader={reader}
          card={cards.find((card) => card.id === reader.card)}
          chosen={reader.role === target}
          choose={() => choose(reader.role)}
          drop={(card) => lay(card, reader.role)}
          take={() => take(reader.role)}
          intend={intend}
        />
      ))}
    </fieldset>
  );
}

interface ReaderProps {
  reader: DockDevice;
  card: DockCard | undefined;
  chosen: boolean;
  choose: () => void;
  drop: (card: string) => void;
  take: () => void;
  intend: Intend;
}

function Reader({ reader, card, chosen, choose, drop, take, intend }: ReaderProps) {
  const { say } = useTexts();
  const [hovered, setHovered] = useState(false);
  const name = roleName(reader.role, say);
  return (
    <div
      class="reader"
      data-chosen={chosen}
      data-hovered={hovered}
      data-card={reader.card ?? ""}
      onDragOver={(event) => {
        event.preventDefault();
        setHovered(true);
      }}
      onDragLeave={() => setHovered(false)}
      onDrop={(event) => {
        event.preventDefault();
        setHovered(false);
        const dropped = carried(event);
        if (dropped !== "") drop(dropped);
      }}
    >
      <label class="reader-body">
        <span class="reader-name">
          <input
            type="radio"
            name="dock-reader"
            class="reader-radio"
            data-testid={`dock-reader-${reader.role}`}
            checked={chosen}
            onChange={choose}
          />
          <span>{name}</span>
        </span>
        <span class="reader-pad">
          <Waves />
          {card ? (
            <span key={card.id} class="reader-card">
              <CardFace card={card} />
            </span>
          ) : (
            <span class="reader-empty">{say(chosen ? "console.dock.reader_chosen" : "console.dock.reader_empty")}</span>
          )}
        </span>
      </label>
      <button
        type="button"
        class="button bench-button"
        data-testid={`dock-remove-${reader.role}`}
        disabled={reader.card === null}
        aria-label={say("console.dock.take_from", { reader: name })}
        onClick={take}
      >
        {say("console.dock.take")}
      </button>
      <Faults device={reader} intend={intend} />
    </div>
  );
}

function Waves() {
  return (
    <svg class="reader-waves" viewBox="0 0 100 60" aria-hidden="true" focusable="false">
      <path d="M38 46a17 17 0 0 1 24 0M28 36a31 31 0 0 1 44 0M18 26a45 45 0 0 1 64 0" />
      <circle cx="50" cy="54" r="3" />
    </svg>
  );
}

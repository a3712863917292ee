import type { DockCard, DockDevice } from "../../shared/snapshots";
import { useTexts } from "../texts";
import { roleName } from "../words";
import { CardFace } from "./card_face";
import { carry } from "./drag";

interface Props {
  cards: DockCard[];
  readers: DockDevice[];
  target: string;
  lay: (card: string) => void;
  take: (reader: string) => void;
}

/** The tray: a click lays a card on the chosen reader, a second click takes it away again. */
export function Cards({ cards, readers, target, lay, take }: Props) {
  const { say } = useTexts();
  return (
    <div class="tray-part">
      <h3 class="bench-label">{say("console.dock.cards", { reader: roleName(target, say) })}</h3>
      <ul class="tray">
        {cards.map((card) => {
          const place = readers.find((reader) => reader.card === card.id)?.role;
          return (
            <li key={card.id}>
              <button
                type="button"
                class="tray-card"
                data-testid={`dock-card-${card.id}`}
                aria-pressed={place === target}
                data-place={place}
                draggable
                onDragStart={(event) => carry(event, card.id)}
                onClick={() => (place === target ? take(place) : lay(card.id))}
              >
                <CardFace card={card} />
                {place && <span class="tray-place">{say("console.dock.lies_on", { reader: roleName(place, say) })}</span>}
              </button>
            </li>
          );
        })}
      </ul>
    </div>
  );
}

import type { DeviceEventView } from "../../shared/snapshots";
import { useTexts } from "../texts";
import { detailsOf, eventWord } from "./event_words";

/** The tail of the ring, as it grows. Nothing in it tells whose card or which code it was. */
export function Events({ events }: { events: DeviceEventView[] }) {
  const { say, instant } = useTexts();
  return (
    <div class="part">
      <h3 id="events-title">{say("console.events.title")}</h3>
      <p class="hint">{say("console.events.note")}</p>
      {events.length === 0 && <p class="hint">{say("console.events.none")}</p>}
      <ol class="event-list" data-testid="device-events" tabIndex={0} aria-labelledby="events-title">
        {events.map((event) => (
          <li key={event.seq} class="event" data-testid="device-event" data-type={event.type}>
            <span class="event-time">{instant(event.ts_wall)}</span>
            <strong>{eventWord(event, say)}</strong>
            <code>{`#${event.seq} ${detailsOf(event)}`}</code>
          </li>
        ))}
      </ol>
    </div>
  );
}

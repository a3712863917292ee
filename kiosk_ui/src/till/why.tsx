import type { Why } from "../shared/snapshots";
import { Panel } from "./panel";
import { useTexts } from "./texts";

/** Every number in sentences, as the receipt and `tapledger explain` say them. */
export function WhyPanel({ why, close }: { why: Why; close: () => void }) {
  const { say } = useTexts();
  return (
    <Panel title={say("till.why.title")} name="why" close={close}>
      {why.quote.length > 0 && (
        <section class="reasons">
          <h3>{say("till.why.basket")}</h3>
          <ul data-testid="why-quote">
            {why.quote.map((sentence, place) => (
              <li key={place}>{sentence}</li>
            ))}
          </ul>
        </section>
      )}
      {why.not_now.length > 0 && (
        <section class="reasons">
          <h3>{say("till.why.not_now")}</h3>
          <ul data-testid="why-not-now">
            {why.not_now.map((one, place) => (
              <li key={place}>
                <strong>{one.title}</strong> <span>{one.why}</span>
              </li>
            ))}
          </ul>
        </section>
      )}
      {why.last.length > 0 && (
        <section class="reasons">
          <h3>{say("till.why.last", { receipt: why.last_receipt })}</h3>
          <ul data-testid="why-last">
            {why.last.map((sentence, place) => (
              <li key={place}>{sentence}</li>
            ))}
          </ul>
        </section>
      )}
      {why.quote.length + why.not_now.length + why.last.length === 0 && (
        <p class="empty">{say("till.why.nothing")}</p>
      )}
    </Panel>
  );
}

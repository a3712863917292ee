import { useEffect, useState } from "preact/hooks";

import { Back, Check, Chevron, Unsure } from "../../shared/icons";
import { ask, type Tell } from "../device/asking";
import { useTexts } from "../texts";
import { type DrawnSheet, pictureOf, SETTINGS } from "./sheets";

/** The codes of one maker, one at a time: a scanner that sees two reads the wrong one. */
export function SheetView({ id, tell }: { id: string; tell: Tell }) {
  const { say, number } = useTexts();
  const [sheet, setSheet] = useState<DrawnSheet | null>(null);
  const [place, setPlace] = useState(0);

  useEffect(() => {
    void ask<DrawnSheet>(`scanner-setup/${id}`).then(({ value, problem }) => {
      if (problem) tell(problem);
      else setSheet(value);
    });
  }, [id]);

  const step = sheet?.steps[place];
  if (!sheet || !step) return null;
  const known = SETTINGS[step.sets];
  const what = known === undefined ? step.sets : say(known);
  return (
    <div class="sheet" data-testid="sheet" data-step={step.sets}>
      <p class="hint">{sheet.families.join(", ")}</p>
      <p role="status">
        <strong>{say("console.setup.step", { number: number(place + 1), of: number(sheet.steps.length) })}</strong> {what}
      </p>
      <div class="code-sheet">
        <img src={pictureOf(step.svg)} alt={what} data-testid="setup-code" />
      </div>
      <p class="hint">
        {step.verified ? <Check /> : <Unsure />}{" "}
        {say(step.verified ? "console.setup.verified" : "console.setup.not_verified")} {step.source}
      </p>
      <p class="buttons">
        <button
          type="button"
          class="button"
          data-testid="setup-previous"
          disabled={place === 0}
          onClick={() => setPlace(place - 1)}
        >
          <Back />
          <span>{say("console.setup.previous")}</span>
        </button>
        <button
          type="button"
          class="button primary"
          data-testid="setup-next"
          disabled={place + 1 >= sheet.steps.length}
          onClick={() => setPlace(place + 1)}
        >
          <span>{say("console.setup.next")}</span>
          <Chevron />
        </button>
      </p>
    </div>
  );
}

import { useEffect, useRef, useState } from "preact/hooks";

import { Cross, Scanner } from "../../shared/icons";
import type { DeviceView } from "../../shared/snapshots";
import { ask, type Tell } from "../device/asking";
import { hrefOf } from "../place";
import { useTexts } from "../texts";
import { ProbeTest } from "./probe_test";
import type { SetupOverview } from "./sheets";
import { SheetView } from "./sheet_view";

/** Sets a scanner up by codes on the screen, and checks by a code whose content is known that it worked. */
export function SetupPage({ devices, tell }: { devices: DeviceView[]; tell: Tell }) {
  const { say } = useTexts();
  const heading = useRef<HTMLHeadingElement>(null);
  const [overview, setOverview] = useState<SetupOverview | null>(null);
  const [chosen, choose] = useState("");
  const scanners = devices.filter(({ kind }) => kind === "barcode_scanner");

  useEffect(() => {
    heading.current?.focus();
    heading.current?.scrollIntoView({ block: "start" });
    void ask<SetupOverview>("scanner-setup").then(({ value, problem }) => {
      if (problem) tell(problem);
      else setOverview(value);
    });
  }, []);

  return (
    <section class="panel closer" data-testid="setup" aria-labelledby="setup-title">
      <div class="panel-head">
        <h2 id="setup-title" class="section-title" tabIndex={-1} ref={heading}>
          <Scanner />
          {say("console.setup.title")}
        </h2>
        <a class="button" href={hrefOf(null)} data-testid="close-setup">
          <Cross />
          <span>{say("console.close")}</span>
        </a>
      </div>
      <p class="hint">{say("console.setup.note")}</p>
      {overview && (
        <div class="closer-parts">
          <div class="part">
            <h3>{say("console.setup.maker")}</h3>
            <div class="buttons" role="group" aria-label={say("console.setup.maker")}>
              {overview.sheets.map((sheet) => (
                <button
                  key={sheet.id}
                  type="button"
                  class="button"
                  aria-pressed={sheet.id === chosen}
                  data-testid={`sheet-${sheet.id}`}
                  onClick={() => choose(sheet.id)}
                >
                  {sheet.vendor}
                </button>
              ))}
            </div>
            {chosen !== "" && <SheetView key={chosen} id={chosen} tell={tell} />}
          </div>
          <ProbeTest probes={overview.probes} scanners={scanners} tell={tell} />
        </div>
      )}
    </section>
  );
}

import { useState } from "preact/hooks";

import { useCell } from "../../shared/cell";
import { type Feed, openFeed } from "../../shared/live";
import type { Dock } from "../../shared/snapshots";
import type { Intend } from "../intents";
import { useTexts } from "../texts";
import { Beside } from "./beside";
import { Cards } from "./cards";
import { Guide } from "./guide";
import { Network } from "./network";
import { PrinterBench } from "./printer";
import { Readers } from "./readers";
import { ScannerBench } from "./scanner";

let feed: Feed<Dock> | null = null;

/** Opens the dock's own feed the first time the server offers one; it then lives as long as the page. */
export function DockLoader({ intend }: { intend: Intend }) {
  feed ??= openFeed("dock", { keepWhileLost: true });
  const dock = useCell(feed.snapshot);
  const connected = useCell(feed.connected);
  return dock === null ? null : <DockBench dock={dock} connected={connected} intend={intend} />;
}

function DockBench({ dock, connected, intend }: { dock: Dock; connected: boolean; intend: Intend }) {
  const { say } = useTexts();
  const [chosen, setChosen] = useState("");
  const readers = dock.devices.filter((device) => device.kind === "reader");
  const scanners = dock.devices.filter((device) => device.kind === "scanner");
  const printers = dock.devices.filter((device) => device.kind === "printer");
  const beside = dock.devices.filter((device) => !["reader", "scanner", "printer"].includes(device.kind));
  const roles = readers.map((reader) => reader.role);
  const target = roles.includes(chosen) ? chosen : (roles[0] ?? "");

  function lay(card: string, reader: string): void {
    setChosen(reader);
    intend("insert", { reader, card });
  }

  return (
    <section class="dock" data-testid="dock" aria-labelledby="dock-title" inert={!connected}>
      <div class="dock-head">
        <h2 id="dock-title" class="dock-title">
          {say("console.dock.title")}
        </h2>
        <span class="virtual">{say("console.device.virtual")}</span>
        <p class="dock-note">{say("console.dock.note")}</p>
      </div>
      <Guide />
      <div class="bench">
        <div class="bench-main">
          <Readers
            readers={readers}
            cards={dock.cards}
            target={target}
            choose={setChosen}
            lay={lay}
            take={(reader) => intend("remove", { reader })}
            intend={intend}
          />
          <Cards
            cards={dock.cards}
            readers={readers}
            target={target}
            lay={(card) => lay(card, target)}
            take={(reader) => intend("remove", { reader })}
          />
          <ScannerBench
            codes={dock.codes}
            scanners={scanners}
            scan={(text) => intend("scan", { text })}
            intend={intend}
          />
          <Beside devices={beside} intend={intend} />
          {dock.network && <Network network={dock.network} intend={intend} />}
        </div>
        {printers.map((printer) => (
          <PrinterBench key={printer.role} printer={printer} slips={dock.slips} intend={intend} />
        ))}
      </div>
    </section>
  );
}

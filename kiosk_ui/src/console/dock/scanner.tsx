import { useState } from "preact/hooks";

import { Scanner } from "../../shared/icons";
import type { DockCode, DockDevice } from "../../shared/snapshots";
import type { Intend } from "../intents";
import { useTexts } from "../texts";
import { roleName } from "../words";
import { Faults } from "./faults";

const LONGEST_SCAN = 4096;

interface Props {
  codes: DockCode[];
  scanners: DockDevice[];
  scan: (text: string) => void;
  intend: Intend;
}

/** Everything here goes through the till's scanner, as if its trigger had been pulled. */
export function ScannerBench({ codes, scanners, scan, intend }: Props) {
  const { say } = useTexts();
  const [text, setText] = useState("");
  return (
    <div class="scanner-part">
      <h3 class="bench-label">{say("console.dock.codes")}</h3>
      <p class="bench-hint" data-testid="dock-sign-in">
        {say("console.dock.codes_hint")}
      </p>
      <ul class="codes">
        {codes.map((code, number) => (
          <li key={code.text}>
            <button type="button" class="code" data-testid={`dock-code-${number}`} onClick={() => scan(code.text)}>
              <span class="code-bars" aria-hidden="true" />
              <span class="code-label">{code.label}</span>
              <code class="code-text">{code.text}</code>
            </button>
          </li>
        ))}
      </ul>
      <form
        class="free-scan"
        onSubmit={(event) => {
          event.preventDefault();
          if (text === "") return;
          scan(text);
          setText("");
        }}
      >
        <label class="free-scan-label">
          <span>{say("console.dock.free_text")}</span>
          <input
            class="free-scan-text"
            data-testid="dock-text"
            value={text}
            maxLength={LONGEST_SCAN}
            autocomplete="off"
            spellcheck={false}
            onInput={(event) => setText(event.currentTarget.value)}
          />
        </label>
        <button type="submit" class="button bench-button" data-testid="dock-scan">
          <Scanner />
          <span>{say("console.dock.scan")}</span>
        </button>
      </form>
      {scanners.map((scanner) => (
        <div key={scanner.role} class="thing scanner-thing">
          <span class="thing-name">{roleName(scanner.role, say)}</span>
          <Faults device={scanner} intend={intend} />
        </div>
      ))}
    </div>
  );
}

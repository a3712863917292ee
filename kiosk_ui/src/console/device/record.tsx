import { useState } from "preact/hooks";

import { Clock } from "../../shared/icons";
import { useTexts } from "../texts";
import { ask, askFile, type Tell } from "./asking";

/** Records every byte of the device into a file that can be replayed; card numbers in it are pseudonyms. */
export function RecordPanel({ role, tell }: { role: string; tell: Tell }) {
  const { say } = useTexts();
  const [recording, setRecording] = useState(false);

  async function start(): Promise<void> {
    tell(null);
    const { problem } = await ask(`devices/${role}/record`, {});
    // One that was begun in another page, or before this page was loaded again, can be ended here.
    setRecording(problem === undefined || problem.code === "RECORDING_RUNS");
    if (problem) tell(problem);
  }

  async function stop(): Promise<void> {
    tell(null);
    const { value, problem } = await askFile(`devices/${role}/recorded`);
    setRecording(false);
    if (problem) return tell(problem);
    const link = document.createElement("a");
    link.href = URL.createObjectURL(value);
    link.download = `${role}.jsonl`;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 0);
  }

  return (
    <div class="part">
      <h3>{say("console.record.title")}</h3>
      <p class="hint">{say("console.record.note")}</p>
      <p role="status">
        {recording && (
          <>
            <Clock /> {say("console.record.running")}
          </>
        )}
      </p>
      <p class="buttons">
        {recording ? (
          <button type="button" class="button primary" data-testid="record-stop" onClick={() => void stop()}>
            {say("console.record.stop")}
          </button>
        ) : (
          <button type="button" class="button" data-testid="record-start" onClick={() => void start()}>
            {say("console.record.start")}
          </button>
        )}
      </p>
    </div>
  );
}

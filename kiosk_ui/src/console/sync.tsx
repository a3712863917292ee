import { Check, Cloud, Warning } from "../shared/icons";
import type { SyncView } from "../shared/snapshots";
import { lightOfSync } from "./health";
import { useTexts } from "./texts";

export function SyncPanel({ sync }: { sync: SyncView }) {
  const { say, number, instant } = useTexts();
  const light = lightOfSync(sync);
  const Mark = light === "green" ? Check : Warning;
  return (
    <section class="panel" data-testid="sync" data-online={sync.online} aria-labelledby="sync-title">
      <div class="panel-head">
        <h2 id="sync-title" class="section-title">
          <Cloud />
          {say("console.sync.title")}
        </h2>
        <p class="badge" data-light={light}>
          <Mark />
          <span>{say(sync.online ? "console.sync.online" : "console.sync.offline")}</span>
        </p>
      </div>
      {sync.problem && (
        <p class="trouble" data-light={light}>
          <strong>{sync.problem.sentence}</strong> <span>{sync.problem.next_step}</span>
        </p>
      )}
      <dl class="figures">
        <div>
          <dt>{say("console.sync.enrolled")}</dt>
          <dd>{say(sync.enrolled ? "console.sync.yes" : "console.sync.no")}</dd>
        </div>
        <div>
          <dt>{say("console.sync.unsynced")}</dt>
          <dd class="figure" data-testid="unsynced">
            {number(sync.unsynced)}
          </dd>
        </div>
        <div>
          <dt>{say("console.sync.last_contact")}</dt>
          <dd>{sync.last_contact === "" ? "—" : instant(sync.last_contact)}</dd>
        </div>
        {sync.worst && (
          <div>
            <dt>{say("console.sync.leased")}</dt>
            <dd class="figure" data-testid="leased">
              {number(sync.worst.leased)}
            </dd>
          </div>
        )}
      </dl>
      {sync.worst && (
        <p class="worst" data-testid="worst" data-points={sync.worst.points} data-shops={sync.worst.shops}>
          {sync.worst.sentence}
        </p>
      )}
      {sync.differences.length > 0 && (
        <details class="differences" data-testid="differences">
          <summary>
            {say("console.sync.differences")} ({number(sync.differences.length)})
          </summary>
          <ul>
            {sync.differences.map((one) => (
              <li key={`${one.at}${one.sentence}`}>
                <time>{instant(one.at)}</time> <strong>{one.sentence}</strong> <span>{one.next_step}</span>
              </li>
            ))}
          </ul>
        </details>
      )}
    </section>
  );
}

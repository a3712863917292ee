import { Tier } from "../shared/icons";
import type { MemberView } from "../shared/snapshots";
import { useTexts } from "./texts";

/** The greeting that heads every screen of a session: masked name and tier. */
export function MemberLine({ member }: { member: MemberView }) {
  const { say } = useTexts();
  return (
    <h1 class="member" tabIndex={-1}>
      <span data-testid="member-name" data-silent>
        {member.name === "" ? say("kiosk.member.hello_nameless") : say("kiosk.member.hello", { name: member.name })}
      </span>
      {member.tier !== "" && (
        <span class="tier" data-testid="tier">
          <Tier />
          {member.tier}
        </span>
      )}
    </h1>
  );
}

/** A number with more letters is written smaller, or it would not fit. */
const LONG = 7;

/** The one big number, and how old it is when central has been out of reach. */
export function PointsFigure({ points, asOf = null }: { points: number; asOf?: string | null }) {
  const { say, number } = useTexts();
  const figure = number(points);
  return (
    <p class={figure.length > LONG ? "figure long" : "figure"}>
      <span class="figure-label">
        {say("kiosk.member.points_label")}
        {asOf && <span class="as-of" data-testid="as-of">{say("kiosk.balance.as_of", { time: asOf })}</span>}
      </span>{" "}
      <strong class="figure-number" data-testid="points">
        {figure}
      </strong>{" "}
      <span class="figure-unit">{say("kiosk.member.points_unit")}</span>
    </p>
  );
}

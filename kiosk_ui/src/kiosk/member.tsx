import { Tier } from "../shared/icons";
import type { MemberView } from "../shared/snapshots";
import { useTexts } from "./texts";

/** The greeting that heads every screen of a session: masked name and tier. */
export function MemberLine({ member }: { member: MemberView }) {
  const { say } = useTexts();
  return (
    <h1 class="member" tabIndex={-1}>
      <span data-testid="member-name">{say("kiosk.member.hello", { name: member.name })}</span>
      <span class="tier" data-testid="tier">
        <Tier />
        {member.tier}
      </span>
    </h1>
  );
}

/** The one big number, and how old it is when central has been out of reach. */
export function PointsFigure({ points, asOf = null }: { points: number; asOf?: string | null }) {
  const { say, number } = useTexts();
  return (
    <p class="figure">
      <span class="figure-label">
        {say("kiosk.member.points_label")}
        {asOf && <span class="as-of" data-testid="as-of">{say("kiosk.balance.as_of", { time: asOf })}</span>}
      </span>{" "}
      <strong class="figure-number" data-testid="points">
        {number(points)}
      </strong>{" "}
      <span class="figure-unit">{say("kiosk.member.points_unit")}</span>
    </p>
  );
}

import type { RefObject } from "preact";

import { Card, Cross, Ticket, Tier, Unsure } from "../shared/icons";
import type { Till } from "../shared/snapshots";
import type { Intend } from "./intents";
import { useTexts } from "./texts";

interface Props {
  till: Till;
  nameField: RefObject<HTMLInputElement | null>;
  intend: Intend;
}

/** Who is served: a member, somebody whose card or number names nobody yet, or a guest. */
export function MemberStrip({ till, nameField, intend }: Props) {
  const { say } = useTexts();
  if (till.stranger !== null) return <Stranger tail={till.stranger} nameField={nameField} intend={intend} />;
  if (till.member !== null) return <Member member={till.member} intend={intend} />;
  return (
    <section class="strip guest" data-testid="guest">
      <Card />
      <p>{say("till.member.guest")}</p>
    </section>
  );
}

function Member({ member, intend }: { member: NonNullable<Till["member"]>; intend: Intend }) {
  const { say, number } = useTexts();
  return (
    <section class="strip member" data-testid="member" aria-label={say("till.member.label")}>
      <strong class="member-name">{member.name}</strong>
      <span class="tier">
        <Tier />
        {member.tier}
      </span>
      <span class="member-points">
        <span data-testid="member-points">{number(member.points)}</span> {say("till.points_unit")}
      </span>
      {member.value !== null && (
        <span class="member-fact" data-testid="member-value">
          {say("till.member.value", { amount: member.value })}
        </span>
      )}
      {member.coupons > 0 && (
        <span class="member-fact" data-testid="member-coupons">
          <Ticket />
          {say("till.member.coupons", { count: member.coupons })}
        </span>
      )}
      <span class="trust">{say(member.trust > 0 ? "till.member.card_checked" : "till.member.number_only")}</span>
      <button type="button" class="button dark" data-testid="member-off" onClick={() => void intend("member-off")}>
        <Cross />
        <span>{say("till.member.off")}</span>
        <kbd>F2</kbd>
      </button>
    </section>
  );
}

interface StrangerProps {
  tail: string;
  nameField: RefObject<HTMLInputElement | null>;
  intend: Intend;
}

function Stranger({ tail, nameField, intend }: StrangerProps) {
  const { say } = useTexts();

  function join(event: Event): void {
    event.preventDefault();
    const name = nameField.current?.value.trim();
    if (name) void intend("join", { name });
    else nameField.current?.focus();
  }

  return (
    <section class="strip stranger" data-testid="stranger">
      <Unsure />
      <p>{say("till.stranger.text", { tail })}</p>
      <form onSubmit={join}>
        <input
          ref={nameField}
          type="text"
          autocomplete="off"
          maxLength={60}
          placeholder={say("till.stranger.name")}
          aria-label={say("till.stranger.name")}
          data-field="name"
          data-testid="join-name"
        />
        <button type="submit" class="button primary" data-testid="join">
          <span>{say("till.stranger.join")}</span>
          <kbd>F3</kbd>
        </button>
      </form>
    </section>
  );
}

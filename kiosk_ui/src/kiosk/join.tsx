import { Back, Check, Person, Star } from "../shared/icons";
import type { Join } from "../shared/snapshots";
import { AskingDigits } from "./asking_digits";
import { Button } from "./button";
import { Mark } from "./done";
import type { Intend } from "./intents";
import { MemberLine, PointsFigure } from "./member";
import { useTexts } from "./texts";

/** Becoming a member: what it means, the phone, the code that went there, done (K11). */
export function JoinScreen({ screen, intend }: { screen: Join; intend: Intend }) {
  const { say, number } = useTexts();
  const { step, digits = 6, phone = "" } = screen;
  if (step === "consent") return <Consent screen={screen} intend={intend} />;
  if (step === "joined") return <Joined screen={screen} />;
  if (step === "phone") {
    return (
      <AskingDigits
        key="phone"
        title={say("kiosk.join.phone")}
        purpose={say("kiosk.join.phone_next")}
        readable
        send={(typed) => intend("phone", { digits: typed })}
        intend={intend}
      />
    );
  }
  return (
    <AskingDigits
      key="code"
      title={say("kiosk.prove.code", { digits: number(digits) })}
      purpose={say("kiosk.join.code_next", { phone })}
      length={digits}
      send={(typed) => intend("code", { digits: typed })}
      intend={intend}
    />
  );
}

function Consent({ screen, intend }: { screen: Join; intend: Intend }) {
  const { say } = useTexts();
  return (
    <>
      <section class="reading consent">
        <h1 class="question" tabIndex={-1}>
          {say(screen.has_card ? "kiosk.join.title_card" : "kiosk.join.title")}
        </h1>
        <ul class="notes" data-testid="consent">
          <li>{say("kiosk.join.kept")}</li>
          <li>{say("kiosk.join.used")}</li>
          <li>{say("kiosk.join.withdraw")}</li>
        </ul>
      </section>
      <section class="acting decide">
        <Button id="agree" kind="primary huge" icon={Check} act={() => intend("agree")}>
          {say("kiosk.join.agree")}
        </Button>
        <Button id="back" icon={Back} act={() => intend("back")}>
          {say("kiosk.join.no")}
        </Button>
      </section>
    </>
  );
}

function Joined({ screen }: { screen: Join }) {
  const { say } = useTexts();
  const { given = [], member } = screen;
  return (
    <>
      <section class="reading">
        {member && <MemberLine member={member} />}
        <PointsFigure points={screen.points ?? 0} />
        <ul class="notes">
          <li class="given" data-testid="joined">
            {say("kiosk.join.joined")}
          </li>
          {given.map((sentence, place) => (
            <li key={place}>{sentence}</li>
          ))}
        </ul>
      </section>
      <section class="acting delivered">
        <Mark icon={given.length > 0 ? Star : Person} />
        <p class="mark-words">{say(screen.has_card ? "kiosk.join.joined_card" : "kiosk.join.joined_phone")}</p>
      </section>
    </>
  );
}

import { Check, Lock, Person, Sparkle } from "../shared/icons";
import type { Kiosk, StaffMenu } from "../shared/snapshots";
import { AskingDigits } from "./asking_digits";
import { Button } from "./button";
import type { Intend } from "./intents";
import { Notice } from "./notices";
import { useTexts } from "./texts";
import { Troubles } from "./troubles";

/** A member of staff laid down their card: a greeting, their PIN, the maintenance menu (K18). */
export function StaffScreen({ kiosk, screen, intend }: { kiosk: Kiosk; screen: StaffMenu; intend: Intend }) {
  const { say } = useTexts();
  const hello = <span data-silent>{say("kiosk.member.hello", { name: screen.name })}</span>;
  if (screen.step === "hello") return <Notice icon={Person} title={hello} next={say("kiosk.staff.hello")} />;
  if (screen.step === "pin") {
    return (
      <AskingDigits
        title={say("kiosk.staff.pin")}
        purpose={say("kiosk.staff.menu")}
        send={(typed) => intend("prove", { digits: typed })}
        intend={intend}
      />
    );
  }
  return (
    <>
      <section class="reading">
        <h1 class="question" tabIndex={-1}>
          {say("kiosk.staff.menu")}
        </h1>
        {kiosk.troubles?.length ? <Troubles kiosk={kiosk} /> : <p class="notes">{say("kiosk.staff.no_troubles")}</p>}
      </section>
      <section class="acting decide stack">
        <Button id="staff-cleaning" icon={Sparkle} kind="quiet huge" act={() => intend("staff", { act: "cleaning" })}>
          {say("kiosk.staff.cleaning")}
        </Button>
        {screen.closed ? (
          <Button id="staff-open" icon={Check} kind="primary huge" act={() => intend("staff", { act: "open" })}>
            {say("kiosk.staff.open")}
          </Button>
        ) : (
          <Button id="staff-close" icon={Lock} kind="quiet huge" act={() => intend("staff", { act: "close" })}>
            {say("kiosk.staff.close")}
          </Button>
        )}
      </section>
    </>
  );
}

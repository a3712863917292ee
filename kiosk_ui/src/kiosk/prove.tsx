import type { Prove } from "../shared/snapshots";
import { AskingDigits } from "./asking_digits";
import { Button } from "./button";
import type { Intend } from "./intents";
import { useTexts } from "./texts";

/** Asks for what proves whose card it is: the PIN, or the code that went to the phone. */
export function ProveScreen({ screen, intend }: { screen: Prove; intend: Intend }) {
  const { say, number } = useTexts();
  const { how, digits } = screen;
  return (
    <AskingDigits
      title={say(how === "pin" ? "kiosk.prove.pin" : "kiosk.prove.code", { digits: number(digits) })}
      purpose={screen.purpose}
      length={digits}
      send={(typed) => intend("prove", { digits: typed })}
      intend={intend}
    >
      {screen.other_way && (
        <Button id="phone-code" act={() => intend("phone-code")}>
          {say("kiosk.prove.other_way")}
        </Button>
      )}
    </AskingDigits>
  );
}

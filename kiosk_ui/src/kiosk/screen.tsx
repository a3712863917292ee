import type { Kiosk } from "../shared/snapshots";
import { AttractScreen } from "./attract";
import { BalanceScreen } from "./balance";
import { ConfirmScreen } from "./confirm";
import { CouponsScreen } from "./coupons";
import { DoneScreen } from "./done";
import { HistoryScreen } from "./history";
import type { Intend } from "./intents";
import { GoodbyeScreen, OutOfServiceScreen, StartingScreen, TroubleScreen } from "./notices";
import { RewardsScreen } from "./rewards";

/** Chooses the module that draws this screen. */
export function Screen({ kiosk, intend }: { kiosk: Kiosk; intend: Intend }) {
  const { screen } = kiosk;
  switch (screen.screen) {
    case "starting":
      return <StartingScreen />;
    case "attract":
      return <AttractScreen kiosk={kiosk} />;
    case "trouble":
      return <TroubleScreen problem={screen.problem} />;
    case "balance":
      return <BalanceScreen screen={screen} asOf={kiosk.as_of} intend={intend} />;
    case "rewards":
      return <RewardsScreen screen={screen} intend={intend} />;
    case "coupons":
      return <CouponsScreen screen={screen} intend={intend} />;
    case "history":
      return <HistoryScreen key={kiosk.language} screen={screen} intend={intend} />;
    case "confirm":
      return <ConfirmScreen screen={screen} noPaper={kiosk.printer !== "ok"} intend={intend} />;
    case "done":
      return <DoneScreen screen={screen} />;
    case "goodbye":
      return <GoodbyeScreen />;
    case "out_of_service":
      return <OutOfServiceScreen problem={screen.problem} />;
  }
}

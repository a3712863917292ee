import { later } from "../shared/later";
import type { Kiosk } from "../shared/snapshots";
import { ActivitiesScreen } from "./activities";
import { AttractScreen } from "./attract";
import { BalanceScreen } from "./balance";
import { ConfirmScreen } from "./confirm";
import { CouponsScreen } from "./coupons";
import { DoneScreen } from "./done";
import { FaqScreen } from "./faq";
import { FeedbackScreen } from "./feedback";
import { GiftScreen } from "./gift";
import { HelpScreen } from "./help";
import { HistoryScreen } from "./history";
import type { Intend } from "./intents";
import { JoinScreen } from "./join";
import {
  GateScreen,
  GoodbyeScreen,
  OutOfServiceScreen,
  ReadingScreen,
  StartingScreen,
  TroubleScreen,
} from "./notices";
import { ProveScreen } from "./prove";
import { QuestionsScreen } from "./questions";
import { RewardsScreen } from "./rewards";

// Seldom seen, so their code comes after the first screen.
const WheelScreen = later(() => import("./wheel").then((module) => module.WheelScreen));
const StaffScreen = later(() => import("./staff").then((module) => module.StaffScreen));

/** Fetches what the first screen did not wait for. */
export async function fetchRest(): Promise<void> {
  await Promise.all([WheelScreen.ahead(), StaffScreen.ahead()]);
}

/** Chooses the module that draws this screen. */
export function Screen({ kiosk, intend }: { kiosk: Kiosk; intend: Intend }) {
  const { screen } = kiosk;
  switch (screen.screen) {
    case "starting":
      return <StartingScreen />;
    case "attract":
      return <AttractScreen kiosk={kiosk} intend={intend} />;
    case "reading":
      return <ReadingScreen />;
    case "trouble":
      return <TroubleScreen screen={screen} intend={intend} />;
    case "goodbye":
      return <GoodbyeScreen feedback={kiosk.feedback === true} intend={intend} />;
    case "out_of_service":
      return <OutOfServiceScreen screen={screen} />;
    case "gate":
      return <GateScreen screen={screen} />;
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
    case "prove":
      return <ProveScreen key={screen.how} screen={screen} intend={intend} />;
    case "done":
      return <DoneScreen screen={screen} intend={intend} />;
    case "gift":
      return <GiftScreen screen={screen} intend={intend} />;
    case "activities":
      return <ActivitiesScreen screen={screen} intend={intend} />;
    case "wheel":
      return <WheelScreen key={screen.lottery} screen={screen} intend={intend} />;
    case "questions":
      return <QuestionsScreen key={screen.number} screen={screen} intend={intend} />;
    case "feedback":
      return <FeedbackScreen screen={screen} intend={intend} />;
    case "join":
      return <JoinScreen screen={screen} intend={intend} />;
    case "faq":
      return <FaqScreen key={kiosk.language} screen={screen} intend={intend} />;
    case "help":
      return <HelpScreen kiosk={kiosk} screen={screen} intend={intend} />;
    case "staff":
      return <StaffScreen kiosk={kiosk} screen={screen} intend={intend} />;
  }
}

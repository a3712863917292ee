import type { ComponentType } from "preact";

import { Printer, Scanner } from "../shared/icons";
import type { Kiosk, TroubleView } from "../shared/snapshots";
import { type MessageId, useTexts } from "./texts";

const PRINTER: Partial<Record<TroubleView["plain"], MessageId>> = {
  paper_out: "kiosk.trouble.paper_out",
  cover_open: "kiosk.trouble.cover_open",
  paper_low: "kiosk.trouble.paper_low",
};

/** What else does not work here, and what a member can do instead. It goes when the fault goes. */
export function Troubles({ kiosk }: { kiosk: Kiosk }) {
  const { say } = useTexts();
  const of = (device: TroubleView["device"]) => kiosk.troubles?.find((trouble) => trouble.device === device);
  // Where cards cannot be read either, nobody is told to tap one: the screen's heading sends them to the till.
  const scanner = kiosk.reader === "ok" && of("scanner");
  const paper = of("printer")?.plain ?? (kiosk.paper_left != null ? "paper_low" : undefined);
  return (
    <div class="badges" role="status">
      {scanner && <Badge name="scanner" icon={Scanner} said={say("kiosk.trouble.scanner")} />}
      {(kiosk.printer !== "ok" || paper === "paper_low") && (
        <Badge name="printer" icon={Printer} said={say(PRINTER[paper ?? "silent"] ?? "kiosk.trouble.printer")} />
      )}
    </div>
  );
}

interface BadgeProps {
  name: TroubleView["device"];
  icon: ComponentType;
  said: string;
}

function Badge({ name, icon: Icon, said }: BadgeProps) {
  return (
    <p class="badge" data-testid={`badge-${name}`}>
      <Icon />
      <span>{said}</span>
    </p>
  );
}

import type { MessageId } from "../texts";

/** What `GET /api/scanner-setup` answers (daemon/tapledger/devices/scanner_setup.py). */
export interface SetupOverview {
  sheets: { id: string; vendor: string; families: string[] }[];
  probes: Probe[];
}

export interface Probe {
  id: "linear" | "matrix";
  svg: string;
}

export interface DrawnSheet {
  id: string;
  vendor: string;
  families: string[];
  steps: { sets: string; svg: string; verified: boolean; source: string }[];
}

export const SETTINGS: Record<string, MessageId> = {
  defaults: "console.setup.defaults",
  enter_setup: "console.setup.enter_setup",
  usb_com: "console.setup.usb_com",
  suffix_on: "console.setup.suffix_on",
  suffix_cr: "console.setup.suffix_cr",
  aim_id: "console.setup.aim_id",
  gs1_aim_id: "console.setup.gs1_aim_id",
  utf8: "console.setup.utf8",
  gbk: "console.setup.gbk",
  exit_setup: "console.setup.exit_setup",
};

/** Returns the address of a drawn code; the content security policy allows pictures as data. */
export function pictureOf(svg: string): string {
  return `data:image/svg+xml,${encodeURIComponent(svg)}`;
}

import type { ComponentType } from "preact";

import { Card, Check, Clock, Cross, Printer, Scanner, Thing, Unsure, Warning } from "../shared/icons";
import type { DeviceView, PrintView } from "../shared/snapshots";
import type { Light } from "./health";
import type { MessageId } from "./texts";

/** A state as people see it: a shape and a word, so that colour says nothing alone. */
export interface Sign {
  icon: ComponentType;
  text: MessageId;
}

export const LIGHTS: Record<Light, Sign> = {
  green: { icon: Check, text: "console.light.green" },
  amber: { icon: Warning, text: "console.light.amber" },
  red: { icon: Cross, text: "console.light.red" },
};

export const LINKS: Record<DeviceView["link"], Sign> = {
  online: { icon: Check, text: "console.link.online" },
  opening: { icon: Clock, text: "console.link.opening" },
  discovered: { icon: Unsure, text: "console.link.discovered" },
  degraded: { icon: Warning, text: "console.link.degraded" },
  absent: { icon: Cross, text: "console.link.absent" },
  lost: { icon: Cross, text: "console.link.lost" },
  backing_off: { icon: Clock, text: "console.link.backing_off" },
  blocked: { icon: Cross, text: "console.link.blocked" },
  disabled: { icon: Cross, text: "console.link.disabled" },
};

export const ACTIVITIES: Record<DeviceView["activity"], MessageId> = {
  idle: "console.activity.idle",
  busy: "console.activity.busy",
  error: "console.activity.error",
};

const PRINT_STATES: Record<PrintView["state"], Sign> = {
  queued: { icon: Clock, text: "console.print.queued" },
  sending: { icon: Printer, text: "console.print.sending" },
  waiting_device: { icon: Printer, text: "console.print.sending" },
  printed: { icon: Check, text: "console.print.printed" },
  failed: { icon: Cross, text: "console.print.failed" },
  unknown: { icon: Unsure, text: "console.print.unknown" },
  expired: { icon: Clock, text: "console.print.expired" },
};

/** Of a printer that never says whether a slip came out, where nobody is to be asked. */
const SENT: Sign = { icon: Printer, text: "console.print.sent" };

export function signOfPrint({ state, asks }: PrintView): Sign {
  return state === "unknown" && !asks ? SENT : PRINT_STATES[state];
}

const PRINT_KINDS: Record<string, MessageId> = {
  sale: "console.print.kind_sale",
  voucher: "console.print.kind_voucher",
  test: "console.print.kind_test",
  return: "console.print.kind_return",
  void: "console.print.kind_return",
  giveback: "console.print.kind_voucher",
  draw: "console.print.kind_draw",
  topup: "console.print.kind_topup",
  coupon: "console.print.kind_coupon",
  shift: "console.print.kind_shift",
  status: "console.print.kind_status",
};

const ROLES: Record<string, MessageId> = {
  "kiosk-reader": "console.role.kiosk_reader",
  "till-reader": "console.role.till_reader",
  "till-scanner": "console.role.till_scanner",
  "receipt-printer": "console.role.receipt_printer",
  "kiosk-scanner": "console.role.kiosk_scanner",
  "cash-drawer": "console.role.cash_drawer",
  "till-light": "console.role.till_light",
  "kiosk-light": "console.role.kiosk_light",
  "customer-display": "console.role.customer_display",
};

const KINDS: Record<string, MessageId> = {
  card_reader: "console.kind.card_reader",
  barcode_scanner: "console.kind.barcode_scanner",
  receipt_printer: "console.kind.receipt_printer",
  cash_drawer: "console.kind.cash_drawer",
  indicator: "console.kind.indicator",
  line_display: "console.kind.line_display",
};

type Say = (id: MessageId) => string;

/** Names a role; one that this page does not know keeps the name it has in the configuration. */
export function roleName(role: string, say: Say): string {
  const id = ROLES[role];
  return id === undefined ? role : say(id);
}

export function kindName(kind: string, say: Say): string {
  const id = KINDS[kind];
  return id === undefined ? kind : say(id);
}

export function printKind(kind: string, say: Say): string {
  const id = PRINT_KINDS[kind];
  return id === undefined ? kind : say(id);
}

export function isPrinter(role: string): boolean {
  return role.endsWith("printer");
}

export function roleIcon(role: string): ComponentType {
  if (isPrinter(role)) return Printer;
  if (role.endsWith("scanner")) return Scanner;
  return role.endsWith("reader") ? Card : Thing;
}

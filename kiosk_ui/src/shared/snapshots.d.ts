// Generated from daemon/tapledger/web/snapshots.py by `npm run types`. Do not edit.

export type AnyFace = Kiosk | Till | Console | Dock;

export interface Kiosk {
  language: "en" | "ja" | "zh-Hans" | "zh-Hant";
  languages: ("en" | "ja" | "zh-Hans" | "zh-Hant")[];
  reader: "missing" | "ok" | "trouble";
  printer: "missing" | "ok" | "trouble";
  as_of: string | null;
  still_here_s: number | null;
  screen: Starting | Attract | Trouble | Balance | Rewards | Confirm | Done | Goodbye | OutOfService;
}
export interface Starting {
  screen: "starting";
}
export interface Attract {
  screen: "attract";
}
/**
 * A card that could not be used; goes away by itself.
 */
export interface Trouble {
  screen: "trouble";
  problem: Problem;
}
/**
 * Something refused: a code for machines, a sentence and the next step for the person in front of it.
 */
export interface Problem {
  code: string;
  sentence: string;
  next_step: string;
}
export interface Balance {
  screen: "balance";
  member: MemberView;
  points: number;
  rewards: RewardView[];
  more_rewards: boolean;
  expiring?: Expiring | null;
  next_tier?: NextTier | null;
}
export interface MemberView {
  name: string;
  tier: string;
  trust: number;
}
export interface RewardView {
  id: string;
  title: string;
  cost_points: number;
  available: boolean;
  why_not?: string | null;
}
export interface Expiring {
  points: number;
  last_day: string;
}
export interface NextTier {
  name: string;
  missing: string;
}
export interface Rewards {
  screen: "rewards";
  member: MemberView;
  points: number;
  rewards: RewardView[];
}
export interface Confirm {
  screen: "confirm";
  member: MemberView;
  reward: RewardView;
  points_after: number;
}
export interface Done {
  screen: "done";
  member: MemberView;
  reward_title: string;
  points: number;
  voucher: string;
  slip: "failed" | "printed" | "printing" | "unknown";
}
export interface Goodbye {
  screen: "goodbye";
}
export interface OutOfService {
  screen: "out_of_service";
  problem: Problem;
}
export interface Till {
  language: "en" | "ja" | "zh-Hans" | "zh-Hant";
  languages: ("en" | "ja" | "zh-Hans" | "zh-Hant")[];
  staff_known: Staff[];
  staff: Staff | null;
  reader: "missing" | "ok" | "trouble";
  printer: "missing" | "ok" | "trouble";
  scanner: "missing" | "ok" | "trouble";
  online: boolean;
  unsynced: number;
  member: TillMember | null;
  lines: TillLine[];
  totals: Totals;
  choices: Choice[];
  message: Message | null;
  stranger: string | null;
  last_sale: LastSale | null;
}
export interface Staff {
  id: string;
  name: string;
}
export interface TillMember {
  name: string;
  tier: string;
  points: number;
  trust: number;
}
export interface TillLine {
  number: number;
  sku: string;
  name: string;
  quantity: string;
  unit_price: string;
  total: string;
}
export interface Totals {
  due: string;
  due_minor: number;
  tax: string;
  earn_points: number;
  earn_why: string;
  minor_digits?: number;
}
/**
 * One of several things an ambiguous code may mean; its number chooses it.
 */
export interface Choice {
  number: number;
  label: string;
}
export interface Message {
  kind: "error" | "info";
  code: string;
  sentence: string;
  next_step?: string;
}
export interface LastSale {
  receipt: string;
  total: string;
  tender: string;
  change: string;
  earned_points: number;
  slip: "failed" | "printed" | "printing" | "unknown";
}
export interface Console {
  language: "en" | "ja" | "zh-Hans" | "zh-Hant";
  languages: ("en" | "ja" | "zh-Hans" | "zh-Hant")[];
  shop: string;
  node: string;
  faces: string[];
  devices: DeviceView[];
  prints: PrintView[];
  sync: SyncView;
  latency: Latency;
}
export interface DeviceView {
  role: string;
  driver: string;
  model: string;
  address: string;
  link: "absent" | "backing_off" | "blocked" | "degraded" | "lost" | "online" | "opening";
  activity: "busy" | "error" | "idle";
  reason: string;
  sentence: string;
  next_step: string;
  last_event: string;
  opened: number;
  virtual: boolean;
}
export interface PrintView {
  job: string;
  kind: string;
  state: "expired" | "failed" | "printed" | "queued" | "sending" | "unknown";
  reason: string;
  evidence: string;
}
export interface SyncView {
  enrolled: boolean;
  online: boolean;
  unsynced: number;
  last_contact: string;
  problem: Problem | null;
}
/**
 * Card reported by the reader until the frame was painted, over the last taps.
 */
export interface Latency {
  taps: number;
  p50_ms: number;
  p99_ms: number;
}
export interface Dock {
  readers: DockReader[];
  cards: DockCard[];
  codes: DockCode[];
  printer: DockPrinter;
  slips: DockSlip[];
}
export interface DockReader {
  role: string;
  card: string | null;
}
export interface DockCard {
  id: string;
  label: string;
}
export interface DockCode {
  text: string;
  label: string;
}
export interface DockPrinter {
  paper_out: boolean;
  cover_open: boolean;
  mute: boolean;
}
export interface DockSlip {
  number: number;
  text: string;
  picture: string;
}

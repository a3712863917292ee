// Generated from daemon/tapledger/web/snapshots.py by `npm run types`. Do not edit.

export type Anything =
  Kiosk | Till | Console | Dock | Problem | DeviceDetails | DeviceEventView | HealthView | ClaimView;

export interface Kiosk {
  language: "en" | "ja" | "zh-Hans" | "zh-Hant";
  languages: ("en" | "ja" | "zh-Hans" | "zh-Hant")[];
  reader: "missing" | "ok" | "trouble";
  printer: "missing" | "ok" | "trouble";
  as_of: string | null;
  simulated: boolean;
  still_here_s: number | null;
  screen:
    Starting | Attract | Trouble | Balance | Rewards | Coupons | History | Confirm | Done | Goodbye | OutOfService;
  paper_left?: number | null;
  troubles?: TroubleView[];
  takes_codes?: boolean;
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
  given: string[];
  ways_up: string[];
  coupons: number;
  best_coupons: CouponView[];
  has_history: boolean;
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
export interface CouponView {
  title: string;
  last_day: string | null;
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
export interface Coupons {
  screen: "coupons";
  member: MemberView;
  coupons: CouponView[];
}
export interface History {
  screen: "history";
  member: MemberView;
  points: number;
  entries: HistoryEntry[];
}
/**
 * One thing that happened to a member. No article is named.
 */
export interface HistoryEntry {
  day: string;
  what: string;
  points: number;
  why: string[];
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
  slip: "failed" | "printed" | "printing" | "sent" | "unknown";
  voucher_svg?: string;
}
export interface Goodbye {
  screen: "goodbye";
}
export interface OutOfService {
  screen: "out_of_service";
  problem: Problem;
}
/**
 * What is wrong with a thing of a face, in one of the few ways that a member or a cashier is told.
 */
export interface TroubleView {
  device: "display" | "drawer" | "light" | "printer" | "reader" | "scanner";
  plain: "absent" | "cover_open" | "hot" | "jammed" | "off" | "paper_low" | "paper_out" | "silent" | "technician";
}
export interface Till {
  language: "en" | "ja" | "zh-Hans" | "zh-Hant";
  languages: ("en" | "ja" | "zh-Hans" | "zh-Hant")[];
  staff_known: Staff[];
  staff: Staff | null;
  reader: "missing" | "ok" | "trouble";
  printer: "missing" | "ok" | "trouble";
  scanner: "missing" | "ok" | "trouble";
  simulated: boolean;
  online: boolean;
  unsynced: number;
  member: TillMember | null;
  lines: TillLine[];
  totals: Totals;
  choices: Choice[];
  message: Message | null;
  stranger: string | null;
  last_sale: LastSale | null;
  coupons: CouponChooser;
  points: PointsAsCash | null;
  value: StoredValue | null;
  why: Why;
  returning: Return | null;
  doubtful: PrintView[];
  drawer: DrawerView | null;
  paper_left: number | null;
  troubles?: TroubleView[];
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
  coupons: number;
  value: string | null;
}
export interface TillLine {
  number: number;
  sku: string;
  name: string;
  quantity: string;
  unit_price: string;
  total: string;
  gross: string | null;
  discounts: LineDiscount[];
  gift: boolean;
}
/**
 * One thing that made a line cheaper.
 */
export interface LineDiscount {
  title: string;
  sentence: string;
  amount: string;
}
export interface Totals {
  due: string;
  due_minor: number;
  tax: string;
  earn_points: number;
  earn_why: string;
  minor_digits?: number;
  cash_due_minor?: number;
  gross?: string | null;
  saved?: string | null;
  points_paid?: string | null;
  value_paid?: string | null;
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
  slip: "failed" | "printed" | "printing" | "sent" | "unknown";
  job: string;
}
export interface CouponChooser {
  coupons: TillCoupon[];
  more: number;
  automatic: boolean;
  better: string | null;
  notes: string[];
}
/**
 * A coupon of the member, or one that was scanned.
 */
export interface TillCoupon {
  number: number;
  title: string;
  last_day: string | null;
  saves: string | null;
  chosen: boolean;
  why_not: string | null;
}
export interface PointsAsCash {
  usable: number;
  pays: string;
  used: number;
  why_not: string | null;
}
export interface StoredValue {
  balance: string | null;
  usable: string;
  usable_minor: number;
  used: string | null;
  why_not: string | null;
  top_up: TopUp | null;
}
/**
 * Rows of the bonus table; with an amount asked for, what it brings.
 */
export interface TopUp {
  rows: TopUpRow[];
  amount?: string | null;
  amount_minor?: number;
  bonus?: string | null;
  after?: string | null;
}
export interface TopUpRow {
  pay: string;
  pay_minor: number;
  bonus: string;
}
/**
 * Every number in sentences: of the basket, and of the last receipt.
 */
export interface Why {
  quote: string[];
  not_now: WhyNot[];
  last_receipt: string;
  last: string[];
}
export interface WhyNot {
  title: string;
  why: string;
}
export interface Return {
  recent: ReceiptRow[];
  sale?: ReturnSale | null;
}
export interface ReceiptRow {
  number: number;
  receipt: string;
  at: string;
  total: string;
}
/**
 * A sale of which something comes back, and what that would do.
 */
export interface ReturnSale {
  receipt: string;
  at: string;
  total: string;
  lines: ReturnLine[];
  void: boolean;
  can_void: boolean;
  reason: string;
  shop_fault: boolean;
  refund: string | null;
  refund_minor: number | null;
  tenders: Paid[];
  points_taken: number;
  points_given: number;
  problem: Problem | null;
}
export interface ReturnLine {
  number: number;
  name: string;
  sold: string;
  left: string;
  chosen: string;
  total: string;
}
export interface Paid {
  tender: string;
  amount: string;
}
export interface PrintView {
  job: string;
  kind: string;
  state: "expired" | "failed" | "printed" | "queued" | "sending" | "unknown" | "waiting_device";
  reason: string;
  evidence: string;
  number?: string;
  sentence?: string;
  copies?: number;
  word?: string;
  asks?: boolean;
  can_repeat?: boolean;
}
/**
 * Is there only when somebody has to do something about the cash drawer.
 */
export interface DrawerView {
  state: "failed" | "open";
  sentence: string;
  next_step: string;
}
export interface Console {
  language: "en" | "ja" | "zh-Hans" | "zh-Hant";
  languages: ("en" | "ja" | "zh-Hans" | "zh-Hant")[];
  shop: string;
  node: string;
  faces: string[];
  simulated: boolean;
  devices: DeviceView[];
  repairs: RepairView[];
  prints: PrintView[];
  paper: PaperView | null;
  sync: SyncView;
  latency: Latency;
}
/**
 * One device in short; ``GET /api/devices/{role}`` tells the rest of it (``DeviceDetails``).
 */
export interface DeviceView {
  role: string;
  kind: string;
  driver: string;
  model: string;
  firmware: string;
  address: string;
  link: "absent" | "backing_off" | "blocked" | "degraded" | "disabled" | "discovered" | "lost" | "online" | "opening";
  activity: "busy" | "error" | "idle";
  reason: string;
  sentence: string;
  consequence: string;
  next_step: string;
  help: string;
  last_event: string;
  opened: number;
  virtual: boolean;
  near_end?: boolean;
  holder?: string;
  asked_by?: string;
  timing?: string;
  p50_ms?: number;
  p95_ms?: number;
}
export interface RepairView {
  id: string;
  severity: "error" | "note" | "warning";
  device: string;
  sentence: string;
  next_step: string;
  learn_more: string;
  fix: "" | "health" | "wake";
}
/**
 * The roll in the receipt printer.
 */
export interface PaperView {
  receipts_left: number | null;
  confidence: "assumed" | "learned" | "none" | "stated";
  printed_mm: number;
  since: string;
  is_low: boolean;
  sentence: string;
}
export interface SyncView {
  enrolled: boolean;
  online: boolean;
  unsynced: number;
  last_contact: string;
  problem: Problem | null;
  worst: WorstCase | null;
  differences: DifferenceView[];
}
/**
 * The most that can be lost right now, in points, by the owner's own limits.
 */
export interface WorstCase {
  sentence: string;
  points: number;
  shops: number;
  given_out: number;
  still_possible: number;
  leased: number;
}
export interface DifferenceView {
  at: string;
  sentence: string;
  next_step: string;
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
  devices: DockDevice[];
  cards: DockCard[];
  codes: DockCode[];
  slips: DockSlip[];
  network: DockNetwork | null;
}
export interface DockDevice {
  role: string;
  kind: "display" | "drawer" | "light" | "printer" | "reader" | "scanner";
  driver: string;
  faults: DockFault[];
  card: string | null;
  open: boolean | null;
  lines: string[];
  light: string;
}
/**
 * A fault that a virtual device can have.
 */
export interface DockFault {
  verb: string;
  on: boolean;
  once: boolean;
  amount: number | null;
}
export interface DockCard {
  id: string;
  label: string;
}
export interface DockCode {
  text: string;
  label: string;
}
export interface DockSlip {
  number: number;
  text: string;
  picture: string;
}
/**
 * The shop's line to central: what it does to messages now, and what became of them since the start.
 */
export interface DockNetwork {
  state: "cut" | "other" | "replies_lost" | "slow" | "well";
  requests: number;
  replies: number;
  lost: number;
}
export interface DeviceDetails {
  device: DeviceView;
  detail: string;
  firmware: string;
  serial: string;
  usb_id: string;
  capabilities: CapabilityView[];
  advice: string[];
  statistics: StatisticsView;
  events: DeviceEventView[];
}
export interface CapabilityView {
  name: string;
  value: string;
  source: "default" | "detected" | "operator" | "quirk";
}
export interface StatisticsView {
  counters: {
    [k: string]: number;
  };
  hours_powered: number;
  opened: number;
  lost: number;
  timings: TimingView[];
}
export interface TimingView {
  name: string;
  count: number;
  p50_ms: number;
  p95_ms: number;
  longest_ms: number;
  buckets: never[][];
}
/**
 * One event of the ring. ``private`` is there only for the page that tests the device.
 */
export interface DeviceEventView {
  seq: number;
  ts_wall: string;
  ts_mono: number;
  device: string;
  class: string;
  type: "data" | "error" | "lifecycle" | "output" | "status";
  claim: string;
  trace_id: string;
  data: {
    [k: string]: string | number | boolean;
  };
  private?: {
    [k: string]: string;
  } | null;
}
/**
 * What a check of a device's health found. ``level`` may be lower than asked for.
 */
export interface HealthView {
  level: "external" | "interactive" | "internal";
  ok: boolean;
  findings: FindingView[];
}
export interface FindingView {
  code: string;
  ok: boolean;
  sentence: string;
  detail: string;
}
export interface ClaimView {
  role: string;
  holder: string;
  yours: boolean;
  lease_s: number;
  answer_s: number | null;
}

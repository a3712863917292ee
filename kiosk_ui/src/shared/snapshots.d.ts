// Generated from daemon/tapledger/web/snapshots.py by `npm run types`. Do not edit.

export type Anything =
  Kiosk | Till | Display | Console | Dock | Problem | DeviceDetails | DeviceEventView | HealthView | ClaimView;

export interface Kiosk {
  language: "en" | "ja" | "zh-Hans" | "zh-Hant";
  languages: ("en" | "ja" | "zh-Hans" | "zh-Hant")[];
  reader: "missing" | "ok" | "trouble";
  printer: "missing" | "ok" | "trouble";
  as_of: string | null;
  simulated: boolean;
  still_here_s: number | null;
  screen:
    | Starting
    | Attract
    | Reading
    | Trouble
    | Goodbye
    | OutOfService
    | Gate
    | Balance
    | Rewards
    | Coupons
    | History
    | Confirm
    | Prove
    | Done
    | Gift
    | Activities
    | Wheel
    | Questions
    | Feedback
    | Join
    | Faq
    | Help
    | StaffMenu;
  paper_left?: number | null;
  troubles?: TroubleView[];
  takes_codes?: boolean;
  mode?: "gate" | "register" | "service";
  comfort?: Comfort;
  remembers?: boolean | null;
  speaks?: boolean;
  help?: "busy" | "called" | "coming" | "none";
  visit?: number;
  in_session?: boolean;
  feedback?: boolean;
}
export interface Starting {
  screen: "starting";
}
export interface Attract {
  screen: "attract";
}
/**
 * A card is being looked up and that takes a moment (K2).
 */
export interface Reading {
  screen: "reading";
}
/**
 * A card that could not be used; goes away by itself (K3).
 */
export interface Trouble {
  screen: "trouble";
  problem: Problem;
  can_join?: boolean;
}
/**
 * Something refused: a code for machines, a sentence and the next step for the person in front of it.
 */
export interface Problem {
  code: string;
  sentence: string;
  next_step: string;
}
export interface Goodbye {
  screen: "goodbye";
}
/**
 * Nobody can be served here: it is being cleaned, or staff have closed it (K16).
 */
export interface OutOfService {
  screen: "out_of_service";
  why: "cleaning" | "closed";
  left_s?: number | null;
}
/**
 * The answer of a door that members open by a tap; goes away by itself.
 */
export interface Gate {
  screen: "gate";
  opened: boolean;
  title: string;
  sentences: string[];
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
  activities: number;
  value?: string | null;
  has_value?: boolean;
  expiring?: Expiring | null;
  next_tier?: NextTier | null;
  offline?: OfflineLimit | null;
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
/**
 * What can be redeemed while central is away (K19).
 */
export interface OfflineLimit {
  left_points: number;
  limit_points: number;
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
/**
 * One step before a reward (K6).
 */
export interface Confirm {
  screen: "confirm";
  member: MemberView;
  reward: RewardView;
  points_after: number;
  how?: "pin" | "tap" | "touch";
}
/**
 * The masked numpad: a PIN, or the code that went to the member's phone (K20).
 */
export interface Prove {
  screen: "prove";
  member: MemberView;
  how: "code" | "pin";
  digits: number;
  purpose: string;
  other_way: boolean;
}
export interface Done {
  screen: "done";
  member: MemberView;
  reward_title: string;
  points: number;
  voucher: string;
  slip: "failed" | "printed" | "printing" | "sent" | "unknown";
  voucher_svg?: string;
  undo_s?: number | null;
}
/**
 * Something was done and this is what it brought: a check-in, a survey, a ticket (K12).
 */
export interface Gift {
  screen: "gift";
  member: MemberView;
  title: string;
  sentences: string[];
  points: number;
}
export interface Activities {
  screen: "activities";
  member: MemberView;
  items: Activity[];
}
/**
 * One thing to do: ``POST /api/kiosk/activity`` with kind and id begins it.
 */
export interface Activity {
  kind: "check_in" | "lottery" | "mission" | "survey" | "ticket";
  id: string;
  title: string;
  detail: string;
  available: boolean;
  why_not?: string | null;
  progress_pct?: number | null;
}
/**
 * A lottery, before its draw and after; anybody can check it later by what stands here.
 */
export interface Wheel {
  screen: "wheel";
  member: MemberView;
  lottery: string;
  name: string;
  cost_points: number;
  points: number;
  prizes: PrizeView[];
  commit: string;
  why_not?: string | null;
  drawn?: number | null;
  sentences?: string[];
  proof?: string;
}
export interface PrizeView {
  name: string;
  odds: string;
  sold_out: boolean;
}
/**
 * One question of a survey or quiz.
 */
export interface Questions {
  screen: "questions";
  member: MemberView;
  name: string;
  number: number;
  of: number;
  question: string;
  answers: string[];
}
/**
 * How was it? Nothing tells who said it (K13).
 */
export interface Feedback {
  screen: "feedback";
  score: number | null;
  reasons: string[];
}
/**
 * Becoming a member: what it means, the phone, its code, done (K11).
 */
export interface Join {
  screen: "join";
  step: "code" | "consent" | "joined" | "phone";
  has_card: boolean;
  phone?: string;
  digits?: number;
  member?: MemberView | null;
  points?: number;
  given?: string[];
}
export interface Faq {
  screen: "faq";
  entries: FaqEntry[];
}
export interface FaqEntry {
  question: string;
  answer: string;
}
/**
 * Somebody to talk to, answers, and how this screen can be made easier (K17).
 */
export interface Help {
  screen: "help";
  faq: boolean;
}
/**
 * A member of staff laid down their card: a greeting, or with the PIN the maintenance menu (K18).
 */
export interface StaffMenu {
  screen: "staff";
  name: string;
  step: "hello" | "menu" | "pin";
  closed?: boolean;
}
/**
 * What is wrong with a thing of a face, in one of the few ways that a member or a cashier is told.
 */
export interface TroubleView {
  device: "display" | "drawer" | "light" | "printer" | "reader" | "scanner";
  plain: "absent" | "cover_open" | "hot" | "jammed" | "off" | "paper_low" | "paper_out" | "silent" | "technician";
}
/**
 * How somebody wants to be served; it lasts for a session, or follows the card that asked for it.
 */
export interface Comfort {
  large?: boolean;
  contrast?: boolean;
  longer?: boolean;
  speech?: boolean;
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
  help?: "busy" | "called" | "coming" | "none";
  phone_codes?: PhoneCode[];
  parked?: ParkedView[];
  shift?: ShiftView | null;
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
  asks_tail?: boolean;
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
/**
 * A code that somebody at the kiosk waits for; staff tell it to whoever shows that number (R29).
 */
export interface PhoneCode {
  phone: string;
  code: string;
}
/**
 * A basket that was put aside; its number takes it up: ``POST /api/till/recall``.
 */
export interface ParkedView {
  number: number;
  at: string;
  staff: string;
  member: string;
  articles: number;
  due: string;
}
export interface ShiftView {
  number: number;
  opened: string | null;
  float: string;
  report: ReportView | null;
}
export interface ReportView {
  number: number;
  is_final: boolean;
  staff: string;
  since: string;
  until: string;
  sections: ReportSection[];
  difference: string | null;
  differs: boolean;
  pending: string[];
  unsynced: number;
}
export interface ReportSection {
  title: string;
  rows: ReportRow[];
}
export interface ReportRow {
  name: string;
  amount: string;
}
export interface Display {
  language: "en" | "ja" | "zh-Hans" | "zh-Hant";
  shop: string;
  simulated: boolean;
  member: string | null;
  lines: DisplayLine[];
  due: string;
  saved: string | null;
  earn_points: number;
  hint: string | null;
  paid?: PaidSale | null;
}
export interface DisplayLine {
  name: string;
  quantity: string;
  total: string;
  gross: string | null;
}
/**
 * The sale that was just paid; gone some seconds later.
 */
export interface PaidSale {
  total: string;
  change: string | null;
  earned_points: number;
  receipt: string;
  receipt_svg: string;
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

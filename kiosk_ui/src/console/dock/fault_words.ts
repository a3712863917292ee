import type { MessageId } from "../texts";

interface Words {
  text: MessageId;
  note: MessageId;
}

/** The faults by their names in the lab; one that this page does not know is shown by its name. */
export const FAULTS: Record<string, Words> = {
  unplug: { text: "console.dock.fault_unplug", note: "console.dock.fault_unplug_note" },
  replug: { text: "console.dock.fault_replug", note: "console.dock.fault_replug_note" },
  go_awol: { text: "console.dock.fault_go_awol", note: "console.dock.fault_go_awol_note" },
  slow: { text: "console.dock.fault_slow", note: "console.dock.fault_slow_note" },
  noise: { text: "console.dock.fault_noise", note: "console.dock.fault_noise_note" },
  half_write: { text: "console.dock.fault_half_write", note: "console.dock.fault_half_write_note" },
  drop_after: { text: "console.dock.fault_drop_after", note: "console.dock.fault_drop_after_note" },
  paper_out: { text: "console.dock.fault_paper_out", note: "console.dock.fault_paper_out_note" },
  near_end: { text: "console.dock.fault_near_end", note: "console.dock.fault_near_end_note" },
  cover_open: { text: "console.dock.fault_cover_open", note: "console.dock.fault_cover_open_note" },
  cutter_jam: { text: "console.dock.fault_cutter_jam", note: "console.dock.fault_cutter_jam_note" },
  torn_card: { text: "console.dock.fault_torn_card", note: "console.dock.fault_torn_card_note" },
  two_cards: { text: "console.dock.fault_two_cards", note: "console.dock.fault_two_cards_note" },
  random_uid: { text: "console.dock.fault_random_uid", note: "console.dock.fault_random_uid_note" },
  wrong_atr: { text: "console.dock.fault_wrong_atr", note: "console.dock.fault_wrong_atr_note" },
  pcscd_kill: { text: "console.dock.fault_pcscd_kill", note: "console.dock.fault_pcscd_kill_note" },
};

import { useEffect, useRef, useState } from "preact/hooks";

import type { ClaimView, DeviceView } from "../../shared/snapshots";
import { ask, SESSION, type Tell } from "./asking";

/** How many signs of life a lease is long: one may get lost. */
const SIGNS_A_LEASE = 3;

export type Change = "claim" | "take-over" | "override" | "refuse" | "release";

export interface Claiming {
  /** This page gets what the device reports. */
  yours: boolean;
  /** This page asked for it, and the holder may still refuse. */
  waiting: boolean;
  /** The holder refused, or somebody took it. */
  ended: "" | "refused" | "lost";
  change: (change: Change) => void;
}

/** Keeps this page's hold on a device alive, and hears when it goes to somebody else. */
export function useClaim(device: DeviceView, tell: Tell): Claiming {
  const { role, holder, asked_by } = device;
  const [claim, setClaim] = useState<ClaimView | null>(null);
  const [ended, setEnded] = useState<Claiming["ended"]>("");
  const now = useRef<ClaimView | null>(null);
  const before = useRef<Promise<unknown>>(Promise.resolve());
  const yours = claim?.yours ?? false;
  const waiting = claim !== null && !claim.yours;

  /** Asks one thing after the other: a sign of life that overtakes a release would claim the device again. */
  function inTurn(act: () => Promise<void>): void {
    before.current = before.current.then(act);
  }

  function hold(view: ClaimView | null): void {
    now.current = view;
    setClaim(view);
  }

  async function change(what: Change): Promise<void> {
    tell(null);
    setEnded("");
    const { value, problem } = await ask<ClaimView>(`devices/${role}/${what}`, { session: SESSION });
    if (problem) return tell(problem);
    if (what === "release") hold(null);
    else if (what !== "refuse") hold(value);
  }

  /** Says that this page is still there; without an answer in its favour the device is another's. */
  async function keep(): Promise<void> {
    const held = now.current;
    if (held === null) return;
    const { value, problem } = await ask<ClaimView>(`devices/${role}/claim`, { session: SESSION });
    hold(problem ? null : value);
    if (problem) setEnded(held.yours ? "lost" : "refused");
  }

  const every_ms = ((claim?.lease_s ?? 0) * 1000) / SIGNS_A_LEASE;
  useEffect(() => {
    if (!yours) return undefined;
    const timer = setInterval(() => inTurn(keep), every_ms);
    return () => clearInterval(timer);
  }, [yours, every_ms]);

  // Whose it is changed, or whoever asked for it has been answered: look how that concerns this page.
  useEffect(() => {
    if (yours || (waiting && asked_by === "")) inTurn(keep);
  }, [holder, asked_by]);

  useEffect(
    () => () => {
      inTurn(async () => {
        if (now.current) await ask(`devices/${role}/release`, { session: SESSION });
        now.current = null;
      });
    },
    [role],
  );

  return { yours, waiting, ended, change: (what) => inTurn(() => change(what)) };
}

import { useEffect, useState } from "preact/hooks";

import type { DeviceDetails, DeviceEventView } from "../../shared/snapshots";
import { ask, SESSION, type Tell } from "./asking";

const DETAILS_EVERY_MS = 5000;
const EVENTS_EVERY_MS = 500;
const SHOWN_EVENTS = 40;

/** Returns what is known of a device, read anew now and then and whenever `cue` changes. */
export function useDetails(role: string, cue: string, tell: Tell): DeviceDetails | null {
  const [details, setDetails] = useState<DeviceDetails | null>(null);
  useEffect(() => {
    let gone = false;
    async function read(): Promise<void> {
      const { value, problem } = await ask<DeviceDetails>(`devices/${role}`);
      if (gone) return;
      if (value) setDetails(value);
      else if (problem.code === "DEVICE_UNKNOWN") tell(problem);
    }
    void read();
    const timer = setInterval(() => document.hidden || void read(), DETAILS_EVERY_MS);
    return () => {
      gone = true;
      clearInterval(timer);
    };
  }, [role, cue]);
  return details;
}

/** Returns the newest events of a device, the newest first; what its own tests saw is whole. */
export function useEvents(role: string): DeviceEventView[] {
  const [events, setEvents] = useState<DeviceEventView[]>([]);
  useEffect(() => {
    let gone = false;
    let timer = 0;
    let since = 0;

    function take(more: DeviceEventView[]): void {
      since = Math.max(since, ...more.map(({ seq }) => seq));
      const mine = more.filter(({ device }) => device === role).reverse();
      if (mine.length > 0) setEvents((old) => [...mine, ...old].slice(0, SHOWN_EVENTS));
    }

    async function follow(): Promise<void> {
      if (!document.hidden) {
        const { value } = await ask<DeviceEventView[]>(`devices/events?since=${since}&session=${SESSION}`);
        if (value && !gone) take(value);
      }
      if (!gone) timer = setTimeout(() => void follow(), EVENTS_EVERY_MS);
    }

    void ask<DeviceDetails>(`devices/${role}`).then(({ value }) => {
      if (gone) return;
      if (value) take(value.events);
      void follow();
    });
    return () => {
      gone = true;
      clearTimeout(timer);
    };
  }, [role]);
  return events;
}

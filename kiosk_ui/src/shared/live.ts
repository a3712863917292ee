import { reconnectWaitS } from "./backoff";
import { type Cell, cell } from "./cell";
import type { Console, Display, Dock, Kiosk, Till } from "./snapshots";

export interface Faces {
  kiosk: Kiosk;
  till: Till;
  display: Display;
  console: Console;
  dock: Dock;
}

export interface Feed<Face> {
  /** The newest snapshot and nothing older; null before the first one. */
  readonly snapshot: Cell<Face | null>;
  /** Number of that frame; the daemon counts them from its start. */
  readonly version: () => number;
  /** False from the moment the connection is gone. */
  readonly connected: Cell<boolean>;
}

interface Frame<Face> {
  version: number;
  snapshot: Face;
}

interface FeedOptions {
  /** Whether the last snapshot may stay on screen while the daemon is out of reach; never on the kiosk. */
  keepWhileLost: boolean;
  /** The page's own name, by which the daemon knows that it is gone. */
  session?: string;
}

/**
 * Opens the live feed of a face and keeps it open for the life of the page.
 *
 * Every frame replaces the one before. The daemon hears `{painted: version}` once the browser has painted it:
 * a message posted inside an animation frame is delivered after that frame's paint.
 */
export function openFeed<Name extends keyof Faces>(name: Name, options: FeedOptions): Feed<Faces[Name]> {
  const snapshot = cell<Faces[Name] | null>(null);
  const connected = cell(false);
  const afterPaint = new MessageChannel();
  let socket: WebSocket;
  let attempt = 0;
  let version = 0;
  let paintPending = false;
  const named = options.session === undefined ? "" : `?session=${options.session}`;

  afterPaint.port1.onmessage = () => {
    paintPending = false;
    if (socket.readyState === WebSocket.OPEN) socket.send(JSON.stringify({ painted: version }));
  };

  function receive(event: MessageEvent<string>): void {
    const frame = JSON.parse(event.data) as Frame<Faces[Name]>;
    version = frame.version;
    attempt = 0;
    snapshot.value = frame.snapshot;
    connected.value = true;
    if (paintPending) return;
    paintPending = true;
    requestAnimationFrame(() => afterPaint.port2.postMessage(null));
  }

  function lose(): void {
    connected.value = false;
    if (!options.keepWhileLost) snapshot.value = null;
    setTimeout(connect, reconnectWaitS(attempt, Math.random) * 1000);
    attempt += 1;
  }

  function connect(): void {
    const scheme = location.protocol === "https:" ? "wss" : "ws";
    socket = new WebSocket(`${scheme}://${location.host}/live/${name}${named}`);
    socket.onmessage = receive;
    socket.onclose = lose;
  }

  connect();
  return { snapshot, version: () => version, connected };
}

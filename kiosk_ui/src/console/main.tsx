import "../shared/tokens.css";
import "./console.css";
import "./parts.css";
import "./closer.css";
import "./dock/dock.css";
import "./dock/things.css";
import "./dock/faults.css";
import "./dock/printer.css";

import { render } from "preact";

import { openFeed } from "../shared/live";
import { SESSION } from "./device/asking";
import { ConsoleFace } from "./face";

const feed = openFeed("console", { keepWhileLost: true, session: SESSION });
render(<ConsoleFace feed={feed} />, document.getElementById("app") as HTMLElement);

import "../shared/tokens.css";
import "./kiosk.css";
import "./screens.css";
import "./attract.css";
import "./sizes.css";
import "./small.css";
import "./troubles.css";
import "./parts.css";
import "./placing.css";
import "./panel.css";

import { render } from "preact";

import { openFeed } from "../shared/live";
import { KioskFace } from "./face";
import { fetchRest } from "./screen";

const feed = openFeed("kiosk", { keepWhileLost: false });
render(<KioskFace feed={feed} />, document.getElementById("app") as HTMLElement);
requestIdleCallback(() => void fetchRest());

import "../shared/tokens.css";
import "./till.css";
import "./parts.css";
import "./checkout.css";
import "./panels.css";
import "./small.css";

import { render } from "preact";

import { openFeed } from "../shared/live";
import { TillFace } from "./face";

const feed = openFeed("till", { keepWhileLost: true });
render(<TillFace feed={feed} />, document.getElementById("app") as HTMLElement);

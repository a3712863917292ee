import "../shared/tokens.css";
import "./display.css";

import { render } from "preact";

import { openFeed } from "../shared/live";
import { DisplayFace } from "./face";

const feed = openFeed("display", { keepWhileLost: false });
render(<DisplayFace feed={feed} />, document.getElementById("app") as HTMLElement);

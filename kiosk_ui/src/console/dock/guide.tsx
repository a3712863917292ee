import { useTexts } from "../texts";

/** Three steps to the first tap; the other faces open beside this one. */
export function Guide() {
  const { say } = useTexts();
  return (
    <ol class="guide">
      <li class="guide-step">
        <p>{say("console.dock.guide_open")}</p>
        <p class="guide-links">
          <FaceLink face="kiosk" text={say("console.dock.open_kiosk")} />
          <FaceLink face="till" text={say("console.dock.open_till")} />
        </p>
      </li>
      <li class="guide-step">
        <p>{say("console.dock.guide_lay")}</p>
      </li>
      <li class="guide-step">
        <p>{say("console.dock.guide_watch")}</p>
      </li>
    </ol>
  );
}

function FaceLink({ face, text }: { face: "kiosk" | "till"; text: string }) {
  return (
    <a class="face-link" href={`/${face}`} target="_blank" rel="noopener" data-testid={`open-${face}`}>
      {text}
      <span aria-hidden="true"> ↗</span>
    </a>
  );
}

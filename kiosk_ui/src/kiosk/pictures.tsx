import type { ComponentChildren } from "preact";

function Picture({ children }: { children: ComponentChildren }) {
  return (
    <svg class="tap-picture" viewBox="0 0 400 300" aria-hidden="true" focusable="false">
      {children}
    </svg>
  );
}

/** A card that comes down to the reader; the style sheet moves it and stops when motion is unwelcome. */
export function TapPicture() {
  return (
    <Picture>
      <g class="waves">
        <path d="M140 232a85 85 0 0 1 120 0" />
        <path d="M112 204a125 125 0 0 1 176 0" />
        <path d="M84 176a165 165 0 0 1 232 0" />
      </g>
      <rect class="reader" x="110" y="252" width="180" height="26" rx="13" />
      <g class="tap-card">
        <rect class="tap-card-face" x="118" y="40" width="164" height="104" rx="12" />
        <path class="tap-card-band" d="M118 66h164v20H118z" />
        <path class="tap-card-line" d="M136 108h60M136 124h36" />
        <circle class="tap-card-seal" cx="252" cy="116" r="14" />
      </g>
    </Picture>
  );
}

export function GiftPicture() {
  return (
    <Picture>
      <rect class="tap-card-face" x="112" y="142" width="176" height="122" rx="12" />
      <rect class="reader" x="98" y="104" width="204" height="50" rx="12" />
      <path class="tap-card-band" d="M186 104h28v160h-28z" />
      <path class="picture-line" d="M200 102c-78 6-78-66-32-62 22 2 30 34 32 62 2-28 10-60 32-62 46-4 46 68-32 62z" />
    </Picture>
  );
}

export function CodePicture() {
  return (
    <Picture>
      <rect class="reader" x="132" y="24" width="136" height="252" rx="22" />
      <rect class="picture-paper" x="144" y="48" width="112" height="196" rx="8" />
      <path
        class="tap-card-face"
        d="M160 78h34v34h-34zM206 78h34v34h-34zM160 124h34v34h-34zM206 124h14v14h-14zM226 124h14v14h-14zM206 144h14v14h-14zM226 144h14v14h-14z"
      />
      <path class="tap-card-band" d="M160 186h80v12h-80zM160 208h52v12h-52z" />
    </Picture>
  );
}

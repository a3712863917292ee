import type { ComponentChildren } from "preact";

/**
 * Makes an icon of a shape that is built anew at each drawing: an element that outlives a screen keeps, by its way
 * up, the whole tree in which it was drawn first, and with it the member who was shown there.
 */
function icon(shape: () => ComponentChildren) {
  return function Icon() {
    return (
      <svg class="icon" viewBox="0 0 24 24" aria-hidden="true" focusable="false">
        {shape()}
      </svg>
    );
  };
}

export const Check = icon(() => <path d="M4.5 12.5l5 5L19.5 7" />);
export const Chevron = icon(() => <path d="M9 5l7 7-7 7" />);
export const Back = icon(() => <path d="M15 5l-7 7 7 7" />);
export const Cross = icon(() => <path d="M6 6l12 12M18 6L6 18" />);
export const Warning = icon(() => <path d="M12 4L2.8 20h18.4L12 4zM12 10v4.5M12 17.3v.2" />);
export const Unsure = icon(() => (
  <>
    <circle cx="12" cy="12" r="9" />
    <path d="M9.3 9.5a2.7 2.7 0 1 1 3.9 2.4c-.8.4-1.2 1-1.2 1.8v.3M12 16.8v.2" />
  </>
));
export const Lock = icon(() => (
  <>
    <rect x="5" y="11" width="14" height="9" rx="2" />
    <path d="M8 11V8a4 4 0 0 1 8 0v3" />
  </>
));
export const Globe = icon(() => (
  <>
    <circle cx="12" cy="12" r="9" />
    <path d="M3 12h18M12 3c3 3 3 15 0 18M12 3c-3 3-3 15 0 18" />
  </>
));
export const Leave = icon(() => <path d="M14 4H6v16h8M10 12h11M17 8l4 4-4 4" />);
export const Clock = icon(() => (
  <>
    <circle cx="12" cy="12" r="9" />
    <path d="M12 7v5l3.5 2" />
  </>
));
export const Printer = icon(() => (
  <>
    <path d="M7 9V4h10v5M7 17H4V9h16v8h-3" />
    <path d="M7 14h10v6H7z" />
  </>
));
export const Card = icon(() => (
  <>
    <rect x="3" y="6" width="18" height="12" rx="2" />
    <path d="M3 10h18M7 15h4" />
  </>
));
export const Scanner = icon(() => <path d="M4 7V5h3M20 7V5h-3M4 17v2h3M20 17v2h-3M7 8v8M10 8v8M13 8v8M17 8v8" />);
export const Cloud = icon(() => <path d="M7 18a4.2 4.2 0 0 1-.6-8.4A5.8 5.8 0 0 1 17.5 10 4 4 0 0 1 17 18H7z" />);
export const LargerText = icon(() => <path d="M3 19L8.5 6 14 19M5 14.5h7M15.5 19l3-7 3 7M16.5 16.8h4" />);
export const Tier = icon(() => <path d="M4 8l4 4 4-6 4 6 4-4-1.5 10h-13L4 8z" />);
export const Ticket = icon(() => <path d="M3 7h18v3.2a1.9 1.9 0 0 0 0 3.6V17H3v-3.2a1.9 1.9 0 0 0 0-3.6V7zM14 7v2.5M14 12v.5M14 15v2" />);
export const Undo = icon(() => <path d="M8 5L3.5 9.5 8 14M4 9.5h10a5.5 5.5 0 0 1 0 11H9" />);
export const Thing = icon(() => <path d="M4 8l8-4 8 4v8l-8 4-8-4V8zM4 8l8 4 8-4M12 12v8" />);
export const Help = icon(() => <path d="M4 5h16v11h-7l-4.5 4v-4H4zM9.8 9a2.2 2.2 0 1 1 3.2 2c-.7.4-1 .8-1 1.5M12 14v.1" />);
export const Speech = icon(() => <path d="M4 9.5v5h3.5l5 4v-13l-5 4zM16 9a4.2 4.2 0 0 1 0 6M18.6 6.4a8 8 0 0 1 0 11.2" />);
export const Bell = icon(() => <path d="M5 17h14l-1.6-2.4V11a5.4 5.4 0 0 0-10.8 0v3.6zM10 20h4M12 5.6V4" />);
export const Contrast = icon(() => (
  <>
    <circle cx="12" cy="12" r="9" />
    <path d="M12 3v18M12 7l6.5 0M12 11h8.7M12 15h8.3M12 19h5" />
  </>
));
export const Gift = icon(() => <path d="M4 9h16v4H4zM5.5 13v7h13v-7M12 9v11M12 9c-6 0-5-6 0-1.5C17 3 18 9 12 9z" />);
export const Star = icon(() => <path d="M12 3.5l2.6 5.5 6 .8-4.4 4.200 1.1 6L12 17.1 6.7 20l1.1-6L3.4 9.800l6-.8z" />);
export const Erase = icon(() => <path d="M9 5h12v14H9l-6-7zM12 9.5l5 5M17 9.5l-5 5" />);
export const Person = icon(() => <path d="M12 12a4 4 0 1 0 0-8 4 4 0 0 0 0 8zM4.5 20.5a7.5 7.5 0 0 1 15 0" />);
export const Sparkle = icon(() => <path d="M11 4l2 6 6 2-6 2-2 6-2-6-6-2 6-2zM19 3v4M17 5h4" />);

const KIND = "text/plain";

/** Makes a drag carry the id of a card. */
export function carry(event: DragEvent, card: string): void {
  event.dataTransfer?.setData(KIND, card);
}

/** Returns what a drop brought; the bench refuses what is not one of its cards. */
export function carried(event: DragEvent): string {
  return event.dataTransfer?.getData(KIND) ?? "";
}

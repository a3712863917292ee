/** Stands on every screen of a face that works with a device that is no thing. */
export function Watermark({ words }: { words: string }) {
  return (
    <aside class="watermark" aria-label={words} data-testid="simulated">
      {words}
    </aside>
  );
}

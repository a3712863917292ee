/** Stands on every screen of a face that works with a device that is no thing. */
export function Watermark({ words }: { words: string }) {
  return (
    <p class="watermark" data-testid="simulated">
      {words}
    </p>
  );
}

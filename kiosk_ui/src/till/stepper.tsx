import { useTexts } from "./texts";

interface Props {
  /** Of the line, for who cannot see it. */
  name: string;
  quantity: string;
  canLess: boolean;
  canMore: boolean;
  step: (by: 1 | -1) => void;
  id: string;
}

/** How much of a line, and one less or one more of it. */
export function Stepper({ name, quantity, canLess, canMore, step, id }: Props) {
  const { say } = useTexts();
  return (
    <div class="stepper">
      <button
        type="button"
        class="step"
        aria-label={say("till.lines.less", { name })}
        disabled={!canLess}
        onClick={() => step(-1)}
      >
        −
      </button>
      <output data-testid={id}>{quantity}</output>
      <button
        type="button"
        class="step"
        aria-label={say("till.lines.more", { name })}
        disabled={!canMore}
        onClick={() => step(1)}
      >
        +
      </button>
    </div>
  );
}

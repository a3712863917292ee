import type { ComponentType, FunctionComponent } from "preact";
import { useEffect, useState } from "preact/hooks";

/** Draws a component whose code is fetched apart; `ahead` fetches it before anybody needs it. */
export type Later<Props> = FunctionComponent<Props> & { ahead: () => Promise<void> };

/** Makes a component of what a module gives later; until then nothing is drawn. */
export function later<Props extends object>(load: () => Promise<ComponentType<Props>>): Later<Props> {
  let loaded: ComponentType<Props> | null = null;

  async function ahead(): Promise<void> {
    loaded ??= await load();
  }

  function Drawn(props: Props) {
    const [, redraw] = useState({});
    useEffect(() => {
      if (loaded === null) void ahead().then(() => redraw({}));
    }, []);
    const Now = loaded;
    return Now && <Now {...props} />;
  }

  return Object.assign(Drawn, { ahead });
}

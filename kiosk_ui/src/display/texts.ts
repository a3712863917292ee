import { createContext } from "preact";
import { useContext } from "preact/hooks";

import { type MessageId, messages } from "../catalogues/display";
import { FIRST_LANGUAGE, type Texts, textsFrom } from "../shared/i18n";

export type { MessageId };

export const texts = textsFrom(messages);

export const TextsContext = createContext<Texts<MessageId>>(texts[FIRST_LANGUAGE]);

/** Returns the texts in the language of the snapshot that is being drawn. */
export function useTexts(): Texts<MessageId> {
  return useContext(TextsContext);
}

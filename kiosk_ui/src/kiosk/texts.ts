import { createContext } from "preact";
import { useContext, useEffect } from "preact/hooks";

import { type MessageId, messages, rest } from "../catalogues/kiosk";
import { cell, useCell } from "../shared/cell";
import { FIRST_LANGUAGE, type Language, LANGUAGES, type Texts, textsFrom } from "../shared/i18n";

export type { MessageId };

export const texts = textsFrom(messages);

export const TextsContext = createContext<Texts<MessageId>>(texts[FIRST_LANGUAGE]);

/** Returns the texts in the language of the snapshot that is being drawn. */
export function useTexts(): Texts<MessageId> {
  return useContext(TextsContext);
}

const learnt = cell<readonly Language[]>([]);

async function learn(language: Language): Promise<void> {
  const { messages: more } = await rest[language]();
  texts[language].learn(more);
  if (!learnt.value.includes(language)) learnt.value = [...learnt.value, language];
}

// Most shops speak it: it is on its way before the daemon has named one.
void learn(FIRST_LANGUAGE);

/**
 * Tells whether a language can be spoken. The one that is shown is fetched at once and the others after it, so that
 * the first screen waits for one language and choosing another waits for none.
 */
export function useLanguage(language: Language | undefined): boolean {
  const known = useCell(learnt);
  useEffect(() => {
    if (language === undefined) return;
    void learn(language).then(() => LANGUAGES.filter((other) => !learnt.value.includes(other)).forEach(learn));
  }, [language]);
  return language !== undefined && known.includes(language);
}

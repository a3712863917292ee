import { type MessageDescriptor, setupI18n } from "@lingui/core";
import type { CompiledMessage } from "@lingui/message-utils/compileMessage";

import type { Kiosk } from "./snapshots";

export type Language = Kiosk["language"];

/** All a page says in one language. Made once per language, so the costly Intl objects live as long as the page. */
export interface Texts<Id extends string> {
  readonly language: Language;
  /** Returns the text with this id, its placeholders filled. */
  say(id: Id, values?: MessageDescriptor["values"]): string;
  /** Formats an integer, such as points, with the language's grouping. */
  number(value: number): string;
  /** Formats an ISO date (a day, not an instant). */
  day(iso: string): string;
  /** Formats an ISO instant as local date and time. */
  instant(iso: string): string;
  /** Takes texts that came later. */
  learn(messages: Record<string, unknown>): void;
}

export type TextsByLanguage<Id extends string> = Record<Language, Texts<Id>>;

type Messages<Id extends string> = Record<Language, Partial<Record<Id, CompiledMessage>>>;

/** What each language calls itself. */
export const LANGUAGE_NAMES: Record<Language, string> = {
  "zh-Hans": "简体中文",
  "zh-Hant": "繁體中文",
  en: "English",
  ja: "日本語",
};

export const LANGUAGES = Object.keys(LANGUAGE_NAMES) as Language[];

/** The language before the daemon has named one. */
export const FIRST_LANGUAGE: Language = "zh-Hans";

/** Builds the texts of a face from its compiled catalogue. */
export function textsFrom<Id extends string>(messages: Messages<Id>): TextsByLanguage<Id> {
  return Object.fromEntries(
    LANGUAGES.map((language) => [language, textsIn(language, messages)]),
  ) as TextsByLanguage<Id>;
}

/** Returns the texts in the language of the page, which stays when the feed is lost. */
export function textsOfPage<Id extends string>(texts: TextsByLanguage<Id>): Texts<Id> {
  const shown = LANGUAGES.find((language) => language === document.documentElement.lang);
  return texts[shown ?? FIRST_LANGUAGE];
}

function textsIn<Id extends string>(language: Language, messages: Messages<Id>): Texts<Id> {
  const i18n = setupI18n({ locale: language, messages: { [language]: messages[language] as Record<string, CompiledMessage> } });
  const number = new Intl.NumberFormat(language);
  const day = new Intl.DateTimeFormat(language, { dateStyle: "medium", timeZone: "UTC" });
  const instant = new Intl.DateTimeFormat(language, { dateStyle: "medium", timeStyle: "medium" });
  return {
    language,
    say: (id, values) => i18n._(id, values),
    number: (value) => number.format(value),
    day: (iso) => day.format(new Date(`${iso}T00:00:00Z`)),
    instant: (iso) => instant.format(new Date(iso)),
    learn: (more) => i18n.load(language, more as Record<string, CompiledMessage>),
  };
}

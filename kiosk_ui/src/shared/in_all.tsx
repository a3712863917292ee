import { LANGUAGES, type TextsByLanguage } from "./i18n";

/** Says one thing in every language, a line each, for when nobody has named one. */
export function InAll<Id extends string>({ texts, id }: { texts: TextsByLanguage<Id>; id: Id }) {
  return (
    <>
      {LANGUAGES.map((language) => (
        <span key={language} lang={language} class="in-all">
          {texts[language].say(id)}
        </span>
      ))}
    </>
  );
}

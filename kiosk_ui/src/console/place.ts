import { useEffect, useState } from "preact/hooks";

/** What of the console is looked at closer; the address of the page names it, so that "back" and a link work. */
export type Place = { at: "device"; role: string } | { at: "setup" } | null;

export function hrefOf(place: Place): string {
  if (place === null) return "#";
  return place.at === "setup" ? "#setup" : `#device=${encodeURIComponent(place.role)}`;
}

export function placeOf(hash: string): Place {
  if (hash === "#setup") return { at: "setup" };
  const role = /^#device=([\w%.-]{1,128})$/.exec(hash)?.[1];
  return role === undefined ? null : { at: "device", role: decoded(role) };
}

function decoded(role: string): string {
  try {
    return decodeURIComponent(role);
  } catch {
    return role;
  }
}

/** Follows the address of the page. */
export function usePlace(): Place {
  const [hash, setHash] = useState(location.hash);
  useEffect(() => {
    const follow = () => setHash(location.hash);
    addEventListener("hashchange", follow);
    return () => removeEventListener("hashchange", follow);
  }, []);
  return placeOf(hash);
}

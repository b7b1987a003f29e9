// @ts-check
// Which room this page is, for when it comes back without its link: a tab stays the room it was, a
// new one is the room that was used last. The bridge's id alone opens nothing; the cookie does.
// Also whether the room comes in by itself when it is called.

const STORED = "mcu.room";

/** @returns {string} empty when no room was ever opened here */
export function rememberedRoom() {
  for (const kept of [() => sessionStorage, () => localStorage]) {
    try {
      const id = kept().getItem(STORED);
      if (id) return id;
    } catch {
      // storage is forbidden: the link is wanted again
    }
  }
  return "";
}

/** @param {string} id of the bridge */
export function rememberRoom(id) {
  for (const kept of [() => sessionStorage, () => localStorage]) {
    try {
      kept().setItem(STORED, id);
    } catch {
      // forgotten when the page is loaded anew
    }
  }
}

const BY_ITSELF = "mcu.by-itself";

export function comesByItself() {
  try {
    return localStorage.getItem(BY_ITSELF) === "on";
  } catch {
    return false;
  }
}

/** @param {boolean} on */
export function rememberByItself(on) {
  try {
    localStorage.setItem(BY_ITSELF, on ? "on" : "off");
  } catch {
    // in force until the page is loaded anew
  }
}

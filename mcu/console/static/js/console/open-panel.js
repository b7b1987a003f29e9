// @ts-check
// Which panel of a conference is open, kept by this browser tab: a page that is loaded anew shows
// what it showed before. Of the room that was looked at its id is kept too.

/** @param {string} conference */
const nameOf = (conference) => `mcu.panel.${conference}`;

/**
 * @param {string} conference
 * @returns {{panel: string, room: string | null} | null} null: none was opened
 */
export function rememberedPanel(conference) {
  try {
    const { panel, room } = JSON.parse(sessionStorage.getItem(nameOf(conference)) ?? "{}");
    return typeof panel === "string" ? { panel, room: typeof room === "string" ? room : null } : null;
  } catch {
    return null; // storage is forbidden, or holds something else
  }
}

/** @param {string} conference @param {string} panel @param {string | null} room */
export function rememberPanel(conference, panel, room) {
  try {
    sessionStorage.setItem(nameOf(conference), JSON.stringify({ panel, room }));
  } catch {
    // forgotten when the page is loaded anew
  }
}

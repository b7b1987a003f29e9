// @ts-check
// Where one's own rooms are while another unit has called them: it need not ask, so nothing else says.

import { html, signal, useEffect } from "../shared/base.js";
import { getAll, session } from "../shared/api.js";
import { byName, t } from "../shared/i18n.js";
import { Icon } from "../shared/icons.js";
import { STATE_ICONS } from "./row.js";

export const READ_AGAIN_MS = 20_000; // no event of such a conference comes here

/** @type {Record<string, string>} */
const TONES = { connected: "joined", lost: "failed", expected: "called", calling: "called" };

/** Rooms in conferences that this token may not look at. */
const away = signal(/** @type {any[]} */ ([]));

/** Read them; without an answer what was read before stays shown. */
async function read() {
  const found = await getAll("bridges").catch(() => null);
  if (!found) return;
  away.value = found
    .filter((room) => room.conference && !room.conference.may_read)
    .sort((a, b) => byName(a.name, b.name));
}

/** Says no more than it is asked for: nothing while all are where their unit has called them. */
export function Elsewhere() {
  // Who reaches every unit looks at every conference.
  const bounded = Boolean(session.value?.unit);
  useEffect(() => {
    away.value = [];
    if (!bounded) return undefined;
    void read();
    const timer = setInterval(() => void read(), READ_AGAIN_MS);
    return () => clearInterval(timer);
  }, [bounded]);
  if (!away.value.length) return null;
  return html`<section class="card" aria-label=${t("elsewhere")}>
    <h2>${t("elsewhere")}</h2>
    <ul class="convening-rows">
      ${away.value.map(
        (room) =>
          html`<li key=${room.id} class=${TONES[room.conference.state] ?? ""}>
            <${Icon} name=${STATE_ICONS[room.conference.state]} />
            <span class="convening-name">
              <b>${room.name}</b>
              <span class="quiet">${whereInWords(room)}</span>
            </span>
          </li>`,
      )}
    </ul>
  </section>`;
}

/** Which conference has a room, whose that is, and how the room stands in it. @param {any} room */
export const whereInWords = ({ conference }) =>
  [
    t("elsewhere.in", { conference: conference.name, unit: conference.unit_name }),
    t(`state.${conference.state}`),
  ].join(" · ");

// @ts-check
// Rooms that another conference wants too, or has: waited for, moved over, declined. Rooms that wait
// to be let in.

import { html, useState } from "../shared/base.js";
import { Problem } from "../shared/controls.js";
import { Icon } from "../shared/icons.js";
import { clock, t } from "../shared/i18n.js";
import { busy } from "./actions.js";
import { callerWords } from "./caller.js";
import { LadderDialog } from "./ladder.js";
import { useReading } from "./reading.js";

/** Who came late to a locked conference, and is to be let in or sent away.
 * @param {{desk: import("./conference.js").Desk, off: boolean}} props */
export function WaitingRoom({ desk, off }) {
  const { model, actions } = desk;
  const waiting = model.ids.value
    .map((id) => model.person(id))
    .filter((person) => person?.waiting && person.legs.length);
  if (!waiting.length) return null;
  const disabled = off || busy.value.has("waiting");
  return html`<section aria-label=${t("waiting")}>
    <h3>
      ${t("waiting")} <span class="quiet">${waiting.length}</span>
      <button type="button" class="small" title="Shift+A" disabled=${disabled} onClick=${() => actions.admit(null)}>
        ${t("waiting.admit-all")}
      </button>
    </h3>
    <ul class="convening-rows waiting-room">
      ${waiting.map(
        (person) =>
          html`<li key=${person.id} class="called">
            <${Icon} name="clock" />
            <span class="convening-name"><b>${person.label}</b></span>
            <button
              type="button"
              class="small primary"
              disabled=${disabled}
              aria-label=${t("waiting.admit-one", { name: person.label })}
              onClick=${() => actions.admit(person.id)}
            >
              ${t("waiting.admit")}
            </button>
            <button
              type="button"
              class="small danger"
              disabled=${disabled}
              aria-label=${t("waiting.refuse-one", { name: person.label })}
              onClick=${() => actions.refuse(person.id)}
            >
              ${t("waiting.refuse")}
            </button>
          </li>`,
      )}
    </ul>
  </section>`;
}

/** Who calls by SIP and stands at the PIN prompt: on no roster yet.
 * @param {{desk: import("./conference.js").Desk}} props */
export function Callers({ desk }) {
  const [traced, setTraced] = useState(/** @type {any} */ (null));
  const callers = desk.model.callers.value;
  // Who is sent away meanwhile is gone from the list, and its ladder stays open.
  return html`${callers.length > 0 && html`<${CallerList} callers=${callers} onTrace=${desk.mutes ? setTraced : null} />`}
  ${
    traced &&
    html`<${LadderDialog}
      path=${`${desk.actions.path}/callers/${encodeURIComponent(traced.call)}`}
      name=${callerWords(traced).name}
      onClose=${() => setTraced(null)}
    />`
  }`;
}

/** @param {{callers: any[], onTrace: ((caller: any) => void) | null}} props */
function CallerList({ callers, onTrace }) {
  return html`<section aria-label=${t("callers")}>
    <h3>${t("callers")} <span class="quiet">${callers.length}</span></h3>
    <ul class="convening-rows callers">
      ${callers.map((caller) => {
        const { name, number, host } = callerWords(caller);
        return html`<li key=${caller.call} class="called">
            <${Icon} name="lock" />
            <span class="convening-name"><b>${name}</b></span>
            <span class="quiet" title=${`${caller.address} · ${caller.source} · Call-ID ${caller.call_id}`}
              >${[number, t("callers.how", { source: host, time: clock(caller.since), count: caller.tries_left })].filter(Boolean).join(" · ")}</span
            >
            ${
              onTrace &&
              html`<button
                type="button"
                class="small"
                aria-label=${t("sip.trace.title", { name })}
                onClick=${() => onTrace(caller)}
              >
                ${t("sip.trace")}
              </button>`
            }
          </li>`;
      })}
    </ul>
  </section>`;
}

const OPEN = ["open", "waiting", "moving"];

/** @param {{desk: import("./conference.js").Desk, off: boolean}} props */
export function Conflicts({ desk, off }) {
  const changes = desk.model.conflictChanges.value;
  const { found, error } = useReading(desk, "conflicts", changes);
  const open = (found?.items ?? []).filter((/** @type {any} */ { status }) => OPEN.includes(status));
  if (!open.length && !error) return null;
  return html`<section aria-label=${t("conflicts")}>
    <h3>
      ${t("conflicts")}
      <a
        class="button small"
        href=${`/api/v1/conferences/${encodeURIComponent(desk.model.id)}/conflicts.csv`}
        download
        >CSV</a
      >
    </h3>
    <${Problem} error=${error} />
    <ul class="convening-rows">
      ${open.map((/** @type {any} */ one) => html`<${Row} key=${`${one.bridge} ${one.side} ${one.conference}`} desk=${desk} one=${one} off=${off || busy.value.has(`conflict:${one.bridge}`)} />`)}
    </ul>
  </section>`;
}

/** @param {{desk: import("./conference.js").Desk, one: any, off: boolean}} props */
function Row({ desk, one, off }) {
  const decide = (/** @type {string} */ decision) => () =>
    desk.actions.decideConflict(one, decision);
  return html`<li class="failed">
    <${Icon} name="warning" />
    <span class="convening-name">
      <b>${one.name}</b>
      <span class="quiet"
        >${[t(`conflict.${one.side}`, { name: one.conference_name }), t(`conflict.is.${one.status}`), one.by, clock(one.at)].filter(Boolean).join(" · ")}</span
      >
    </span>
    <button
      type="button"
      class="small primary"
      disabled=${off || !one.may_move || one.status === "moving"}
      title=${one.may_move ? "" : t("conflict.move.both")}
      aria-label=${t("conflict.move-one", { name: one.name })}
      onClick=${decide("move")}
    >
      ${t("conflict.move")}
    </button>
    <button
      type="button"
      class="small"
      disabled=${off || one.status !== "open"}
      aria-label=${t("conflict.wait-one", { name: one.name })}
      onClick=${decide("wait")}
    >
      ${t("conflict.wait")}
    </button>
    <button
      type="button"
      class="small"
      disabled=${off || one.status === "moving"}
      aria-label=${t("conflict.decline-one", { name: one.name })}
      onClick=${decide("decline")}
    >
      ${t("conflict.decline")}
    </button>
  </li>`;
}

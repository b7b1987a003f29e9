// @ts-check
// Rooms called together: begun by one key, watched with trouble first, called again or no more.

import { classes, html, useEffect, useState } from "../shared/base.js";
import { ClockDown } from "../shared/clockdown.js";
import { Problem } from "../shared/controls.js";
import { Icon } from "../shared/icons.js";
import { clock, duration, t } from "../shared/i18n.js";
import { localTime } from "../shared/procedure.js";
import { busy } from "./actions.js";
import { Callers, Conflicts, WaitingRoom } from "./conflicts.js";
import { Invited } from "./invitations.js";
import { useReading } from "./reading.js";

const ORDERS = ["importance", "units", "scenario"];
const MINUTES = [5, 10, 15, 20, 30];
const AT_ONCE = [4, 8, 16, 32, 64];
/** Trouble first. */
const RANKS = ["failed", "stopped", "called", "expected", "joined"];

/** @param {{desk: import("./conference.js").Desk}} props */
export function ConveningPanel({ desk }) {
  const conference = desk.model.conference.value;
  const convened = conference.convening !== null;
  const changes = desk.model.conveningChanges.value;
  const { found: board, error } = useReading(desk, "convening", changes, convened);
  const off = !desk.controls || conference.state !== "running" || busy.value.has("convening");
  return html`<div class="convening">
    <${Problem} error=${error} />
    <${Callers} desk=${desk} />
    <${WaitingRoom} desk=${desk} off=${!desk.controls || conference.state !== "running"} />
    <${Conflicts} desk=${desk} off=${!desk.controls || conference.state !== "running"} />
    <${Invited} desk=${desk} off=${!desk.controls || conference.state !== "running"} />
    ${board ? html`<${Progress} desk=${desk} board=${board} off=${off} />` : null}
    ${board?.state !== "open" && html`<${Begin} desk=${desk} again=${Boolean(board)} off=${off} />`}
    ${board && html`<${Rows} desk=${desk} board=${board} off=${off} />`}
  </div>`;
}

/** @param {{desk: import("./conference.js").Desk, again: boolean, off: boolean}} props */
function Begin({ desk, again, off }) {
  const terms = desk.convening.value;
  const change = (/** @type {any} */ some) => (desk.convening.value = { ...terms, ...some });
  return html`<div class="row-of-buttons convening-terms">
    <button
      type="button"
      class=${again ? "" : "primary"}
      title="Shift+O"
      disabled=${off}
      onClick=${() => desk.actions.convene(terms)}
    >
      <${Icon} name="phone" />${t(again ? "convene.again" : "convene.start")}
    </button>
    <label class="inline"
      >${t("convene.order")}
      <select
        value=${terms.order}
        disabled=${off}
        onChange=${(/** @type {any} */ e) => change({ order: e.target.value })}
      >
        ${ORDERS.map((order) => html`<option key=${order} value=${order}>${t(`convene.order.${order}`)}</option>`)}
      </select>
    </label>
    <label class="inline"
      >${t("convene.at-once")}
      <select
        value=${String(terms.at_once ?? "")}
        disabled=${off}
        onChange=${(/** @type {any} */ e) => change({ at_once: Number(e.target.value) || null })}
      >
        <option value="">${t("convene.usual")}</option>
        ${AT_ONCE.map((n) => html`<option key=${n} value=${String(n)}>${n}</option>`)}
      </select>
    </label>
    <label class="inline"
      >${t("convene.within")}
      <select
        value=${String(terms.target_s ?? "")}
        disabled=${off}
        onChange=${(/** @type {any} */ e) => change({ target_s: Number(e.target.value) || null })}
      >
        <option value="">${t("convene.usual")}</option>
        ${MINUTES.map((n) => html`<option key=${n} value=${String(n * 60)}>${t("floor.minutes", { count: n })}</option>`)}
      </select>
    </label>
  </div>`;
}

/** @param {{desk: import("./conference.js").Desk, board: any, off: boolean}} props */
function Progress({ desk, board, off }) {
  const { actions } = desk;
  const open = board.state === "open";
  const late = board.within_target === false;
  return html`<div class="convening-progress">
    <p class="convening-now" role="status">
      <b>${t("convene.done", { done: board.joined, all: board.rooms })}</b>
      <span class=${classes("quiet", late && "late")}>
        ${[
          t(`convene.state.${board.state}`),
          t("convene.rule", {
            minutes: Math.round(board.target_s / 60),
            time: clock(board.target_at),
          }),
          board.within_target !== null && t(late ? "convene.missed" : "convene.met"),
        ]
          .filter(Boolean)
          .join(" · ")}
      </span>
      ${open && !board.overdue_at && html`<${ClockDown} of=${{ until: board.target_at }} />`}
      ${open && board.overdue_at && html`<${ClockUp} since=${board.started_at} />`}
    </p>
    <progress max=${board.rooms} value=${board.joined} aria-label=${t("panel.convening")}></progress>
    <ul class="milestones" aria-label=${t("convene.milestones")}>
      ${board.milestones.map(
        (/** @type {any} */ one) =>
          html`<li
            key=${one.percent}
            class=${classes(one.at && "passed", one.after_s > board.target_s && "late")}
          >
            ${one.percent}% <b>${one.at ? duration(one.after_s) : "–"}</b>
          </li>`,
      )}
    </ul>
    <div class="row-of-buttons">
      <button
        type="button"
        disabled=${off || board.joined === board.rooms}
        onClick=${() => actions.retryConvening(null)}
      >
        <${Icon} name="refresh" />${t("convene.retry-all")}
      </button>
      <button
        type="button"
        class="danger"
        disabled=${off || !open}
        onClick=${() => actions.stopConvening(null)}
      >
        <${Icon} name="close" />${t("convene.stop-all")}
      </button>
      <a
        class="button"
        href=${`/api/v1/conferences/${encodeURIComponent(desk.model.id)}/convening.csv`}
        download
        >CSV</a
      >
    </div>
  </div>`;
}

/** @param {{desk: import("./conference.js").Desk, board: any, off: boolean}} props */
function Rows({ desk, board, off }) {
  const rows = [...board.rows].sort(
    (a, b) => RANKS.indexOf(a.state) - RANKS.indexOf(b.state) || a.place - b.place,
  );
  return html`<ul class="convening-rows" aria-label=${t("convene.rows")}>
    ${rows.map(
      (row) =>
        html`<li key=${row.participant} class=${row.state}>
          <span class="place">${row.place}</span>
          <span class="convening-name">
            <button type="button" class="bare queue-name" onClick=${() => desk.openRoom(row.participant)}>
              ${row.label}
            </button>
            <${Why} row=${row} />
          </span>
          ${
            row.state !== "joined" &&
            html`<${Contact} contact=${row.contact} />
              <button
                type="button"
                class="small"
                disabled=${off || row.state === "called"}
                aria-label=${t("convene.retry-one", { name: row.label })}
                onClick=${() => desk.actions.retryConvening(row.participant)}
              >
                ${t("convene.retry")}
              </button>
              <button
                type="button"
                class="small"
                disabled=${off || row.state === "stopped"}
                aria-label=${t("convene.stop-one", { name: row.label })}
                onClick=${() => desk.actions.stopConvening(row.participant)}
              >
                ${t("convene.stop")}
              </button>`
          }
        </li>`,
    )}
  </ul>`;
}

/** How it stands with a room, in words. @param {{row: any}} props */
function Why({ row }) {
  const parts = [t(`convene.room.${row.state}`)];
  if (row.state === "joined") parts.push(duration(row.after_s));
  if (row.late) parts.push(t("convene.late"));
  if (row.state === "joined" && row.presence !== "connected") parts.push(t(`state.${row.presence}`));
  if (row.cause)
    parts.push(t(row.page_open === false ? "convene.no-page" : `call.${row.cause}`));
  if (row.attempts > 1) parts.push(t("convene.attempts", { count: row.attempts }));
  return html`<span class="quiet"
    >${parts.join(" · ")}${row.next_at && html` · ${t("convene.next")} <${ClockDown} of=${{ until: row.next_at }} />`}</span
  >`;
}

/** @param {{contact: {name: string, phone: string}}} props */
const Contact = ({ contact }) =>
  contact.phone
    ? html`<a
        class="phone"
        href=${`tel:${contact.phone.replace(/[^+\d]/g, "")}`}
        title=${contact.name}
        ><${Icon} name="phone" />${contact.phone}</a
      >`
    : html`<span class="quiet">${contact.name || t("room.no-contact")}</span>`;

/** How long it takes already. @param {{since: string}} props */
function ClockUp({ since }) {
  const [, redraw] = useState(0);
  useEffect(() => {
    const timer = setInterval(() => redraw((n) => n + 1), 1000);
    return () => clearInterval(timer);
  }, []);
  return html`<time class="clock-down short"
    >${duration(Math.max(0, (Date.now() - localTime(since)) / 1000))}</time
  >`;
}

// @ts-check
// Roll call: begun, gone through room by room, marked, signed off, and read afterwards.

import { classes, html, useEffect, useState } from "../shared/base.js";
import { get } from "../shared/api.js";
import { opensFirst, Problem } from "../shared/controls.js";
import { Icon } from "../shared/icons.js";
import { clock, t } from "../shared/i18n.js";
import { busy } from "./actions.js";
import { CorrectionDialog } from "./correction.js";

const MARKS = ["present", "late", "absent"];
const GRACES = [0, 300, 600, 900];

/**
 * The newest roll call with its rows, read again whenever an event says it has changed.
 * @param {import("./conference.js").Desk} desk
 */
function useRollCall(desk) {
  const [found, setFound] = useState(/** @type {any} */ (null));
  const [error, setError] = useState(/** @type {any} */ (null));
  const changes = desk.model.rollCallChanges.value;
  // What is open when the conference ends is unsigned from then on, without an event of its own.
  const { state } = desk.model.conference.value;
  const path = `conferences/${encodeURIComponent(desk.model.id)}/roll-calls`;
  useEffect(() => {
    let current = true;
    const read = async () => {
      try {
        const { items } = await get(path);
        const last = items.at(-1);
        const one = last ? await get(`${path}/${last.number}`) : null;
        if (current) {
          setFound(one);
          setError(null);
        }
      } catch (problem) {
        if (current) setError(problem);
      }
    };
    void read();
    return () => {
      current = false;
    };
  }, [path, changes, state]);
  return { found, error };
}

/** @param {{desk: import("./conference.js").Desk}} props */
export function RollCallPanel({ desk }) {
  const { found, error } = useRollCall(desk);
  const conference = desk.model.conference.value;
  const waits = !desk.controls || busy.value.has("roll-call");
  const off = waits || conference.state !== "running";
  const open = found?.state === "open";
  return html`<div class="roll-call">
    <${Problem} error=${error} />
    ${!open && html`<${Begin} desk=${desk} off=${off} />`}
    ${open && html`<${Progress} desk=${desk} found=${found} off=${off} />`}
    ${found?.state === "unsigned" && html`<${SignOff} desk=${desk} found=${found} off=${waits} />`}
    ${found && html`<${Record} desk=${desk} found=${found} off=${waits} />`}
  </div>`;
}

/** @param {{desk: import("./conference.js").Desk, off: boolean}} props */
function Begin({ desk, off }) {
  const [grace, setGrace] = useState(600);
  return html`<div class="roll-begin">
    <div class="row-of-buttons">
      <button
        type="button"
        class="primary"
        disabled=${off}
        onClick=${() => desk.actions.startRollCall({ mode: "called" })}
      >
        <${Icon} name="list" />${t("roll.start-called")}
      </button>
      <span class="quiet">${t("roll.called.explain")}</span>
    </div>
    <div class="row-of-buttons">
      <button
        type="button"
        disabled=${off}
        onClick=${() => desk.actions.startRollCall({ mode: "presence", grace_s: grace })}
      >
        <${Icon} name="clock" />${t("roll.start-presence")}
      </button>
      <label class="inline"
        >${t("roll.grace")}
        <select
          value=${String(grace)}
          onChange=${(/** @type {any} */ e) => setGrace(Number(e.target.value))}
        >
          ${GRACES.map((s) => html`<option key=${s} value=${String(s)}>${t("floor.minutes", { count: s / 60 })}</option>`)}
        </select>
      </label>
    </div>
  </div>`;
}

/** @param {{desk: import("./conference.js").Desk, found: any, off: boolean}} props */
function Progress({ desk, found, off }) {
  const { actions } = desk;
  const row = found.rows.find((/** @type {any} */ r) => r.participant === found.calling);
  const done = found.rows.length - found.counts.unmarked;
  return html`<div class="roll-progress">
    <p class="roll-now" role="status">
      ${
        found.mode === "presence"
          ? t("roll.presence-until", { time: clock(found.due) })
          : row
            ? html`${t(found.paused ? "roll.paused-at" : "roll.calling")} <b>${row.label}</b>`
            : t(found.paused ? "roll.paused" : "roll.all-called")
      }
      <span class="quiet">${t("roll.done", { done, all: found.rows.length })}</span>
    </p>
    <progress max=${found.rows.length} value=${done} aria-label=${t("panel.roll-call")}></progress>
    ${
      found.mode === "called" &&
      html`<div class="row-of-buttons">
        <button
          type="button"
          class="primary"
          title="Y"
          disabled=${off || !row}
          onClick=${() => actions.markRoom(found.number, found.calling, "present")}
        >
          <${Icon} name="check" />${t("roll.present")}
        </button>
        <button
          type="button"
          title="N"
          disabled=${off || !row}
          onClick=${() => actions.markRoom(found.number, found.calling, "absent")}
        >
          <${Icon} name="close" />${t("roll.absent")}
        </button>
        <button
          type="button"
          title="K"
          disabled=${off || !row}
          onClick=${() => actions.changeRollCall(found.number, { skip: found.calling })}
        >
          ${t("roll.skip")}
        </button>
        <button
          type="button"
          aria-pressed=${String(found.paused)}
          disabled=${off}
          onClick=${() => actions.changeRollCall(found.number, { paused: !found.paused })}
        >
          ${t(found.paused ? "roll.resume" : "roll.pause")}
        </button>
      </div>`
    }
    <${SignOff} desk=${desk} found=${found} off=${off} />
  </div>`;
}

/** The end of a roll call, also after the conference.
 * @param {{desk: import("./conference.js").Desk, found: any, off: boolean}} props */
function SignOff({ desk, found, off }) {
  const { actions } = desk;
  return html`<div class="row-of-buttons">
    <button
      type="button"
      disabled=${off}
      onClick=${() => actions.signRollCall(found.number, found.counts.unmarked > 0)}
    >
      <${Icon} name="edit" />${t(found.counts.unmarked ? "roll.sign-rest" : "roll.sign")}
    </button>
    <button
      type="button"
      class="danger"
      disabled=${off}
      onClick=${() => actions.cancelRollCall(found.number)}
    >
      ${t("roll.cancel")}
    </button>
  </div>`;
}

/** @param {{desk: import("./conference.js").Desk, found: any, off: boolean}} props */
function Record({ desk, found, off }) {
  const counts = MARKS.concat("lost", "unmarked")
    .filter((status) => found.counts[status])
    .map((status) => `${t(`roll.status.${status}`)} ${found.counts[status]}`);
  const path = `/api/v1/conferences/${encodeURIComponent(desk.model.id)}/roll-calls/${found.number}.csv`;
  return html`<section aria-label=${t("roll.record", { number: found.number })}>
    <h3>
      ${t("roll.record", { number: found.number })}
      <span class="quiet"
        >${[t(`roll.state.${found.state}`), found.ended_by, found.ended_at && clock(found.ended_at), ...counts].filter(Boolean).join(" · ")}</span
      >
      <a class="button small" href=${path} download>CSV</a>
    </h3>
    <ul class="roll-rows">
      ${found.rows.map(
        (/** @type {any} */ row) =>
          html`<li
            key=${row.participant}
            class=${classes(row.status ?? "unmarked", found.calling === row.participant && "calling")}
          >
            ${
              row.picture
                ? html`<img src=${row.picture} alt="" loading="lazy" />`
                : html`<span class="no-shot"></span>`
            }
            <span class="roll-name">
              <button type="button" class="bare queue-name" onClick=${() => desk.openRoom(row.participant)}>
                ${row.label}
              </button>
              <span class="quiet">${row.by}${row.note && ` · ${row.note}`}</span>
            </span>
            <span class="roll-status"
              >${t(`roll.status.${row.status ?? (row.skipped ? "skipped" : "unmarked")}`)}
              ${row.at && html`<span class="quiet">${clock(row.at)}</span>`}</span
            >
            <${RowMarks} desk=${desk} found=${found} row=${row} off=${off} />
          </li>`,
      )}
    </ul>
  </section>`;
}

/** @param {{desk: import("./conference.js").Desk, found: any, row: any, off: boolean}} props */
function RowMarks({ desk, found, row, off }) {
  const { actions } = desk;
  /** What a signed record is to be corrected to; the dialog asks why. */
  const [correction, setCorrection] = useState("");
  if (found.state === "cancelled" || !desk.controls) return null;
  const here = desk.model.person(row.participant)?.state === "connected";
  const signed = found.state === "signed";
  return html`<span class="roll-marks">
    ${
      found.mode === "called" &&
      found.state === "open" &&
      html`<button
        type="button"
        class="small"
        disabled=${off || !here || found.calling === row.participant}
        aria-label=${t("roll.call-one", { name: row.label })}
        onClick=${() => actions.changeRollCall(found.number, { calling: row.participant })}
      >
        ${t("roll.call")}
      </button>`
    }
    <select
      aria-label=${t("roll.mark-one", { name: row.label })}
      disabled=${off}
      value=""
      onKeyDown=${opensFirst}
      onChange=${(/** @type {any} */ e) => {
        const status = e.target.value;
        e.target.value = "";
        if (signed) setCorrection(status);
        else if (status) void actions.markRoom(found.number, row.participant, status);
      }}
    >
      <option value="">${t(signed ? "roll.correct" : "roll.mark")}</option>
      ${MARKS.map((status) => html`<option key=${status} value=${status}>${t(`roll.status.${status}`)}</option>`)}
    </select>
    ${
      correction &&
      html`<${CorrectionDialog}
        desk=${desk}
        number=${found.number}
        row=${row}
        marks=${MARKS}
        status=${correction}
        onClose=${() => setCorrection("")}
      />`
    }
  </span>`;
}

// @ts-check
// A drill: faults put into chosen rooms by hand or by a script, and how long the staff took.

import { classes, html, useState } from "../shared/base.js";
import { ClockDown } from "../shared/clockdown.js";
import { Problem } from "../shared/controls.js";
import { Icon } from "../shared/icons.js";
import { byName, clock, duration, hasText, number, t } from "../shared/i18n.js";
import { busy } from "./actions.js";
import { useReading } from "./reading.js";

const KINDS = ["lost", "loss", "overload", "muted", "black", "frozen", "codec", "restart"];
const DURATIONS = [10, 30, 60, 120, 300, 600, 1800];
const RESTART_S = 120;
const MARKS = ["detected", "noticed", "acted", "recovered"];
const FIRST = { kind: "lost", rooms: /** @type {string[]} */ ([]), duration: 60, loss: 20, jitter: 0, rate: 128, at: 0 };

/** Seen wherever the conference is. */
export const DrillBadge = () =>
  html`<span class="badge drill-badge"><${Icon} name="warning" />${t("drill.badge")}</span>`;

/** @param {{desk: import("./conference.js").Desk}} props */
export function DrillPanel({ desk }) {
  const { found: drill, error } = useReading(desk, "drill", desk.model.drillChanges.value);
  const [wish, setWish] = useState(FIRST);
  const conference = desk.model.conference.value;
  const off = !desk.controls || conference.state !== "running" || busy.value.has("drill");
  const change = (/** @type {any} */ some) => setWish((old) => ({ ...old, ...some }));
  const records = (conference.recordings ?? []).length > 0;
  return html`<div class="drill">
    <${Problem} error=${error} />
    <div class="drill-hand">
      ${drill && html`<${Active} desk=${desk} faults=${drill.faults} off=${off} />`}
      ${
        conference.state === "running" &&
        html`<${Wish}
          desk=${desk}
          wish=${wish}
          change=${change}
          off=${off}
          why=${against(wish, drill?.faults ?? [], records)}
        />`
      }
    </div>
    ${drill && html`<${Script} desk=${desk} script=${drill.script} off=${off} wish=${wish} change=${change} />`}
    ${drill && html`<${Timeline} desk=${desk} faults=${drill.faults} />`}
  </div>`;
}

/**
 * What speaks against it, in the page's language; the server would refuse it too, in its own.
 * @param {typeof FIRST} wish @param {any[]} faults @param {boolean} records
 * @returns {string} empty: nothing
 */
function against(wish, faults, records) {
  const { kind, rooms } = wish;
  const same = faults.find(
    (one) =>
      one.state === "active" &&
      one.kind === kind &&
      (!rooms.length || !one.participants.length || rooms.some((id) => one.participants.includes(id))),
  );
  if (same) return t("drill.not.same", { number: same.number });
  if (kind === "restart" && records) return t("drill.not.recording");
  return unmeant(wish) ? t(`drill.not.${kind}`) : "";
}

/** Whether its numbers mean nothing. @param {typeof FIRST} wish */
function unmeant({ kind, loss, jitter, rate }) {
  const within = (/** @type {number} */ value, /** @type {number} */ least, /** @type {number} */ most) =>
    value >= least && value <= most;
  if (kind === "loss") return !within(loss, 0, 100) || !within(jitter, 0, 1000) || !(loss || jitter);
  return kind === "overload" && !within(rate, 16, 100_000);
}

/** What is asked for, as the server takes it. @param {typeof FIRST} wish */
function asked(wish) {
  const { kind } = wish;
  return {
    kind,
    participants: kind === "restart" ? [] : wish.rooms,
    duration_s: kind === "restart" ? Math.min(wish.duration, RESTART_S) : wish.duration,
    ...(kind === "loss" ? { loss_percent: wish.loss, jitter_ms: wish.jitter } : {}),
    ...(kind === "overload" ? { rate_kbps: wish.rate } : {}),
  };
}

/** @param {{desk: import("./conference.js").Desk, wish: typeof FIRST, change: (some: any) => void,
 *          off: boolean, why: string}} props */
function Wish({ desk, wish, change, off, why }) {
  /** What was tried in spite of it: nobody is told before. */
  const [tried, setTried] = useState(/** @type {typeof FIRST | null} */ (null));
  const amount = (/** @type {string} */ name, /** @type {number} */ value, /** @type {number} */ max) =>
    html`<label class="inline"
      >${t(`drill.${name}`)}
      <input
        type="number"
        min="0"
        max=${max}
        value=${value}
        disabled=${off}
        onInput=${(/** @type {any} */ e) => change({ [name]: Number(e.target.value) || 0 })}
      />
    </label>`;
  return html`<form
    class="drill-wish"
    autocomplete="off"
    novalidate
    aria-label=${t("drill.inject")}
    onSubmit=${(/** @type {Event} */ event) => {
      event.preventDefault();
      setTried(wish);
      if (!why) void desk.actions.injectFault(asked(wish)).then(() => setTried(null));
    }}
  >
    <div class="drill-head">
      <div class="row-of-buttons">
        <label class="inline"
          >${t("drill.kind")}
          <select
            id="drill-kind"
            value=${wish.kind}
            disabled=${off}
            onChange=${(/** @type {any} */ e) => change({ kind: e.target.value })}
          >
            ${KINDS.map((kind) => html`<option key=${kind} value=${kind}>${t(`drill.kind.${kind}`)}</option>`)}
          </select>
        </label>
        ${wish.kind === "loss" && html`${amount("loss", wish.loss, 100)}${amount("jitter", wish.jitter, 1000)}`}
        ${wish.kind === "overload" && amount("rate", wish.rate, 100000)}
        <label class="inline"
          >${t("drill.duration")}
          <select
            id="drill-duration"
            value=${String(wish.duration)}
            disabled=${off}
            onChange=${(/** @type {any} */ e) => change({ duration: Number(e.target.value) })}
          >
            ${DURATIONS.filter((seconds) => wish.kind !== "restart" || seconds <= RESTART_S).map(
              (seconds) => html`<option key=${seconds} value=${String(seconds)}>${duration(seconds)}</option>`,
            )}
          </select>
        </label>
        <button type="submit" class="danger solid" disabled=${off}>
          <${Icon} name="warning" />${t("drill.inject")}
        </button>
      </div>
      <p class="drill-why" role="status">${tried === wish && why}</p>
    </div>
    <p class="quiet">${t(`drill.explain.${wish.kind}`)}</p>
    ${wish.kind !== "restart" && html`<${Rooms} desk=${desk} rooms=${wish.rooms} change=${change} off=${off} />`}
  </form>`;
}

/** A step as it may be sent again. @param {any} step */
const sent = (step) => ({ ...step });

/** Whom it concerns; nobody chosen: everybody.
 * @param {{desk: import("./conference.js").Desk, rooms: string[], change: (some: any) => void, off: boolean}} props */
function Rooms({ desk, rooms, change, off }) {
  const people = desk.model.ids.value
    .map((id) => desk.model.person(id))
    .filter(Boolean)
    .sort((a, b) => byName(a.label, b.label));
  const selected = desk.roster.selected.value;
  const toggle = (/** @type {string} */ id, /** @type {boolean} */ on) =>
    change({ rooms: on ? [...rooms, id] : rooms.filter((one) => one !== id) });
  return html`<div class="drill-rooms" role="group" aria-label=${t("drill.where")}>
    <p>
      ${rooms.length ? t("drill.rooms", { count: rooms.length }) : t("drill.whole")}
      ${
        selected &&
        !rooms.includes(selected) &&
        html`<button type="button" class="small" disabled=${off} onClick=${() => change({ rooms: [selected] })}>
          ${t("drill.selected", { name: desk.model.person(selected)?.label ?? selected })}
        </button>`
      }
      ${
        rooms.length > 0 &&
        html`<button type="button" class="small" disabled=${off} onClick=${() => change({ rooms: [] })}>
          ${t("drill.take-whole")}
        </button>`
      }
    </p>
    <ul>
      ${people.map(
        (one) =>
          html`<li key=${one.id}>
            <label class="choice"
              ><input
                type="checkbox"
                checked=${rooms.includes(one.id)}
                disabled=${off}
                onChange=${(/** @type {any} */ e) => toggle(one.id, e.target.checked)}
              />${one.label}</label
            >
          </li>`,
      )}
    </ul>
  </div>`;
}

/** @param {{desk: import("./conference.js").Desk, faults: any[], off: boolean}} props */
function Active({ desk, faults, off }) {
  const active = faults.filter((one) => one.state === "active");
  if (active.length === 0) return html`<p class="quiet drill-active">${t("drill.none-active")}</p>`;
  return html`<section class="drill-active" aria-label=${t("drill.active")}>
    <h3>
      ${t("drill.active")}
      ${
        active.length > 1 &&
        html`<button type="button" class="small" disabled=${off} onClick=${() => desk.actions.clearFault(null)}>
          ${t("drill.clear-all")}
        </button>`
      }
    </h3>
    <ul class="drill-faults">
      ${active.map(
        (one) =>
          html`<li key=${one.number}>
            <span><b>${one.number}. ${said(one)}</b> ${where(one)}</span>
            <${ClockDown} of=${{ until: one.until }} />
            <button
              type="button"
              class="small"
              disabled=${off}
              aria-label=${t("drill.clear-one", { name: `${said(one)} ${where(one)}` })}
              onClick=${() => desk.actions.clearFault(one.number)}
            >
              ${t("drill.clear")}
            </button>
          </li>`,
      )}
    </ul>
  </section>`;
}

/** @param {{desk: import("./conference.js").Desk, script: any, off: boolean, wish: typeof FIRST,
 *          change: (some: any) => void}} props */
function Script({ desk, script, off, wish, change }) {
  const runs = script.state === "running";
  const label = (/** @type {string} */ id) => desk.model.person(id)?.label ?? id;
  return html`<section class="drill-script" aria-label=${t("drill.script")}>
    <h3>
      ${t("drill.script")}
      <button
        type="button"
        class=${classes("small", !runs && "primary")}
        disabled=${off || script.steps.length === 0}
        onClick=${() => (runs ? desk.actions.stopScript() : desk.actions.startScript())}
      >
        ${t(runs ? "drill.script.stop" : "drill.script.start")}
      </button>
      ${runs && script.next_at && html`<${ClockDown} of=${{ until: script.next_at }} />`}
    </h3>
    ${
      !runs &&
      html`<div class="row-of-buttons">
        <label class="inline"
          >${t("drill.at")}
          <input
            type="number"
            min="0"
            max="86400"
            value=${wish.at}
            disabled=${off}
            onInput=${(/** @type {any} */ e) => change({ at: Number(e.target.value) || 0 })}
          />
        </label>
        <button
          type="button"
          disabled=${off || unmeant(wish)}
          onClick=${() =>
            void desk.actions.setScript([...script.steps.map(sent), { at_s: wish.at, ...asked(wish) }])}
        >
          <${Icon} name="plus" />${t("drill.add-step")}
        </button>
      </div>`
    }
    ${script.steps.length === 0 && html`<p class="quiet">${t("drill.script.none")}</p>`}
    <ol class="drill-faults">
      ${script.steps.map(
        (/** @type {any} */ step, /** @type {number} */ at) =>
          html`<li key=${at} class=${runs && script.next_step === at + 1 ? "next" : ""}>
            <span>
              <b>${duration(step.at_s)}</b>
              ${` ${said(step)} ${step.participants.map(label).join(", ") || t("drill.whole")} `}
              <span class="quiet">${duration(step.duration_s)}</span>
            </span>
            <button
              type="button"
              class="small"
              disabled=${off || runs}
              aria-label=${t("drill.remove-step", { time: duration(step.at_s) })}
              onClick=${() =>
                desk.actions.setScript(
                  script.steps.filter((/** @type {any} */ _, /** @type {number} */ other) => other !== at).map(sent),
                )}
            >
              ${t("overlay.remove")}
            </button>
          </li>`,
      )}
    </ol>
  </section>`;
}

/** @param {{desk: import("./conference.js").Desk, faults: any[]}} props */
function Timeline({ desk, faults }) {
  const path = `/api/v1/conferences/${encodeURIComponent(desk.model.id)}/drill.csv`;
  return html`<section class="drill-timeline" aria-label=${t("drill.timeline")}>
    <h3>${t("drill.timeline")} <a class="button small" href=${path} download>CSV</a></h3>
    ${faults.length === 0 && html`<p class="quiet">${t("drill.none")}</p>`}
    ${
      faults.length > 0 &&
      html`<table>
        <thead>
          <tr>
            <th scope="col">${t("drill.kind")}</th>
            <th scope="col">${t("drill.began")}</th>
            ${MARKS.map((mark) => html`<th key=${mark} scope="col" title=${t(`drill.explain.${mark}`)}>${t(`drill.${mark}`)}</th>`)}
          </tr>
        </thead>
        <tbody>
          ${[...faults].reverse().map(
            (one) =>
              html`<tr key=${one.number}>
                <th scope="row">${one.number}. ${said(one)} <span class="quiet">${where(one)}</span></th>
                <td>${clock(one.began_at)}</td>
                ${MARKS.map((mark) => html`<td key=${mark}><${Took} fault=${one} mark=${mark} /></td>`)}
              </tr>`,
          )}
        </tbody>
      </table>`
    }
  </section>`;
}

/** When it was, by whom, and how. @param {{fault: any, mark: string}} props */
function Took({ fault, mark }) {
  const found = fault.marks.find((/** @type {any} */ one) => one.kind === mark);
  if (!found) return html`<span class="quiet">–</span>`;
  const what = [`drill.what.${found.what}`, `alarm.${found.what}`].find((key) => hasText(key));
  const how = [found.by, what && t(what)].filter(Boolean).join(" · ");
  return html`<b>${number(found.after_s, 0)} s</b> <span class="quiet">${how}</span>`;
}

/** A fault in words, with its numbers. @param {any} one */
function said(one) {
  const numbers = [
    one.loss_percent && `${number(one.loss_percent)} %`,
    one.jitter_ms && `${number(one.jitter_ms)} ms`,
    one.rate_kbps && `${number(one.rate_kbps)} kbit/s`,
  ].filter(Boolean);
  return [t(`drill.kind.${one.kind}`), ...numbers].join(" ");
}

/** @param {any} fault */
const where = (fault) => fault.labels.join(", ") || t("drill.whole");

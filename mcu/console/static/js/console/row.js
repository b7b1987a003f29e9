// @ts-check
// One room in the roster: as a line with its actions, or as a small cell of the overview.

import { classes, html, useLayoutEffect, useRef } from "../shared/base.js";
import { Icon } from "../shared/icons.js";
import { clock, number, t } from "../shared/i18n.js";
import { busy } from "./actions.js";
import { belongsTo } from "./registry.js";
import { isMissing, tellingAlarms } from "./roster-order.js";

/** @type {Record<string, string>} */
export const STATE_ICONS = {
  connected: "check",
  lost: "lost",
  expected: "clock",
  calling: "phone",
  left: "gone",
};

/** The type under which a room is dragged onto a slot. */
export const DRAGGED = "application/x-mcu-participant";

/** Let the element show levels and speaking by itself. @param {any} desk @param {string} id */
function useMeter(desk, id) {
  const element = useRef(/** @type {HTMLElement | null} */ (null));
  useLayoutEffect(
    () => (element.current ? desk.model.meters.attach(id, element.current) : undefined),
    [desk, id],
  );
  return element;
}

/** @param {{id: string, desk: import("./conference.js").Desk, stop: boolean}} props */
export function Row({ id, desk, stop }) {
  const meter = useMeter(desk, id);
  const person = desk.model.people.get(id)?.value;
  if (!person) return null;
  const conference = desk.model.conference.value;
  const selected = desk.roster.selected.value === id;
  const onAir = conference.state === "running" && conference.broadcast === id;
  const presents = conference.presentation === id;
  const procedure = procedureInWords(conference, id);
  const alarms = alarmsOf(desk, person);
  return html`<div
    ref=${meter}
    id=${`row-${id}`}
    role="row"
    tabindex=${stop ? 0 : -1}
    class=${classes("row", person.state, selected && "selected", onAir && "on-air", `line-${person.quality.grade}`, alarms.length > 0 && `alarm-${alarms[0].severity}`)}
    aria-selected=${String(selected)}
    aria-label=${described(person, presents, [...alarms.map(inWords), ...procedure])}
    onClick=${() => (desk.roster.selected.value = id)}
    onDblClick=${() => desk.openRoom(id)}
    onFocus=${() => (desk.roster.selected.value = id)}
    onKeyDown=${(/** @type {KeyboardEvent} */ e) => {
      if (e.key === "Enter" && e.target === e.currentTarget) desk.openRoom(id);
    }}
  >
    <span class="state" role="gridcell" title=${t(`state.${person.state}`)}
      ><${Icon} name=${STATE_ICONS[person.state]} label=${t(`state.${person.state}`)}
    /></span>
    <span
      class="name"
      role="gridcell"
      draggable=${desk.controls ? "true" : undefined}
      onDragStart=${(/** @type {DragEvent} */ e) => startDrag(e, desk, id)}
      onDragEnd=${() => (desk.dragging.value = false)}
    >
      ${person.role === "chair" && html`<span class="chair-mark" title=${t("role.chair")}><${Icon} name="star" label=${t("role.chair")} /></span>`}
      <b>${person.label}</b>
      <i>${belongsTo(person.unit, conference.unit)}</i>
      ${(person.state !== "connected" || person.waiting || person.quality?.on_hold) && html`<small title=${person.call_failure_detail ?? stateInWords(person)}>${stateInWords(person)}</small>`}
      ${alarms.length > 0 && html`<span class=${`tag alarm ${alarms[0].severity}`} title=${alarms.map(inWords).join(" · ")}><${Icon} name="warning" />${t(`alarm.${alarms[0].kind}`)}${alarms.length > 1 && html` <b>+${alarms.length - 1}</b>`}</span>`}
      ${onAir && html`<span class="tag live">${t("broadcast.on")}</span>`}
      ${presents && html`<span class="tag showing">${t("present.on")}</span>`}
      ${procedure.map((words) => html`<span class="tag" key=${words}>${words}</span>`)}
      ${person.deafened && html`<span class="tag">${t("deafened")}</span>`}
    </span>
    <${Quality} person=${person} />
    <span class="meter" role="gridcell" aria-hidden="true"><span class="level"></span></span>
    <span class="acts" role="gridcell"
      ><${RowActions} person=${person} desk=${desk} onAir=${onAir} presents=${presents}
    /></span>
  </div>`;
}

/** What troubles a room, besides what its state says. @param {import("./conference.js").Desk} desk @param {any} person */
const alarmsOf = (desk, person) =>
  tellingAlarms(person, desk.alarms.byRoom.value.get(person.id));

/** @param {any} alarm */
const inWords = (alarm) =>
  `${t(`alarm.${alarm.kind}`)}, ${t(`severity.${alarm.severity}`)}, ${t("since", { time: clock(alarm.since) })}`;

/** Whether somebody can be given the presentation, or have it taken back. @param {any} person @param {boolean} presents */
export const canPresent = (person, presents) =>
  presents || person.state === "connected" || person.state === "lost";

/** @param {{person: any, desk: import("./conference.js").Desk, onAir: boolean, presents: boolean}} props */
function RowActions({ person, desk, onAir, presents }) {
  const running = desk.model.conference.value.state === "running";
  const act = (/** @type {any} */ { icon, label, key, on, work, off = false, tone = "" }) =>
    html`<button
      type="button"
      tabindex="-1"
      class=${classes("icon-button", tone, on && "on")}
      title=${label}
      aria-label=${`${label}: ${person.label}`}
      aria-pressed=${on === undefined ? undefined : String(on)}
      disabled=${off || !running || busy.value.has(key)}
      onClick=${(/** @type {Event} */ e) => {
        e.stopPropagation();
        work();
      }}
    >
      <${Icon} name=${icon} />
    </button>`;
  return html` ${act({
    icon: person.audio_muted ? "mic-off" : "mic",
    on: person.audio_muted,
    tone: "muting",
    off: !desk.mutes,
    key: `audio_muted:${person.id}`,
    label: t(person.audio_muted ? "unmute" : "mute"),
    work: () => desk.actions.toggleAudio(person),
  })}
  ${act({
    icon: person.video_muted ? "camera-off" : "camera",
    on: person.video_muted,
    tone: "muting",
    off: !desk.mutes,
    key: `video_muted:${person.id}`,
    label: t(person.video_muted ? "video-on" : "video-off"),
    work: () => desk.actions.toggleVideo(person),
  })}
  ${act({
    icon: "broadcast",
    on: onAir,
    tone: "airing",
    off: !desk.controls,
    key: "broadcast",
    label: t(onAir ? "broadcast.stop" : "broadcast"),
    work: () => desk.actions.toggleBroadcast(person.id),
  })}
  ${act({
    icon: "screen",
    on: presents,
    tone: "showing",
    off: !desk.controls || !canPresent(person, presents),
    key: "presentation",
    label: t(presents ? "present.stop" : "present"),
    work: () => desk.actions.togglePresentation(person.id),
  })}
  ${act({ icon: "more", label: t("room.open"), key: "", work: () => desk.openRoom(person.id) })}`;
}

/** Line quality as bars and, where it is not good, the number that says why. @param {{person: any}} props */
export function Quality({ person }) {
  const { grade, receives, loss_percent: loss, jitter_ms: jitter, round_trip_ms: trip } =
    person.quality;
  if (person.state !== "connected" || !grade || grade === "none")
    return html`<span class="quality" role="gridcell"></span>`;
  const bars = { good: 3, fair: 2, poor: 1 }[/** @type {"good"} */ (grade)];
  const short =
    loss >= 0.5
      ? `${number(loss, 1)}%`
      : trip >= 200
        ? `${number(trip)} ms`
        : jitter >= 30
          ? `±${number(jitter)} ms`
          : "";
  return html`<span
    class=${`quality ${grade}`}
    role="gridcell"
    title=${lineInWords(person.quality)}
  >
    <svg viewBox="0 0 16 12" class="bars" role="img" aria-label=${t(`grade.${grade}`)}>
      ${[0, 1, 2].map((n) => html`<rect x=${n * 5.5} y=${8 - n * 4} width="4" height=${4 + n * 4} rx="1" class=${n < bars ? "lit" : ""} />`)}
    </svg>
    <span
      >${receives?.best === false ? stepInWords(receives) : grade === "good" ? short : short || t(`grade.${grade}`)}</span
    >
  </span>`;
}

/** @param {any} quality */
export function lineInWords(quality) {
  const parts = [t(`grade.${quality.grade}`)];
  const known = (/** @type {any} */ value) => value !== null && value !== undefined;
  if (known(quality.loss_percent))
    parts.push(t("line.loss", { value: number(quality.loss_percent, 1) }));
  if (known(quality.jitter_ms)) parts.push(t("line.jitter", { value: number(quality.jitter_ms) }));
  if (known(quality.round_trip_ms))
    parts.push(t("line.trip", { value: number(quality.round_trip_ms) }));
  const { receives } = quality;
  if (receives) {
    const rate = receives.bitrate_bps;
    parts.push(
      rate
        ? t("line.gets", { step: receives.step, value: number(rate / 1000) })
        : t("line.gets-sound"),
    );
    if (receives.reason)
      parts.push(
        t(`line.because-${receives.reason}`, {
          loss: number(receives.loss_percent ?? 0),
          value: number((receives.carries_bps ?? 0) / 1000),
        }),
      );
  }
  if (quality.refused) parts.push(t(`line.refused-${quality.refused}`));
  return parts.join(" · ");
}

/** The state, and of a room that did not come when it was called, why. @param {any} person */
export const stateInWords = (person) =>
  [person.waiting ? t("waiting.is") : t(`state.${person.state}`), isMissing(person) && t("missing.since", { time: clock(person.lost_at) }), person.quality?.on_hold && t("hold.is"), person.call_failure && t(`call.${person.call_failure}`)]
    .filter(Boolean)
    .join(" · ");

/** The picture a weak line gets, in a word. @param {any} receives */
const stepInWords = (receives) =>
  receives.bitrate_bps ? `↓ ${receives.step}` : t("line.sound-alone");

/** What the procedure has to do with a room: it speaks, waits, is called, is looked at.
 * @param {any} conference @param {string} id @returns {string[]} */
function procedureInWords(conference, id) {
  const place = conference.floor.requests.find((/** @type {any} */ r) => r.participant === id)?.place;
  const words = [
    conference.floor.holder?.participant === id && t("floor.has"),
    place && t("floor.waits", { place }),
    conference.roll_call?.calling === id && t("roll.is-called"),
    conference.chair_view === id && t("chair-view.on"),
  ];
  return /** @type {string[]} */ (words.filter(Boolean));
}

/** @param {any} person @param {boolean} presents @param {string[]} [procedure] */
function described(person, presents, procedure = []) {
  return [
    person.label,
    stateInWords(person),
    person.role === "chair" && t("role.chair"),
    presents && t("present.on"),
    ...procedure,
    person.audio_muted && t("muted"),
    person.video_muted && t("video-muted"),
    person.quality.grade === "poor" && t("grade.poor"),
  ]
    .filter(Boolean)
    .join(", ");
}

const SHORT_NAMES = /** @type {[RegExp, string][]} */ ([
  [/^(Điểm cầu|UBND|Ủy ban nhân dân) /i, ""],
  [/^Xã /i, "X. "],
  [/^Phường /i, "P. "],
  [/^Thị trấn /i, "TT. "],
  [/^Thị xã /i, "TX. "],
  [/^Thành phố /i, "TP. "],
  [/^Huyện /i, "H. "],
  [/^Tỉnh /i, "T. "],
  [/^Đặc khu /i, "ĐK. "],
]);

/** A label shortened in the customary way. @param {string} label */
export const shortName = (label) =>
  SHORT_NAMES.reduce((text, [long, short]) => text.replace(long, short), label);

/** @param {{id: string, desk: import("./conference.js").Desk, stop: boolean}} props */
export function Cell({ id, desk, stop }) {
  const meter = useMeter(desk, id);
  const person = desk.model.people.get(id)?.value;
  if (!person) return null;
  const selected = desk.roster.selected.value === id;
  const conference = desk.model.conference.value;
  const onAir = conference.state === "running" && conference.broadcast === id;
  const alarms = alarmsOf(desk, person);
  const words = described(person, conference.presentation === id, alarms.map(inWords));
  return html`<div
    ref=${meter}
    id=${`row-${id}`}
    role="row"
    tabindex=${stop ? 0 : -1}
    title=${words}
    class=${classes("cell", person.state, `line-${person.quality.grade}`, selected && "selected", onAir && "on-air", alarms.length > 0 && `alarm-${alarms[0].severity}`)}
    aria-selected=${String(selected)}
    aria-label=${words}
    onClick=${() => desk.openRoom(id)}
    onFocus=${() => (desk.roster.selected.value = id)}
    onKeyDown=${(/** @type {KeyboardEvent} */ e) => e.key === "Enter" && desk.openRoom(id)}
  >
    <span role="gridcell" class="cell-name"
      ><${Icon} name=${alarms.length ? "warning" : person.role === "chair" ? "star" : STATE_ICONS[person.state]} />
      <span>${shortName(person.label)}</span>
      ${person.state === "connected" && !person.audio_muted && html`<${Icon} name="mic" />`}</span
    >
    <span class="meter" aria-hidden="true"><span class="level"></span></span>
  </div>`;
}

/** @param {DragEvent} event @param {import("./conference.js").Desk} desk @param {string} id */
function startDrag(event, desk, id) {
  event.dataTransfer?.setData(DRAGGED, id);
  if (event.dataTransfer) event.dataTransfer.effectAllowed = "copy";
  desk.dragging.value = true;
}

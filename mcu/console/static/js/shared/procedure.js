// @ts-check
// What events of the procedure change in a conference: the floor, what the chair looks at, polling,
// who is called. Used by the console and by rooms alike, each as far as it hears of them.

import { signal } from "./base.js";

/** By how much the server's clock goes before this one's, in ms; small differences are none. */
export const clockAhead = signal(0);

const AGREES_MS = 1500;

/** The server's time, as an answer's Date header says it. @param {string | null} date */
export function noteServerTime(date) {
  const ahead = date ? Date.parse(date) + 500 - Date.now() : 0;
  if (Number.isFinite(ahead)) clockAhead.value = Math.abs(ahead) < AGREES_MS ? 0 : ahead;
}

/** When a moment of the server comes, by this clock. @param {string} time */
export const localTime = (time) => Date.parse(time) - clockAhead.value;

const IDLE = { holder: null, requests: [], previous: null };

/**
 * A conference after an event; the same one when the event is none of the procedure.
 * @param {any} conference @param {string} type @param {any} data
 */
export function procedureAfter(conference, type, data) {
  if (type.startsWith("floor."))
    return { ...conference, floor: floorAfter(conference.floor ?? IDLE, type, data) };
  if (type === "chair-view.started") return { ...conference, chair_view: data.participant };
  if (type === "chair-view.stopped") return { ...conference, chair_view: null };
  if (type.startsWith("polling."))
    return { ...conference, polling: pollingAfter(conference.polling, type, data) };
  if (type.startsWith("roll-call."))
    return { ...conference, roll_call: rollCallAfter(conference.roll_call, type, data) };
  if (type.startsWith("convening."))
    return { ...conference, convening: conveningAfter(conference.convening, type, data) };
  if (type.startsWith("overlay."))
    return { ...conference, overlays: overlaysAfter(conference.overlays ?? [], type, data) };
  if (type.startsWith("recording."))
    return { ...conference, recordings: recordingsAfter(conference.recordings ?? [], type, data) };
  return conference;
}

/** @param {any[]} overlays @param {string} type @param {any} data */
function overlaysAfter(overlays, type, data) {
  const number = type === "overlay.pinned" ? data.overlay.number : data.number;
  const others = overlays.filter((one) => one.number !== number);
  return type === "overlay.pinned" ? [...others, data.overlay] : others;
}

/** @param {any[]} recordings @param {string} type @param {any} data */
function recordingsAfter(recordings, type, data) {
  const others = recordings.filter((one) => one.id !== data.id);
  if (type === "recording.started") return [...others, data];
  if (type === "recording.stopped") return others;
  if (type === "recording.troubled")
    return recordings.map((one) => (one.id === data.id ? { ...one, trouble: data.trouble } : one));
  return recordings;
}

/** How far it is; rooms hear of their own calls alone, and it is read anew then.
 * @param {any} convening @param {string} type @param {any} data */
function conveningAfter(convening, type, data) {
  if (type === "convening.started") return data;
  if (!convening) return convening;
  if (type === "convening.joined") return { ...convening, joined: convening.joined + 1 };
  if (type === "convening.passed" && data.percent === 100)
    return { ...convening, state: "complete", ended_at: data.at };
  if (type === "convening.stopped" && data.participant === null)
    return { ...convening, state: "stopped", ended_at: data.at };
  if (type === "convening.retried") return { ...convening, state: "open", ended_at: null };
  if (type === "convening.changed") {
    const rooms = convening.rooms + data.added.length - data.removed.length;
    return { ...convening, rooms };
  }
  return convening;
}

/** @param {any} floor @param {string} type @param {any} data */
function floorAfter(floor, type, data) {
  const others = floor.requests.filter((/** @type {any} */ r) => r.participant !== data.participant);
  const placed = (/** @type {any[]} */ requests) =>
    requests.map((request, at) => ({ ...request, place: at + 1 }));
  switch (type) {
    case "floor.requested":
      return { ...floor, requests: placed([...others, data]) };
    case "floor.withdrawn":
      return { ...floor, requests: placed(others) };
    case "floor.ended":
      return { ...floor, holder: null, previous: data.participant };
    default:
      return { ...floor, holder: data, requests: placed(others) };
  }
}

/** @param {any} polling @param {string} type @param {any} data */
function pollingAfter(polling, type, data) {
  if (type === "polling.started") return data;
  if (type === "polling.stopped" || !polling) return null;
  if (type === "polling.paused") return { ...polling, paused: true, due: null, ...data };
  if (type === "polling.resumed") return { ...polling, paused: false, left_s: null, ...data };
  return { ...polling, ...data };
}

/** @param {any} open @param {string} type @param {any} data */
function rollCallAfter(open, type, data) {
  if (type === "roll-call.started") {
    const { number, mode, calling, paused } = data.roll_call;
    return { number, mode, calling, paused };
  }
  if (type === "roll-call.signed" || type === "roll-call.cancelled") return null;
  const now = open ?? { number: data.number, mode: "called", calling: null, paused: false };
  if (type === "roll-call.called") return { ...now, calling: data.participant };
  if (type === "roll-call.skipped") return { ...now, calling: null };
  if (type === "roll-call.paused") return { ...now, paused: true };
  if (type === "roll-call.resumed") return { ...now, paused: false };
  return now;
}

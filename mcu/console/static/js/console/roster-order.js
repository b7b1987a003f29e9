// @ts-check
// Which rooms of the roster somebody must look at soonest. Pure.

import { byName } from "../shared/i18n.js";

/** @typedef {{kind: string, severity: string}} Alarm */

const SEVERITIES = ["critical", "major", "minor"];
const STATES = /** @type {Record<string, number>} */ ({ connected: 6, calling: 7, expected: 8, left: 9 });

/** Whether somebody must look after this line. @param {any} person */
export const isPoor = (person) => person.state === "connected" && person.quality?.grade === "poor";

/** Its signal was lost and it did not come back: nobody has said goodbye. @param {any} person */
export const isMissing = (person) => person.state === "left" && Boolean(person.lost_at);

/**
 * The alarms that tell more of a room than its state does: a lost room says so itself.
 * @param {any} person @param {readonly Alarm[]} [alarms] that last, the worst first
 */
export const tellingAlarms = (person, alarms = []) =>
  alarms.filter(({ kind }) => kind !== "lost" || person.state !== "lost");

/**
 * How soon somebody must look at it: lost lines, alarms by severity, bad lines and who did not come
 * back, the chair, then who is there and who is not.
 * @param {any} person @param {readonly Alarm[]} [alarms] that last, the worst first
 */
export function urgency(person, alarms = []) {
  if (person.state === "lost") return 0;
  if (alarms.length) return 1 + Math.max(0, SEVERITIES.indexOf(alarms[0].severity));
  if (isPoor(person) || isMissing(person)) return 4;
  if (person.role === "chair") return 5;
  return STATES[person.state] ?? 10;
}

/**
 * People as a roster has them, the most urgent first, then by importance and name.
 * @template {{id: string, label: string, importance: number}} P
 * @param {readonly P[]} people @param {ReadonlyMap<string, readonly Alarm[]>} [alarms] by participant
 * @returns {P[]}
 */
export function troubleFirst(people, alarms = new Map()) {
  return people
    .map((person) => ({ person, rank: urgency(person, alarms.get(person.id)) }))
    .sort(
      (a, b) =>
        a.rank - b.rank ||
        b.person.importance - a.person.importance ||
        byName(a.person.label, b.person.label),
    )
    .map(({ person }) => person);
}

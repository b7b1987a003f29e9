// @ts-check
// Which rooms stand first on the wall, and how many tiles a screen holds. Pure; the order is that
// of GET /conferences/{id}/wall (mcu/api/wall_tiles.py).

import { byName } from "../shared/i18n.js";
import { isMissing } from "./roster-order.js";

/** Troubles, the worst first. */
export const TROUBLES = [
  "lost",
  "alarm",
  "gone",
  "call-failed",
  "calling",
  "stale",
  "poor-line",
  "missing",
  "fair-line",
];

/**
 * What is wrong with a room, the worst first.
 * @param {any} person @param {boolean} stale its picture is
 * @param {readonly string[]} [alarms] kinds of those that last
 */
export function troublesOf(person, stale, alarms = []) {
  const found = new Set();
  const here = person.state === "connected";
  if (person.state === "lost") found.add("lost");
  if (alarms.some((kind) => kind !== "lost")) found.add("alarm");
  if (person.call_failure && !here) found.add("call-failed");
  if (person.state === "calling") found.add("calling");
  if (person.state === "expected") found.add("missing");
  if (isMissing(person)) found.add("gone");
  if (here && stale) found.add("stale");
  if (here && person.quality?.grade === "poor") found.add("poor-line");
  if (here && person.quality?.grade === "fair") found.add("fair-line");
  return TROUBLES.filter((trouble) => found.has(trouble));
}

/** @param {any} person @param {boolean} stale @param {readonly string[]} [alarms] */
const rank = (person, stale, alarms) => {
  if (person.state === "left" && !isMissing(person)) return TROUBLES.length + 1;
  const [worst] = troublesOf(person, stale, alarms);
  return worst ? TROUBLES.indexOf(worst) : TROUBLES.length;
};

/**
 * Ids, trouble first, who has left on purpose last; then by importance and name.
 * @param {any[]} people @param {ReadonlySet<string>} stale
 * @param {ReadonlyMap<string, readonly string[]>} [alarms] kinds by participant
 */
export function ordered(people, stale, alarms = new Map()) {
  return people
    .map((person) => ({ person, rank: rank(person, stale.has(person.id), alarms.get(person.id)) }))
    .sort(
      (a, b) =>
        a.rank - b.rank ||
        b.person.importance - a.person.importance ||
        byName(a.person.label, b.person.label),
    )
    .map(({ person }) => person.id);
}

export const GAP = 5;
export const CAPTION = 22;
const LARGEST = 300;
/** All rooms at once are shown as small as this; a page of them is not. */
const SMALLEST = 118;
const READABLE = 158;

/**
 * The size of tiles: as large as lets all rooms stand on the screen; where they would be too
 * small for that, readable ones on several pages.
 * @param {number} width @param {number} height of the place, px @param {number} count of rooms
 * @param {boolean} [large] readable tiles in any case
 * @returns {{columns: number, rows: number, tile: number}} `tile`: width in px
 */
export function fitted(width, height, count, large = false) {
  const at = (/** @type {number} */ tile) => ({
    tile,
    columns: Math.max(1, Math.floor((width + GAP) / (tile + GAP))),
    rows: Math.max(1, Math.floor((height + GAP) / ((tile * 9) / 16 + CAPTION + GAP))),
  });
  for (let tile = LARGEST; tile >= (large ? READABLE : SMALLEST); tile -= 2) {
    const { columns, rows } = at(tile);
    if (columns * rows >= count) return { columns, rows, tile };
  }
  return at(READABLE);
}

/**
 * Where an arrow leads in a grid.
 * @param {string} key @param {number} index @param {number} columns @param {number} count
 */
export function stepped(key, index, columns, count) {
  const by =
    { ArrowRight: 1, ArrowLeft: -1, ArrowDown: columns, ArrowUp: -columns }[
      /** @type {"ArrowUp"} */ (key)
    ] ?? 0;
  if (key === "Home") return 0;
  if (key === "End") return count - 1;
  const next = index + by;
  return next < 0 || next >= count ? index : next;
}

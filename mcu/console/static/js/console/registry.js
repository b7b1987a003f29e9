// @ts-check
// Names of the administrative units: 145 rooms are told apart by the district they belong to.

import { signal } from "../shared/base.js";
import { ApiError, getAll } from "../shared/api.js";
import { nameBy } from "../shared/refusals.js";

/** @type {import("../../vendor/signals.js").Signal<Map<string, any>>} */
export const units = signal(new Map());

nameBy((id) => units.peek().get(id)?.name);

/** Read the units; without them rooms are shown by their own names alone. */
export async function readUnits() {
  try {
    units.value = new Map((await getAll("units")).map((unit) => [unit.id, unit]));
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    console.warn("units not read:", error.message);
  }
}

/** @param {string} id */
export const unitName = (id) => units.value.get(id)?.name ?? id;

/** Whether a unit is another one or stands below it. @param {string | null} id @param {string} above */
export function isWithin(id, above) {
  for (let at = id; at; at = units.value.get(at)?.parent ?? null) if (at === above) return true;
  return false;
}

/**
 * What tells a room's unit apart from others of the same name: the unit above it, unless that is
 * the one that holds the conference and so the same for all.
 * @param {string | null} id @param {string} holder
 */
export function belongsTo(id, holder) {
  const above = id && id !== holder ? units.value.get(id)?.parent : null;
  return above && above !== holder ? unitName(above) : "";
}

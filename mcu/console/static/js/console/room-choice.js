// @ts-check
// Choosing rooms: one by one, all of a unit with those below it, all that are shown, none.

import { html, useMemo, useState } from "../shared/base.js";
import { byName, fold, t } from "../shared/i18n.js";

/**
 * What is listed: a unit that stands for several rooms, or a room.
 * @typedef {{unit: any, depth: number, rooms: string[]}} UnitLine
 * @typedef {{room: any, depth: number, unit: string}} RoomLine `unit`: its name, where that is said nowhere else
 */

/**
 * Units with two rooms or more in and below them, and their rooms, in reading order.
 * @param {{unit: any, depth: number}[]} tree @param {any[]} rooms those that are listed
 * @returns {(UnitLine | RoomLine)[]} Cost: O(units * depth + rooms log rooms)
 */
export function linesOf(tree, rooms) {
  /** @type {Map<string, any[]>} */
  const own = new Map();
  for (const room of rooms) own.set(room.unit, [...(own.get(room.unit) ?? []), room]);
  /** @type {Map<string, string[]>} */
  const below = new Map();
  /** @type {{unit: any, depth: number}[]} */
  const trail = [];
  for (const place of tree) {
    while (trail.length && trail[trail.length - 1].depth >= place.depth) trail.pop();
    trail.push(place);
    const here = (own.get(place.unit.id) ?? []).map((room) => room.id);
    for (const { unit } of trail) below.set(unit.id, [...(below.get(unit.id) ?? []), ...here]);
  }
  /** @type {(UnitLine | RoomLine)[]} */
  const lines = [];
  for (const { unit, depth } of tree) {
    const inside = below.get(unit.id) ?? [];
    if (inside.length > 1) lines.push({ unit, depth, rooms: inside });
    const sorted = (own.get(unit.id) ?? []).sort(
      (a, b) => b.importance - a.importance || byName(a.name, b.name),
    );
    const headed = inside.length > 1;
    const deeper = headed ? depth + 1 : depth;
    for (const room of sorted) lines.push({ room, depth: deeper, unit: headed || unit.name === room.name ? "" : unit.name });
  }
  return lines;
}

/** The lines are one list for the arrows, as there are many. @param {KeyboardEvent} event */
function alongLines(event) {
  const list = /** @type {HTMLElement} */ (event.currentTarget);
  const boxes = /** @type {HTMLInputElement[]} */ ([...list.querySelectorAll("input")]);
  const here = boxes.indexOf(/** @type {HTMLInputElement} */ (document.activeElement));
  const to = { ArrowUp: here - 1, ArrowDown: here + 1, Home: 0, End: boxes.length - 1 }[
    /** @type {"Home"} */ (event.key)
  ];
  if (here < 0 || to === undefined) return;
  event.preventDefault();
  event.stopPropagation();
  boxes[Math.max(0, Math.min(boxes.length - 1, to))].focus();
}

/**
 * @param {{tree: {unit: any, depth: number}[], rooms: any[], chosen: Set<string>,
 *          change: (chosen: Set<string>) => void}} props
 */
export function RoomChoice({ tree, rooms, chosen, change }) {
  const [filter, setFilter] = useState("");
  const lines = useMemo(() => {
    const names = new Map(tree.map(({ unit }) => [unit.id, unit.name]));
    const wanted = fold(filter);
    const found = rooms.filter((room) => fold(`${room.name} ${names.get(room.unit) ?? ""}`).includes(wanted));
    return linesOf(tree, found);
  }, [tree, rooms, filter]);
  const shown = lines.flatMap((line) => ("room" in line ? [line.room.id] : []));
  const set = (/** @type {string[]} */ ids, /** @type {boolean} */ on) => {
    const next = new Set(chosen);
    for (const id of ids) {
      if (on) next.add(id);
      else next.delete(id);
    }
    change(next);
  };
  const indent = (/** @type {number} */ depth) => ({ paddingInlineStart: `${4 + 18 * Math.min(depth, 4)}px` });
  return html`<div class="choose-tools">
      <input
        type="search"
        placeholder=${t("start.filter")}
        aria-label=${t("start.filter")}
        value=${filter}
        onInput=${(/** @type {any} */ e) => setFilter(e.target.value)}
      />
      <button type="button" class="small" onClick=${() => set(shown, true)}>${t("start.all")}</button>
      <button type="button" class="small" onClick=${() => change(new Set())}>${t("start.none")}</button>
      <span class="quiet" aria-live="polite"
        >${t("choice.count", { count: rooms.filter((room) => chosen.has(room.id)).length, all: rooms.length })}</span
      >
    </div>
    <ul class="bridge-list room-choice" aria-label=${t("start.bridges")} title=${t("choice.keys")} onKeyDown=${alongLines}>
      ${lines.map((line) =>
        "room" in line
          ? html`<li key=${`room/${line.room.id}`}>
              <label class="bridge-line" style=${indent(line.depth)}
                ><input
                  type="checkbox"
                  checked=${chosen.has(line.room.id)}
                  onChange=${(/** @type {any} */ e) => set([line.room.id], e.target.checked)}
                /><span>${line.room.name}</span><span class="quiet">${line.unit}</span></label
              >
            </li>`
          : html`<li key=${`unit/${line.unit.id}`}>
              <${OfUnit} line=${line} chosen=${chosen} set=${set} style=${indent(line.depth)} />
            </li>`,
      )}
    </ul>`;
}

/** All rooms of a unit at once: on, off, or some of them.
 * @param {{line: UnitLine, chosen: Set<string>, set: (ids: string[], on: boolean) => void, style: any}} props */
function OfUnit({ line, chosen, set, style }) {
  const count = line.rooms.filter((id) => chosen.has(id)).length;
  const all = line.rooms.length;
  return html`<label class="bridge-line of-unit" style=${style}
    ><input
      type="checkbox"
      checked=${count === all}
      indeterminate=${count > 0 && count < all}
      aria-label=${t("choice.unit", { unit: line.unit.name, count, all })}
      onChange=${() => set(line.rooms, count < all)}
    /><span>${line.unit.name}</span><span class="quiet">${count}/${all}</span></label
  >`;
}

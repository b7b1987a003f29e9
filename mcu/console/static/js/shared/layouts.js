// @ts-check
// Layouts as the operator sees them: a drawn thumbnail for each, and the slots as places in per cent.

import { html } from "./base.js";
import { hasText, t } from "./i18n.js";
import TABLE from "./layout-table.js";

/** @type {Record<string, number[][]>} */
const LAYOUTS = TABLE;

/** The conference chooses the smallest grid that holds everybody. */
export const AUTO = "auto";
export const LAYOUT_NAMES = [AUTO, ...Object.keys(LAYOUTS)];

/** The grids `auto` chooses from, smallest first. */
const GRIDS = Object.keys(LAYOUTS).filter((name) => /^(\d)x\1$/.test(name));

/** What a layout is called: its usual sign, or a word. @param {string} name */
export const layoutLabel = (name) => (hasText(`layout.${name}`) ? t(`layout.${name}`) : name);

/** @param {string} name */
export const slotsOf = (name) => LAYOUTS[name] ?? [];

/**
 * The layout that is composed: what `auto` comes to for so many connected rooms.
 * @param {string} name @param {number} here connected or lost
 */
export function resolved(name, here) {
  if (name !== AUTO) return name;
  return GRIDS.find((grid) => slotsOf(grid).length >= here) ?? GRIDS[GRIDS.length - 1];
}

const [WIDTH, HEIGHT] = [64, 36];

/** @param {{name: string}} props */
export function Thumbnail({ name }) {
  if (name === AUTO) {
    return html`<svg class="thumbnail" viewBox="0 0 64 36" aria-hidden="true">
      <rect x="1" y="1" width="62" height="34" rx="2" class="dashed" />
      <text x="32" y="23.5" text-anchor="middle">A</text>
    </svg>`;
  }
  const slots = slotsOf(name);
  const area = Math.max(...slots.map(([, , w, h]) => w * h));
  const gap = slots.length > 20 ? 0.5 : 0.8;
  return html`<svg class="thumbnail" viewBox="0 0 64 36" aria-hidden="true">
    ${slots.map(
      ([x, y, w, h]) =>
        html`<rect
          x=${x * WIDTH + gap}
          y=${y * HEIGHT + gap}
          width=${w * WIDTH - 2 * gap}
          height=${h * HEIGHT - 2 * gap}
          rx="1"
          class=${slots.length > 1 && w * h > area * 0.9 && area > 2 / slots.length ? "large" : ""}
        />`,
    )}
  </svg>`;
}

/**
 * Where a slot lies, for CSS.
 * @param {number[]} slot
 */
export const placeOf = ([x, y, w, h]) => ({
  left: `${x * 100}%`,
  top: `${y * 100}%`,
  width: `${w * 100}%`,
  height: `${h * 100}%`,
});

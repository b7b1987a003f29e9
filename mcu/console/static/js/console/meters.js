// @ts-check
// Level meters of the whole roster. Five readings a second for 145 rooms would be 725 renderings
// a second, so a reading goes straight into the elements, and only where it changes what is seen.

const FLOOR_DB = -60;
const STEPS = 24; // as many as a meter of 72 px can show apart

/** Loudness as 0-1 of a meter's width. @param {number | null | undefined} db */
export const loudness = (db) =>
  db === null || db === undefined ? 0 : Math.min(1, Math.max(0, 1 - db / FLOOR_DB));

export class Meters {
  constructor() {
    /** @type {Map<string, Set<HTMLElement>>} */
    this.elements = new Map();
    /** @type {Map<string, number>} */
    this.steps = new Map();
    /** @type {Set<string>} */
    this.speakers = new Set();
  }

  /**
   * Let an element (with a `.level` inside) show a participant's level until the returned
   * function is called.
   * @param {string} id @param {HTMLElement} element
   */
  attach(id, element) {
    const group = this.elements.get(id) ?? new Set();
    this.elements.set(id, group.add(element));
    draw(element, this.steps.get(id) ?? 0);
    element.classList.toggle("speaking", this.speakers.has(id));
    return () => {
      group.delete(element);
      if (!group.size && this.elements.get(id) === group) this.elements.delete(id);
    };
  }

  /**
   * One reading of everybody.
   * @param {Record<string, number>} levels dBov by participant @param {string[]} speakers
   */
  set(levels, speakers = []) {
    for (const [id, db] of Object.entries(levels)) this.#step(id, Math.round(loudness(db) * STEPS));
    for (const id of this.steps.keys()) if (!(id in levels)) this.#step(id, 0);
    const now = new Set(speakers);
    for (const id of this.speakers) if (!now.has(id)) this.#mark(id, false);
    for (const id of now) if (!this.speakers.has(id)) this.#mark(id, true);
    this.speakers = now;
  }

  /** @param {string} id */
  silence(id) {
    this.#step(id, 0);
    if (this.speakers.delete(id)) this.#mark(id, false);
  }

  /** @param {string} id @param {number} step */
  #step(id, step) {
    if (this.steps.get(id) === step) return;
    this.steps.set(id, step);
    for (const element of this.elements.get(id) ?? []) draw(element, step);
  }

  /** @param {string} id @param {boolean} speaking */
  #mark(id, speaking) {
    for (const element of this.elements.get(id) ?? [])
      element.classList.toggle("speaking", speaking);
  }
}

/** @param {HTMLElement} element @param {number} step */
function draw(element, step) {
  const level = /** @type {HTMLElement | null} */ (element.querySelector(".level"));
  if (level) level.style.transform = `scaleX(${step / STEPS})`;
}

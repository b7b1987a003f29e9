// @ts-check
// What is left of somebody's time, counted down as minutes and seconds.

import { html, useEffect, useState } from "./base.js";
import { duration } from "./i18n.js";
import { localTime } from "./procedure.js";

const SHORT_S = 30;

/** Seconds that are left of a floor or a polling; null: there is no limit.
 * @param {{until?: string | null, due?: string | null, left_s?: number | null}} of */
export function secondsLeft(of) {
  const until = of.until ?? of.due;
  if (until) return Math.max(0, Math.ceil((localTime(until) - Date.now()) / 1000));
  return of.left_s ?? null;
}

/** @param {{of: any}} props what has an end: see `secondsLeft` */
export function ClockDown({ of }) {
  const [, redraw] = useState(0);
  useEffect(() => {
    const timer = setInterval(() => redraw((n) => n + 1), 250);
    return () => clearInterval(timer);
  }, []);
  const left = secondsLeft(of);
  if (left === null) return null;
  return html`<time class=${left <= SHORT_S ? "clock-down short" : "clock-down"}
    >${duration(left)}</time
  >`;
}

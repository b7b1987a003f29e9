// @ts-check
// Says that the server is near its limit or full: what it gives up, and what to do about it.

import { html, signal, useEffect } from "../shared/base.js";
import { get } from "../shared/api.js";
import { Icon } from "../shared/icons.js";
import { t } from "../shared/i18n.js";

const READ_AGAIN_MS = 15_000; // a change is told at once, but nobody tells it where nothing runs

/** The load as the server last told it; null before. */
export const load = signal(/** @type {any} */ (null));

/** Read it; without an answer nothing is claimed, and what was told meanwhile is newer than an answer. */
export async function readLoad() {
  const before = load.peek();
  const answer = await get("load").catch(() => null);
  if (load.peek() === before) load.value = answer;
}

/** @param {any} now */
const given = (now) => now.given_up.map((/** @type {string} */ what) => t(`load.${what}`, { fps: now.view_fps })).join("; ");

export function LoadBanner() {
  const now = load.value;
  const level = now?.level ?? "none";
  useEffect(() => {
    void readLoad();
    const timer = setInterval(() => void readLoad(), READ_AGAIN_MS);
    return () => clearInterval(timer);
  }, []);
  if (level === "none") return null;
  const full = level === "overloaded";
  const { refused } = now;
  const count = refused.load + refused.joins;
  return html`<div
    class=${`banner load ${full ? "bad" : "warn"}`}
    role=${full ? "alert" : "status"}
    title=${t("load.measured", { percent: Math.round(now.processors * 100), cores: now.cores, ms: now.lateness_ms })}
  >
    <${Icon} name="warning" />
    <p>
      <b>${t(`load.${level}`)}</b>
      <span>${t("load.kept")}</span>
      ${now.given_up.length > 0 && html`<span>${t("load.given", { what: given(now) })}</span>`}
      <span>${t(full ? "load.do-full" : "load.do-strained")}</span>
    </p>
    ${count > 0 && html`<span class="badge">${t("load.refused", { count })}</span>`}
  </div>`;
}

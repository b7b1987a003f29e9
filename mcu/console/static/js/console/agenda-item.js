// @ts-check
// Fields of one agenda item that are more than a choice: who is heard, whom the chair pages
// through, when it begins.

import { html, useState } from "../shared/base.js";
import { t } from "../shared/i18n.js";
import { Several } from "./several.js";
import { UnitSelect } from "./unit-select.js";

/** @typedef {{id: string, name: string}} Person */

const NEW_POLLING = { scope: "all", interval_s: 10 };

/** Who is unmuted, as one choice; a list that is none of them is one of chosen rooms. */
const UNMUTED = {
  keep: null,
  speaker: [],
  chair: ["chair"],
  all: ["all"],
};

/** @param {string[] | null | undefined} list */
function unmutedChoice(list) {
  const same = JSON.stringify(list ?? null);
  return Object.entries(UNMUTED).find(([, value]) => JSON.stringify(value) === same)?.[0] ?? "own";
}

/**
 * Who is heard during an item.
 * @param {{value: string[] | null | undefined, people: Person[],
 *          onPick: (list: string[] | null) => void}} props
 */
export function Unmuted({ value, people, onPick }) {
  // A list of chosen rooms may be one of the ready ones meanwhile, for instance while it is empty.
  const [choosing, setChoosing] = useState(false);
  const choice = choosing ? "own" : unmutedChoice(value);
  const pick = (/** @type {string} */ name) => {
    setChoosing(name === "own");
    if (name === "own") onPick((value ?? []).filter((who) => who !== "all"));
    else onPick(/** @type {any} */ (UNMUTED)[name]);
  };
  return html`<select
      aria-label=${t("scenario.unmuted")}
      title=${t("scenario.unmuted")}
      value=${choice}
      onChange=${(/** @type {any} */ e) => pick(e.target.value)}
    >
      ${Object.keys(UNMUTED).map((name) => html`<option key=${name} value=${name}>${t(`scenario.unmuted.${name}`)}</option>`)}
      <option value="own">${t("scenario.unmuted.own", { count: value?.length ?? 0 })}</option>
    </select>
    ${
      choice === "own" &&
      html`<div class="item-own">
        <${Several}
          chosen=${value ?? []}
          people=${[{ id: "chair", name: t("role.chair") }, ...people]}
          add=${t("scenario.unmuted.add")}
          leave=${(/** @type {string} */ name) => t("scenario.unmuted.leave", { name })}
          change=${onPick}
        />
      </div>`
    }`;
}

/**
 * Whom the chair's picture pages through during an item, and how long it stays with each.
 * @param {{value: any, tree: {unit: any, depth: number}[], onPick: (polling: any) => void}} props
 */
export function ItemPolling({ value, tree, onPick }) {
  const scope = value?.scope ?? "all";
  const known = scope === "all" || tree.some(({ unit }) => unit.id === scope);
  const offered = known ? tree : [...tree, { unit: { id: scope, name: scope }, depth: 0 }];
  return html`<label class="choice"
      ><input
        type="checkbox"
        checked=${Boolean(value)}
        onChange=${(/** @type {any} */ e) => onPick(e.target.checked ? { ...NEW_POLLING } : null)}
      />${t("scenario.polling")}</label
    >
    ${
      value &&
      html`<div class="item-own">
        <label class="inline"
          >${t("scenario.polling-scope")}
          <${UnitSelect}
            tree=${offered}
            none=${t("polling.all")}
            value=${scope === "all" ? "" : scope}
            onPick=${(/** @type {string} */ unit) => onPick({ ...value, scope: unit || "all" })}
          />
        </label>
        <label class="inline minutes"
          >${t("scenario.polling-every")}
          <input
            type="number"
            min="2"
            max="3600"
            step="1"
            required
            value=${String(value.interval_s)}
            onInput=${(/** @type {any} */ e) => onPick({ ...value, interval_s: Number(e.target.value) })}
          />
        </label>
      </div>`
    }`;
}

/**
 * When an item is planned to begin; without a number right after the one before.
 * @param {{value: number | null | undefined, onPick: (seconds: number | null) => void, mark?: any}} props
 */
export const StartsAfter = ({ value, onPick, mark }) =>
  html`<label class="inline minutes"
    ><input
      ...${mark}
      type="number"
      min="0"
      max="1440"
      step="0.5"
      aria-label=${t("scenario.starts")}
      title=${t("scenario.starts")}
      placeholder=${t("scenario.starts-next")}
      value=${value === null || value === undefined ? "" : String(value / 60)}
      onInput=${(/** @type {any} */ e) =>
        onPick(e.target.value === "" ? null : Math.round(Number(e.target.value) * 60))}
    />${t("scenario.starts-min")}</label
  >`;

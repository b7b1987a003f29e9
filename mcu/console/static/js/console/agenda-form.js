// @ts-check
// The parts of a scenario that are also edited while a conference runs: items, duties, what is
// done when something fails. Each takes a list and says what it is to be.

import { html, useEffect } from "../shared/base.js";
import { Icon } from "../shared/icons.js";
import { duration, t } from "../shared/i18n.js";
import { LAYOUT_NAMES, layoutLabel } from "../shared/layouts.js";
import { fieldInWords } from "../shared/refusals.js";
import { ItemPolling, StartsAfter, Unmuted } from "./agenda-item.js";

/** @typedef {{id: string, name: string}} Person */

export const NEW_ITEM = { title: "", duration_s: 600 };
export const NEW_DUTY = { role: "", name: "", phone: null, bridge: null };
export const NEW_CONTINGENCY = { when: "", then: "" };

/**
 * What is wrong with a field: in the page's language, or else in the server's.
 * @typedef {{words: string | null, english: string}} Fault
 * @typedef {Map<string, Fault>} Faulty by path, without the dollar sign
 */

/** @param {any} error @returns {Faulty} */
export function faultsOf(error) {
  /** @type {Faulty} */
  const faults = new Map();
  for (const each of error?.problem?.errors ?? []) {
    const path = each.field.replace(/^\$\.?/, "");
    if (!faults.has(path)) faults.set(path, { words: fieldInWords(each), english: `${path}: ${each.message}` });
  }
  return faults;
}

/**
 * What a field carries that may be at fault: so it is marked, and found by `useFaultFocus`.
 * @param {Faulty | undefined} faults @param {string} path
 */
export const at = (faults, path) => ({
  "data-field": path,
  "aria-invalid": faults?.has(path) ? "true" : undefined,
  "aria-describedby": faults?.has(path) ? `fault-${path}` : undefined,
});

/** The first field at fault has the focus, else what is said of it.
 * @param {any} error @param {import("../shared/base.js").Ref} form */
export function useFaultFocus(error, form) {
  useEffect(() => {
    if (!error) return;
    /** @type {HTMLElement | null} */
    const found =
      form.current?.querySelector("[aria-invalid=true]:not(:disabled)") ?? form.current?.querySelector(".faults li");
    found?.focus();
    found?.scrollIntoView({ block: "nearest" });
  }, [error]);
}

/** Everything that is wrong with the fields that `belongs` names, said beside them.
 * @param {{faults: Faulty, path?: string, belongs?: (path: string) => boolean}} props */
export function Faults({ faults, path = "", belongs }) {
  const isHere =
    belongs ??
    ((/** @type {string} */ field) => field === path || field.startsWith(`${path}.`) || field.startsWith(`${path}[`));
  const found = [...faults].filter(([field]) => isHere(field));
  if (!found.length) return null;
  return html`<ul class="faults" role="alert">
    ${found.map(
      ([field, { words, english }]) =>
        html`<li key=${field} id=${`fault-${field}`} tabindex="-1">
          <${Icon} name="warning" />${words ?? t("scenario.advice")}
          ${words === null && html`<span class="server-words" translate="no">${english}</span>`}
        </li>`,
    )}
  </ul>`;
}

/** @param {{value: string | null | undefined, people: Person[], none: string, label: string,
 *           onPick: (id: string | null) => void, mark?: any}} props `mark`: of `at` */
function Pick({ value, people, none, label, onPick, mark }) {
  const known = !value || people.some((person) => person.id === value);
  return html`<select
    ...${mark}
    aria-label=${label}
    title=${label}
    value=${value ?? ""}
    onChange=${(/** @type {any} */ e) => onPick(e.target.value || null)}
  >
    <option value="">${none}</option>
    ${!known && html`<option value=${value}>${value}</option>`}
    ${people.map((person) => html`<option key=${person.id} value=${person.id}>${person.name}</option>`)}
  </select>`;
}

/**
 * @param {{list: any[], change: (list: any[]) => void, index: number, held?: string | null}} props
 */
function Tools({ list, change, index, held }) {
  const move = (/** @type {number} */ by) => {
    const next = [...list];
    [next[index], next[index + by]] = [next[index + by], next[index]];
    change(next);
  };
  return html`<span class="item-tools">
    <button
      type="button"
      class="bare"
      aria-label=${t("scenario.up")}
      title=${t("scenario.up")}
      disabled=${index === 0}
      onClick=${() => move(-1)}
    >
      ↑
    </button>
    <button
      type="button"
      class="bare"
      aria-label=${t("scenario.down")}
      title=${t("scenario.down")}
      disabled=${index === list.length - 1}
      onClick=${() => move(1)}
    >
      ↓
    </button>
    <button
      type="button"
      class="bare"
      aria-label=${t("scenario.remove")}
      title=${held && list[index].id === held ? t("scenario.held") : t("scenario.remove")}
      disabled=${Boolean(held) && list[index].id === held}
      onClick=${() => change(list.filter((_, at) => at !== index))}
    >
      <${Icon} name="close" />
    </button>
  </span>`;
}

/** @param {any[]} list @param {(list: any[]) => void} change */
const changer = (list, change) => (/** @type {number} */ index, /** @type {any} */ values) =>
  change(list.map((each, at) => (at === index ? { ...each, ...values } : each)));

/**
 * @param {{items: any[], change: (items: any[]) => void, people: Person[],
 *          tree: {unit: any, depth: number}[], faults: Faulty,
 *          held?: string | null}} props
 *   `tree`: units that may be paged through; `held`: the current item's id
 */
export function ItemsForm({ items, change, people, tree, faults, held }) {
  const set = changer(items, change);
  let starting = 0;
  return html`<section class="card agenda-form">
    <div class="section-head">
      <h2>${t("scenario.items")}</h2>
      <p class="quiet">${t("scenario.total", { time: duration(total(items)) })}</p>
    </div>
    <ol>
      ${items.map((item, index) => {
        const starts = item.starts_s ?? starting;
        starting = starts + item.duration_s;
        return html`<li key=${item.id ?? `new-${index}`} class=${item.id && item.id === held ? "now-held" : ""}>
          <span class="place">${index + 1}<small class="quiet">+${duration(starts)}</small></span>
          <div class="item-fields">
            <input
              ...${at(faults, `items[${index}].title`)}
              class="item-title"
              aria-label=${t("scenario.item-title")}
              placeholder=${t("scenario.item-title")}
              required
              maxlength="200"
              value=${item.title}
              onInput=${(/** @type {any} */ e) => set(index, { title: e.target.value })}
            />
            <label class="inline minutes"
              ><input
                ...${at(faults, `items[${index}].duration_s`)}
                type="number"
                min="0.5"
                max="1440"
                step="0.5"
                required
                aria-label=${t("scenario.minutes")}
                value=${String(item.duration_s / 60)}
                onInput=${(/** @type {any} */ e) => set(index, { duration_s: Math.round(Number(e.target.value) * 60) })}
              />${t("scenario.min")}</label
            >
            <${StartsAfter}
              value=${item.starts_s}
              onPick=${(/** @type {any} */ starts_s) => set(index, { starts_s })}
              mark=${at(faults, `items[${index}].starts_s`)}
            />
            <${Pick}
              value=${item.speaker}
              people=${people}
              none=${t("scenario.no-speaker")}
              label=${t("scenario.speaker")}
              onPick=${(/** @type {any} */ speaker) => set(index, speaker ? { speaker } : { speaker, broadcast: false })}
              mark=${at(faults, `items[${index}].speaker`)}
            />
            <select
              ...${at(faults, `items[${index}].layout`)}
              aria-label=${t("start.layout")}
              title=${t("start.layout")}
              value=${item.layout ?? ""}
              onChange=${(/** @type {any} */ e) => set(index, { layout: e.target.value || null })}
            >
              <option value="">${t("scenario.layout-kept")}</option>
              ${LAYOUT_NAMES.map((name) => html`<option key=${name} value=${name}>${layoutLabel(name)}</option>`)}
            </select>
            <${Unmuted}
              value=${item.unmuted}
              people=${people}
              onPick=${(/** @type {any} */ unmuted) => set(index, { unmuted })}
            />
            <${Pick}
              value=${item.presentation}
              people=${people}
              none=${t("scenario.no-presentation")}
              label=${t("scenario.presentation")}
              onPick=${(/** @type {any} */ presentation) => set(index, { presentation })}
              mark=${at(faults, `items[${index}].presentation`)}
            />
            <label class="choice"
              ><input
                ...${at(faults, `items[${index}].broadcast`)}
                type="checkbox"
                disabled=${!item.speaker}
                checked=${Boolean(item.broadcast)}
                onChange=${(/** @type {any} */ e) => set(index, { broadcast: e.target.checked })}
              />${t("scenario.broadcast")}</label
            >
            <input
              ...${at(faults, `items[${index}].message`)}
              class="item-message"
              aria-label=${t("scenario.message")}
              placeholder=${t("scenario.message")}
              maxlength="500"
              value=${item.message ?? ""}
              onInput=${(/** @type {any} */ e) => set(index, { message: e.target.value || null })}
            />
            <${ItemPolling}
              value=${item.polling}
              tree=${tree}
              onPick=${(/** @type {any} */ polling) => set(index, { polling })}
            />
            <input
              ...${at(faults, `items[${index}].note`)}
              class="item-note"
              aria-label=${t("scenario.note")}
              placeholder=${t("scenario.note")}
              maxlength="500"
              value=${item.note ?? ""}
              onInput=${(/** @type {any} */ e) => set(index, { note: e.target.value || null })}
            />
          </div>
          <${Tools} list=${items} change=${change} index=${index} held=${held} />
          <${Faults} faults=${faults} path=${`items[${index}]`} />
        </li>`;
      })}
    </ol>
    <${Faults} faults=${faults} belongs=${(/** @type {string} */ field) => field === "items"} />
    <button type="button" class="small" onClick=${() => change([...items, { ...NEW_ITEM }])}>
      <${Icon} name="plus" />${t("scenario.add-item")}
    </button>
  </section>`;
}

/** Seconds from the beginning to the planned end. @param {any[]} items */
export function total(items) {
  let end = 0;
  for (const item of items) end = (item.starts_s ?? end) + item.duration_s;
  return end;
}

/** @param {{duties: any[], change: (duties: any[]) => void, people: Person[],
 *           faults: Faulty}} props */
export function DutiesForm({ duties, change, people, faults }) {
  const set = changer(duties, change);
  const field = (/** @type {number} */ index, /** @type {string} */ name, /** @type {any} */ more = {}) =>
    html`<input
      ...${at(faults, `duties[${index}].${name}`)}
      aria-label=${t(`scenario.duty.${name}`)}
      placeholder=${t(`scenario.duty.${name}`)}
      required
      maxlength="200"
      value=${duties[index][name] ?? ""}
      onInput=${(/** @type {any} */ e) => set(index, { [name]: e.target.value })}
      ...${more}
    />`;
  return html`<section class="card agenda-form">
    <h2>${t("scenario.duties")}</h2>
    <ol>
      ${duties.map(
        (duty, index) =>
          html`<li key=${index} class="duty">
            ${field(index, "role")} ${field(index, "name")}
            ${field(index, "phone", {
              type: "tel",
              maxlength: "40",
              required: false,
              onInput: (/** @type {any} */ e) => set(index, { phone: e.target.value || null }),
            })}
            <${Pick}
              value=${duty.bridge}
              people=${people}
              none=${t("scenario.centre")}
              label=${t("scenario.duty.bridge")}
              onPick=${(/** @type {any} */ bridge) => set(index, { bridge })}
              mark=${at(faults, `duties[${index}].bridge`)}
            />
            <${Tools} list=${duties} change=${change} index=${index} />
            <${Faults} faults=${faults} path=${`duties[${index}]`} />
          </li>`,
      )}
    </ol>
    <button type="button" class="small" onClick=${() => change([...duties, { ...NEW_DUTY }])}>
      <${Icon} name="plus" />${t("scenario.add-duty")}
    </button>
  </section>`;
}

/** @param {{contingencies: any[], change: (contingencies: any[]) => void, faults: Faulty}} props */
export function ContingenciesForm({ contingencies, change, faults }) {
  const set = changer(contingencies, change);
  return html`<section class="card agenda-form">
    <h2>${t("scenario.contingencies")}</h2>
    <ol>
      ${contingencies.map(
        (each, index) =>
          html`<li key=${index} class="contingency">
            ${["when", "then"].map(
              (name) =>
                html`<input
                  ...${at(faults, `contingencies[${index}].${name}`)}
                  key=${name}
                  aria-label=${t(`scenario.${name}`)}
                  placeholder=${t(`scenario.${name}`)}
                  required
                  maxlength="500"
                  value=${each[name]}
                  onInput=${(/** @type {any} */ e) => set(index, { [name]: e.target.value })}
                />`,
            )}
            <${Tools} list=${contingencies} change=${change} index=${index} />
            <${Faults} faults=${faults} path=${`contingencies[${index}]`} />
          </li>`,
      )}
    </ol>
    <button
      type="button"
      class="small"
      onClick=${() => change([...contingencies, { ...NEW_CONTINGENCY }])}
    >
      <${Icon} name="plus" />${t("scenario.add-contingency")}
    </button>
  </section>`;
}

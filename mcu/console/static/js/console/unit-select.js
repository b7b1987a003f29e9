// @ts-check
// Choosing a unit of the administrative tree, and what a conference or scenario begins with.

import { html } from "../shared/base.js";
import { t } from "../shared/i18n.js";

/** Browsers take ordinary spaces off an option's text; this one shows how deep a unit stands. */
const INDENT = "\u2003";

/**
 * A tree as options, in reading order.
 * @param {{tree: {unit: any, depth: number}[], value: string, onPick: (id: string) => void,
 *          none?: string, leave?: Set<string>, autofocus?: boolean, disabled?: boolean, mark?: any}} props
 *   `none`: what the choice of no unit is called; `leave`: units that are not offered
 */
export function UnitSelect({ tree, value, onPick, none, leave, autofocus = false, disabled = false, mark }) {
  return html`<select
    ...${mark}
    value=${value}
    autofocus=${autofocus}
    disabled=${disabled}
    onChange=${(/** @type {any} */ e) => onPick(e.target.value)}
  >
    ${none !== undefined && html`<option value="">${none}</option>`}
    ${tree
      .filter(({ unit }) => !leave?.has(unit.id))
      .map(
        ({ unit, depth }) =>
          html`<option key=${unit.id} value=${unit.id}>${INDENT.repeat(depth)}${unit.name}</option>`,
      )}
  </select>`;
}

/**
 * The name, and the unit whose meeting it is.
 * @param {{form: any, change: (values: any) => void, tree: {unit: any, depth: number}[],
 *          autofocus?: boolean, mark?: (field: string) => any}} props `mark`: what marks a field at fault
 */
export function NameAndUnit({ form, change, tree, autofocus = true, mark }) {
  return html`<label
      >${t("start.name")}
      <input
        ...${mark?.("name")}
        required
        maxlength="200"
        autofocus=${autofocus}
        value=${form.name}
        onInput=${(/** @type {any} */ e) => change({ name: e.target.value })}
      />
    </label>
    <label
      >${t("start.unit")}
      <${UnitSelect}
        tree=${tree}
        mark=${mark?.("unit")}
        value=${form.unit}
        onPick=${(/** @type {string} */ unit) => change({ unit })}
      />
    </label>`;
}

// @ts-check
// Renaming a unit, changing its level, and moving it with all that stands under it.

import { html, useState } from "../shared/base.js";
import { request, session } from "../shared/api.js";
import { Dialog, show } from "../shared/controls.js";
import { t } from "../shared/i18n.js";
import { ProblemOrNewer } from "./overtaken.js";
import { subtree } from "./start.js";
import { LEVELS, path, unchanged, useNewerUnit } from "./unit-reform.js";
import { UnitSelect } from "./unit-select.js";

/** @param {any} unit */
const fieldsOf = (unit) => ({ name: unit.name, level: unit.level, parent: unit.parent ?? "" });

/** @param {import("./unit-reform.js").UnitDialog} props */
export function ChangeDialog({ unit, registry, onClose, onDone, onReload }) {
  const { now, load, note } = useNewerUnit(unit, registry, onReload);
  const before = fieldsOf(now);
  const [form, setForm] = useState(before);
  const [error, setError] = useState(/** @type {any} */ (null));
  const [waiting, setWaiting] = useState(false);
  const change = (/** @type {any} */ values) => setForm({ ...form, ...values });
  // Who controls a part of the tree does not see above it, and cannot move what it begins with.
  const movable = !unit.parent || registry.units.some(({ id }) => id === unit.parent);
  const after = { ...form, name: form.name.trim() };
  const json = Object.fromEntries(
    Object.entries(after).filter(([field, value]) => value !== before[/** @type {"name"} */ (field)]),
  );
  // What was not changed here is as the other has left it.
  const newer = () =>
    load().then((unit) => {
      setForm({ ...fieldsOf(unit), ...json });
      setError(null);
    }, setError);
  const save = async (/** @type {Event} */ event) => {
    event.preventDefault();
    setWaiting(true);
    setError(null);
    try {
      const sent = "parent" in json ? { ...json, parent: json.parent || null } : json;
      await request(path(unit), { method: "PATCH", json: sent, headers: unchanged(now) });
      show({ tone: "good", text: t("units.changed", { name: after.name }) });
      onDone();
    } catch (reason) {
      setError(reason);
      setWaiting(false);
    }
  };
  return html`<${Dialog} title=${t("units.change-of", { name: unit.name })} onClose=${onClose}>
    <p class="note">${t("units.change-explain")}</p>
    ${note}
    ${error && html`<${ProblemOrNewer} error=${error} onLoad=${newer} />`}
    <form class="stacked" onSubmit=${save} autocomplete="off">
      <label
        >${t("units.column.name")}
        <input
          required
          maxlength="200"
          autofocus
          value=${form.name}
          onInput=${(/** @type {any} */ e) => change({ name: e.target.value })}
        />
      </label>
      <label
        >${t("units.column.level")}
        <select
          value=${form.level}
          onChange=${(/** @type {any} */ e) => change({ level: e.target.value })}
        >
          ${LEVELS.map((level) => html`<option key=${level} value=${level}>${t(`units.level.${level}`)}</option>`)}
        </select>
      </label>
      ${
        movable &&
        html`<label
          >${t("units.stands-in")}
          <${UnitSelect}
            tree=${registry.tree}
            value=${form.parent}
            onPick=${(/** @type {string} */ parent) => change({ parent })}
            none=${session.value?.unit && unit.parent ? undefined : t("units.top")}
            leave=${subtree(registry.units, unit.id)}
          />
        </label>`
      }
      <div class="row-of-buttons">
        <button
          type="submit"
          class="primary"
          disabled=${waiting || !after.name || !Object.keys(json).length}
        >
          ${t("units.change-now")}
        </button>
        <button type="button" onClick=${onClose}>${t("cancel")}</button>
      </div>
    </form>
  <//>`;
}

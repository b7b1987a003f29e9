// @ts-check
// What a room is called in this conference, and how important it is among the others.

import { html, useState } from "../shared/base.js";
import { Dialog } from "../shared/controls.js";
import { t } from "../shared/i18n.js";

/**
 * @param {{actions: import("./actions.js").Actions, person: any, onClose: () => void}} props
 */
export function NamingDialog({ actions, person, onClose }) {
  const [label, setLabel] = useState(person.label);
  const [importance, setImportance] = useState(person.importance);
  const save = async (/** @type {Event} */ event) => {
    event.preventDefault();
    /** @type {any} */
    const values = {};
    if (label.trim() !== person.label) values.label = label.trim();
    if (importance !== person.importance) values.importance = importance;
    if (!Object.keys(values).length || (await actions.change(person.id, values))) onClose();
  };
  return html`<${Dialog} title=${t("naming.title", { name: person.name })} onClose=${onClose}>
    <form class="stacked" onSubmit=${save} autocomplete="off">
      <label
        >${t("naming.label")}
        <input
          required
          maxlength="200"
          autofocus
          value=${label}
          onInput=${(/** @type {any} */ e) => setLabel(e.target.value)}
        />
      </label>
      <label
        >${t("naming.importance")}
        <input
          type="number"
          required
          min="0"
          max="100"
          step="1"
          value=${String(importance)}
          onInput=${(/** @type {any} */ e) => setImportance(Number(e.target.value))}
        />
      </label>
      <p class="quiet">${t("naming.explain")}</p>
      <div class="row-of-buttons">
        <button type="submit" class="primary" disabled=${!label.trim()}>${t("naming.save")}</button>
        <button type="button" onClick=${onClose}>${t("cancel")}</button>
      </div>
    </form>
  <//>`;
}

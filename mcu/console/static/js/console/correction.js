// @ts-check
// Correcting a signed roll call: a further entry, which says why.

import { html, useState } from "../shared/base.js";
import { Dialog } from "../shared/controls.js";
import { t } from "../shared/i18n.js";
import { busy } from "./actions.js";

/**
 * @param {{desk: import("./conference.js").Desk, number: number, row: any, marks: string[],
 *          status: string, onClose: () => void}} props `status`: what was chosen already
 */
export function CorrectionDialog({ desk, number, row, marks, status: chosen, onClose }) {
  const [status, setStatus] = useState(chosen);
  const [note, setNote] = useState("");
  const save = async (/** @type {Event} */ event) => {
    event.preventDefault();
    if (await desk.actions.markRoom(number, row.participant, status, note.trim())) onClose();
  };
  return html`<${Dialog} title=${t("roll.correct-title", { name: row.label })} onClose=${onClose}>
    <p class="quiet">${t("roll.correct-explain")}</p>
    <form class="stacked" onSubmit=${save} autocomplete="off">
      <fieldset class="row-of-choices">
        <legend>${t("roll.correct-to")}</legend>
        ${marks.map(
          (each) =>
            html`<label class="choice" key=${each}
              ><input
                type="radio"
                name="status"
                value=${each}
                checked=${status === each}
                onChange=${() => setStatus(each)}
              />${t(`roll.status.${each}`)}</label
            >`,
        )}
      </fieldset>
      <label
        >${t("roll.why", { name: row.label })}
        <textarea
          name="note"
          rows="3"
          maxlength="500"
          required
          autofocus
          value=${note}
          onInput=${(/** @type {any} */ e) => setNote(e.target.value)}
        ></textarea>
      </label>
      <div class="row-of-buttons">
        <button
          type="submit"
          class="primary"
          disabled=${!note.trim() || busy.value.has("roll-call")}
        >
          ${t("roll.correct-save")}
        </button>
        <button type="button" onClick=${onClose}>${t("cancel")}</button>
      </div>
    </form>
  <//>`;
}

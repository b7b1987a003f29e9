// @ts-check
// What people by SIP dial to come in: the conference's number and PIN, shown and changed.

import { html, useState } from "../shared/base.js";
import { Dialog } from "../shared/controls.js";
import { t } from "../shared/i18n.js";
import { busy } from "./actions.js";

/** @param {{desk: import("./conference.js").Desk, onClose: () => void}} props */
export function DialDialog({ desk, onClose }) {
  const conference = desk.model.conference.value;
  const [number, setNumber] = useState(conference.number ?? "");
  const [pin, setPin] = useState(conference.pin ?? "");
  const save = async (/** @type {Event} */ event) => {
    event.preventDefault();
    if (await desk.actions.dialIn(number || null, pin || null)) onClose();
  };
  return html`<${Dialog} title=${t("dial.title")} onClose=${onClose}>
    <p class="quiet">${t("dial.explain")}</p>
    <form class="stacked" onSubmit=${save} autocomplete="off">
      <label
        >${t("dial.number-label")}
        <input
          name="number"
          value=${number}
          inputmode="numeric"
          pattern="[1-9][0-9]*"
          maxlength="16"
          autofocus
          onInput=${(/** @type {any} */ e) => setNumber(e.target.value.trim())}
        />
      </label>
      <label
        >${t("dial.pin-label")}
        <input
          name="pin"
          value=${pin}
          inputmode="numeric"
          pattern="[0-9]{4,10}"
          maxlength="10"
          placeholder=${t("start.pin-none")}
          onInput=${(/** @type {any} */ e) => setPin(e.target.value.trim())}
        />
      </label>
      <div class="row-of-buttons">
        <button type="submit" class="primary" disabled=${busy.value.has("dial")}>
          ${t("dial.save")}
        </button>
        <button type="button" onClick=${onClose}>${t("cancel")}</button>
      </div>
    </form>
  <//>`;
}

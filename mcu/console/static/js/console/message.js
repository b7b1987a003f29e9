// @ts-check
// The text that lies over everybody's picture.

import { html, useState } from "../shared/base.js";
import { clock, t } from "../shared/i18n.js";
import { busy } from "./actions.js";
import { Overlays } from "./overlays.js";

const DURATIONS = [15, 60, 300, 0];

/** @param {{desk: import("./conference.js").Desk}} props */
export function MessagePanel({ desk }) {
  const conference = desk.model.conference.value;
  const [text, setText] = useState("");
  const [seconds, setSeconds] = useState(60);
  const off = !desk.controls || conference.state !== "running" || busy.value.has("message");
  const now = conference.message;
  return html`<div class="messages"><form
    class="message-form"
    autocomplete="off"
    onSubmit=${async (/** @type {Event} */ event) => {
      event.preventDefault();
      if (text.trim() && (await desk.actions.message(text.trim(), seconds || null))) setText("");
    }}
  >
    ${
      now &&
      html`<div class="message-now">
        <p>${now.text}</p>
        <p class="quiet">
          ${now.until ? t("message.until", { time: clock(now.until) }) : t("message.stays")}
        </p>
        <button
          type="button"
          class="small"
          disabled=${off}
          onClick=${() => desk.actions.clearMessage()}
        >
          ${t("message.clear")}
        </button>
      </div>`
    }
    <label
      >${t("message.text")}
      <textarea
        id="message-text"
        rows="3"
        maxlength="500"
        value=${text}
        disabled=${!desk.controls}
        onInput=${(/** @type {any} */ e) => setText(e.target.value)}
      ></textarea>
    </label>
    <div class="row-of-buttons">
      <label class="inline"
        >${t("message.for")}
        <select
          value=${String(seconds)}
          onChange=${(/** @type {any} */ e) => setSeconds(Number(e.target.value))}
        >
          ${DURATIONS.map((s) => html`<option key=${s} value=${String(s)}>${s === 0 ? t("message.stays") : t(`message.${s}`)}</option>`)}
        </select>
      </label>
      <button type="submit" class="primary" disabled=${off || !text.trim()}>
        ${t("message.show")}
      </button>
    </div>
  </form>
  <${Overlays} desk=${desk} /></div>`;
}

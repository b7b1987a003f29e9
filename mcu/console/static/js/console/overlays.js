// @ts-check
// What is pinned to the picture beside the message: texts at a place of their own, and the time
// that is left of the floor.

import { html, useState } from "../shared/base.js";
import { Icon } from "../shared/icons.js";
import { clock, t } from "../shared/i18n.js";
import { busy } from "./actions.js";

const POSITIONS = [
  "top-left",
  "top",
  "top-right",
  "centre",
  "bottom-left",
  "bottom",
  "bottom-right",
];
const VIEWS = ["all", "main", "chair"];
const DURATIONS = [60, 300, 900, 0];

/** @param {{desk: import("./conference.js").Desk}} props */
export function Overlays({ desk }) {
  const conference = desk.model.conference.value;
  const [text, setText] = useState("");
  const [position, setPosition] = useState("top");
  const [view, setView] = useState("all");
  const [seconds, setSeconds] = useState(0);
  const off = !desk.controls || conference.state !== "running" || busy.value.has("overlay");
  const pinned = conference.overlays ?? [];
  const counts = pinned.some((/** @type {any} */ one) => one.kind === "floor");
  const pin = (/** @type {any} */ what) =>
    desk.actions.pinOverlay({
      ...what,
      position,
      ...(view === "all" ? {} : { view }),
      ...(seconds ? { duration_s: seconds } : {}),
    });
  const choice = (
    /** @type {string} */ name,
    /** @type {string} */ value,
    /** @type {string[]} */ values,
    /** @type {(value: string) => void} */ set,
  ) =>
    html`<label class="inline"
      >${t(`overlay.${name}`)}
      <select value=${value} disabled=${off} onChange=${(/** @type {any} */ e) => set(e.target.value)}>
        ${values.map((one) => html`<option key=${one} value=${one}>${t(`overlay.${name}.${one}`)}</option>`)}
      </select>
    </label>`;
  return html`<form
    class="message-form overlays"
    autocomplete="off"
    aria-label=${t("overlay")}
    onSubmit=${async (/** @type {Event} */ event) => {
      event.preventDefault();
      if (text.trim() && (await pin({ text: text.trim() }))) setText("");
    }}
  >
    <h3>${t("overlay")}</h3>
    <ul class="overlay-list">
      ${pinned.map(
        (/** @type {any} */ one) =>
          html`<li key=${one.number}>
            <${Icon} name=${one.kind === "floor" ? "clock" : "message"} />
            <span>
              <b>${one.kind === "floor" ? t("overlay.floor") : one.text}</b>
              <i
                >${[t(`overlay.position.${one.position}`), t(`overlay.view.${one.view ?? "all"}`), one.until ? t("message.until", { time: clock(one.until) }) : t("overlay.for.0")].join(" · ")}</i
              >
            </span>
            <button
              type="button"
              class="small"
              disabled=${off}
              aria-label=${t("overlay.remove-one", { text: one.text || t("overlay.floor") })}
              onClick=${() => desk.actions.removeOverlay(one.number)}
            >
              ${t("overlay.remove")}
            </button>
          </li>`,
      )}
    </ul>
    <label
      >${t("overlay.text")}
      <input
        id="overlay-text"
        type="text"
        maxlength="200"
        value=${text}
        disabled=${off}
        onInput=${(/** @type {any} */ e) => setText(e.target.value)}
      />
    </label>
    <div class="row-of-buttons">
      ${choice("position", position, POSITIONS, setPosition)} ${choice("view", view, VIEWS, setView)}
      ${choice("for", String(seconds), DURATIONS.map(String), (value) => setSeconds(Number(value)))}
    </div>
    <div class="row-of-buttons">
      <button type="submit" class="primary" disabled=${off || !text.trim()}>
        <${Icon} name="message" />${t("overlay.pin")}
      </button>
      <button type="button" disabled=${off || counts} onClick=${() => pin({ kind: "floor" })}>
        <${Icon} name="clock" />${t("overlay.pin-floor")}
      </button>
    </div>
  </form>`;
}

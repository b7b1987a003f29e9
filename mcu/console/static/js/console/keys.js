// @ts-check
// Keyboard: single keys while no text is being typed, and the list of them behind "?".

import { html, signal, useEffect } from "../shared/base.js";
import { Dialog } from "../shared/controls.js";
import { t } from "../shared/i18n.js";

export const helpOpen = signal(false);

const STORED = "mcu.single-keys";

/** Single-key shortcuts can be switched off (WCAG 2.1, 2.1.4). */
export const singleKeys = signal(readSetting());

function readSetting() {
  try {
    return localStorage.getItem(STORED) !== "off";
  } catch {
    return true;
  }
}

/** @param {boolean} on */
function setSingleKeys(on) {
  singleKeys.value = on;
  try {
    localStorage.setItem(STORED, on ? "on" : "off");
  } catch {
    // not remembered, still in force
  }
}

/** What is shown under "?": keys and the text that explains them. */
export const SHORTCUTS = [
  [["↑", "↓"], "keys.move"],
  [["←", "→"], "keys.buttons"],
  [["Enter"], "keys.room"],
  [["/"], "keys.search"],
  [["M"], "keys.mute"],
  [["V"], "keys.video"],
  [["B"], "keys.broadcast"],
  [["P"], "keys.present"],
  [["D"], "keys.deafen"],
  [["F"], "keys.floor"],
  [["Q"], "keys.queue"],
  [["E"], "keys.chair-view"],
  [["W"], "keys.alarms"],
  [["Shift", "W"], "keys.alarm-known"],
  [["Shift", "C"], "keys.alarm-redial"],
  [["Shift", "T"], "keys.alarm-call"],
  [["I"], "keys.alarm-incident"],
  [["Shift", "D"], "keys.drill"],
  [["R"], "keys.roll-call"],
  [["J"], "keys.recordings"],
  [["Shift", "R"], "keys.record"],
  [["O"], "keys.convening"],
  [["Shift", "O"], "keys.convene"],
  [["X"], "keys.transfer"],
  [["Shift", "L"], "keys.lock"],
  [["Shift", "A"], "keys.admit"],
  [["Y", "N", "K"], "keys.mark"],
  [["Shift", "M"], "keys.mute-all"],
  [["Shift", "U"], "keys.unmute-all"],
  [["U"], "keys.mute-unit"],
  [["A"], "keys.agenda"],
  [["Shift", "N"], "keys.next"],
  [["Shift", "K"], "keys.previous"],
  [["L"], "keys.layout"],
  [["S"], "keys.slots"],
  [["T"], "keys.message"],
  [["C"], "keys.view"],
  [["G"], "keys.overview"],
  [["H"], "keys.wall"],
  [["Z"], "keys.undo"],
  [["Tab"], "keys.into"],
  [["←", "→"], "keys.tabs"],
  [["Esc"], "keys.escape"],
  [["?"], "keys.help"],
];

/** What the list says on the screen that is shown. */
const listed = signal(SHORTCUTS);

/** The keys of a screen that has others than a conference. @param {typeof SHORTCUTS} keys @returns {() => void} ends it */
export function listKeys(keys) {
  listed.value = keys;
  return () => (listed.value = SHORTCUTS);
}

/** @param {Element | null} element */
const takesText = (element) =>
  element instanceof HTMLElement &&
  (element.isContentEditable ||
    element.matches(
      "textarea, select, input:not([type=checkbox]):not([type=radio]):not([type=range]):not([type=button])",
    ));

/**
 * The name of the key that was pressed, independent of an input method that is on: letters by
 * their place on the keyboard, the rest by what they write.
 * @param {KeyboardEvent} event
 */
export function keyName(event) {
  const letter = /^Key([A-Z])$/.exec(event.code)?.[1];
  if (letter) return event.shiftKey ? `Shift+${letter}` : letter;
  return event.key;
}

/**
 * Keys that work anywhere on the screen.
 * @param {Record<string, () => void>} table by key name
 */
export function useKeys(table) {
  useEffect(() => {
    const press = (/** @type {KeyboardEvent} */ event) => {
      if (event.isComposing || event.ctrlKey || event.altKey || event.metaKey) return;
      if (document.querySelector("dialog[open]")) return;
      const name = keyName(event);
      if (takesText(document.activeElement) && name !== "Escape") return;
      if (!singleKeys.value && name !== "Escape" && name !== "?") return;
      const action = name === "?" ? () => (helpOpen.value = true) : table[name];
      if (!action) return;
      event.preventDefault();
      action();
    };
    addEventListener("keydown", press);
    return () => removeEventListener("keydown", press);
  });
  useEffect(leaveChoices, []);
}

/**
 * A choice that was made by mouse has the focus, and would swallow every key that follows: it is
 * left, but for those of a form, in which one goes on. @returns {() => void} ends it
 */
function leaveChoices() {
  let byPointer = false;
  const point = () => (byPointer = true);
  const type = () => (byPointer = false);
  const leave = (/** @type {Event} */ { target }) => {
    if (byPointer && target instanceof HTMLSelectElement && !target.form) target.blur();
  };
  const listeners = /** @type {[string, (event: any) => void][]} */ ([
    ["pointerdown", point],
    ["keydown", type],
    ["change", leave],
  ]);
  for (const [name, listener] of listeners) addEventListener(name, listener, true);
  return () => {
    for (const [name, listener] of listeners) removeEventListener(name, listener, true);
  };
}

export const Help = () =>
  html`<${Dialog} title=${t("help.title")} onClose=${() => (helpOpen.value = false)} wide>
    <dl class="shortcuts">
      ${listed.value.map(
        ([keys, text]) =>
          html`<div key=${text}>
            <dt>${/** @type {string[]} */ (keys).map((key) => html`<kbd>${key}</kbd>`)}</dt>
            <dd>${t(/** @type {string} */ (text))}</dd>
          </div>`,
      )}
    </dl>
    <label class="choice"
      ><input
        type="checkbox"
        checked=${singleKeys.value}
        onChange=${(/** @type {any} */ e) => setSingleKeys(e.target.checked)}
      />${t("keys.single")}</label
    >
  <//>`;

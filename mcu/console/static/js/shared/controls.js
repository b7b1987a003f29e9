// @ts-check
// Small parts that both pages show: language switch, toasts, dialogs, time that counts.

import { html, signal, useEffect, useLayoutEffect, useRef, useState } from "./base.js";
import { ApiError } from "./api.js";
import { Icon } from "./icons.js";
import { LANGUAGES, language, setLanguage, t } from "./i18n.js";

export const LanguageSwitch = () =>
  html`<div class="languages" role="group" aria-label=${t("language")}>
    ${LANGUAGES.map(
      ({ id, name }) =>
        html`<button
          type="button"
          lang=${id}
          title=${name}
          aria-pressed=${String(language.value === id)}
          onClick=${() => setLanguage(id)}
        >
          ${id === "vi" ? "VI" : "EN"}
        </button>`,
    )}
  </div>`;

/**
 * @typedef {{id: number, tone: "info" | "good" | "bad", text: string, detail?: string,
 *            undo?: () => void, about?: string, until: number}} Toast
 */

/** @type {import("../../vendor/signals.js").Signal<Toast[]>} */
const toasts = signal([]);
let nextToast = 1;

/** What the screen reader is told of changes; visible nowhere. */
export const announcement = signal("");

/**
 * Show something for a while; failures stay longer. What is said already is not said twice.
 * @param {Omit<Toast, "id" | "until">} toast `about`: what failed, for `forget`
 */
export function show(toast) {
  const id = nextToast++;
  const stays = toast.tone === "bad" ? 15_000 : toast.undo ? 10_000 : 5_000;
  const others = toasts.value.filter(
    (each) =>
      each.undo || each.tone !== toast.tone || each.text !== toast.text || each.detail !== toast.detail,
  );
  toasts.value = [...others.slice(-3), { ...toast, id, until: Date.now() + stays }];
  setTimeout(() => dismiss(id), stays);
  if (toast.tone !== "bad") announcement.value = toast.text;
}

/** @param {number} id */
export function dismiss(id) {
  toasts.value = toasts.value.filter((toast) => toast.id !== id);
}

/** Failures that are told of something are over once it is tried again. @param {string} about */
export function forget(about) {
  toasts.value = toasts.value.filter((toast) => toast.about !== about);
}

/** Say why something failed and what to do next. @param {any} error @param {string} [about] */
export function showError(error, about) {
  const known = error instanceof ApiError;
  if (!known) console.error(error);
  const text = known ? error.advice : t("error.page");
  const detail = known ? error.detail : String(error?.message ?? error);
  show({ tone: "bad", text, detail, about });
}

/** Take back the last step that can be; false when there is none. */
export function undoLast() {
  const toast = toasts.value.findLast((candidate) => candidate.undo);
  if (!toast?.undo) return false;
  dismiss(toast.id);
  toast.undo();
  return true;
}

/** Where they stand, in order of preference, unless their place keeps one for them. */
const CORNERS = ["bottom-left", "bottom-right", "top-right", "top-left"];
/** What they must not cover, besides what has the focus. */
const NOTICES = "[role=alert], [role=status]:not(.unseen), .banner";
/** Of the window; what is larger is a place with many things in it, and is seen around them. */
const PLACE = 0.2;
/** After these something else may lie below them. */
const MOVES = ["focusin", "scroll", "resize"];

/** @param {DOMRect} one @param {DOMRect} other @returns {number} square pixels that both cover */
function common(one, other) {
  const across = Math.min(one.right, other.right) - Math.max(one.left, other.left);
  const down = Math.min(one.bottom, other.bottom) - Math.max(one.top, other.top);
  return across > 0 && down > 0 ? across * down : 0;
}

/** Put them into the corner where they cover neither a notice nor what has the focus.
 * @param {HTMLElement} box */
function keepClear(box) {
  const boxes = [...document.querySelectorAll(NOTICES), document.activeElement ?? document.body]
    .filter((each) => !box.contains(each) && !each.contains(box))
    .map((each) => each.getBoundingClientRect())
    .filter((each) => each.width * each.height < PLACE * innerWidth * innerHeight);
  const covered = CORNERS.map((corner) => {
    box.dataset.corner = corner;
    const here = box.getBoundingClientRect();
    return boxes.reduce((sum, other) => sum + common(here, other), 0);
  });
  box.dataset.corner = CORNERS[covered.indexOf(Math.min(...covered))];
}

/** Where they take a line below the page, what has the focus at its end does not slip behind it.
 * @param {HTMLElement} box */
function keepInSight(box) {
  const active = document.activeElement;
  if (!active?.closest("main") || active.closest("main")?.contains(box)) return;
  const { top, bottom } = active.getBoundingClientRect();
  const line = box.getBoundingClientRect();
  if (line.height && top < line.bottom && bottom > line.top) active.scrollIntoView({ block: "nearest" });
}

export function Toasts() {
  const box = useRef(/** @type {HTMLElement | null} */ (null));
  const shown = toasts.value;
  useLayoutEffect(() => {
    const element = box.current;
    if (!element || !shown.length) return undefined;
    if (getComputedStyle(element).position !== "fixed") {
      keepInSight(element);
      return undefined;
    }
    const look = () => keepClear(element);
    look();
    for (const type of MOVES) addEventListener(type, look, { capture: true, passive: true });
    return () => {
      for (const type of MOVES) removeEventListener(type, look, { capture: true });
    };
  }, [shown]);
  return html`<div class="toasts" ref=${box}>
      <div class="toast-list">${shown.map((toast) => html`<${OneToast} key=${toast.id} toast=${toast} />`)}</div>
    </div>
    <div class="unseen" role="status" aria-live="polite">${announcement.value}</div>`;
}

/** @param {{toast: Toast}} props */
const OneToast = ({ toast }) =>
  html`<div class=${`toast ${toast.tone}`} role=${toast.tone === "bad" ? "alert" : undefined}>
    <${Icon} name=${toast.tone === "bad" ? "warning" : "check"} />
    <div class="toast-text">
      <p>${toast.text}</p>
      ${toast.detail && html`<p class="server-words" translate="no">${toast.detail}</p>`}
    </div>
    ${
      toast.undo &&
      html`<button
        type="button"
        class="small"
        onClick=${() => {
          dismiss(toast.id);
          toast.undo?.();
        }}
      >
        <${Icon} name="undo" />${t("undo")}
      </button>`
    }
    <button type="button" class="bare" aria-label=${t("close")} onClick=${() => dismiss(toast.id)}>
      <${Icon} name="close" />
    </button>
  </div>`;

/** An error inside a form or page. @param {{error: any}} props */
export const Problem = ({ error }) =>
  error &&
  html`<div class="problem" role="alert">
    <${Icon} name="warning" />
    <div>
      <p>${error instanceof ApiError ? error.advice : t("error.page")}</p>
      ${
        (error.detail || !(error instanceof ApiError)) &&
        html`<p class="server-words" translate="no">
          ${error instanceof ApiError ? error.detail : error.message}
        </p>`
      }
    </div>
  </div>`;

/**
 * A modal dialog on the browser's own element: focus stays inside, Esc closes.
 * @param {{title: string, onClose: () => void, children?: any, wide?: boolean}} props
 */
export function Dialog({ title, onClose, children, wide = false }) {
  const box = useRef(/** @type {HTMLDialogElement | null} */ (null));
  useEffect(() => {
    const before = document.activeElement;
    box.current?.showModal();
    return () => {
      if (before instanceof HTMLElement && before.isConnected) before.focus();
    };
  }, []);
  return html`<dialog
    ref=${box}
    class=${wide ? "wide" : ""}
    aria-label=${title}
    onCancel=${(/** @type {Event} */ event) => {
      event.preventDefault();
      onClose();
    }}
  >
    <header>
      <h2>${title}</h2>
      <button type="button" class="bare" aria-label=${t("close")} onClick=${onClose}>
        <${Icon} name="close" />
      </button>
    </header>
    ${children}
  </dialog>`;
}

/**
 * Arrows lead from one tab to the next and open it; a list of tabs is one stop of the Tab key.
 * @param {KeyboardEvent} event
 */
export function alongTabs(event) {
  const list = /** @type {HTMLElement} */ (event.currentTarget);
  const tabs = /** @type {HTMLElement[]} */ ([...list.querySelectorAll("[role=tab]")]);
  const at = tabs.indexOf(/** @type {HTMLElement} */ (document.activeElement));
  const to = { ArrowLeft: at - 1, ArrowRight: at + 1, Home: 0, End: tabs.length - 1 }[
    /** @type {"Home"} */ (event.key)
  ];
  if (at < 0 || to === undefined) return;
  event.preventDefault();
  event.stopPropagation();
  const tab = tabs[(to + tabs.length) % tabs.length];
  tab.focus();
  tab.click();
}

/**
 * For a choice that is carried out at once: the arrows open it, so that what stands below the first
 * entry can be reached without carrying that out.
 * @param {KeyboardEvent} event
 */
export function opensFirst(event) {
  const choice = /** @type {HTMLSelectElement} */ (event.currentTarget);
  if ((event.key !== "ArrowDown" && event.key !== "ArrowUp") || !choice.showPicker) return;
  event.preventDefault();
  event.stopPropagation();
  choice.showPicker();
}

/**
 * A text with the seconds until a moment in it, counting down.
 * @param {{text: string, until: number}} props `text` is a key whose text has `{seconds}`
 */
export function Countdown({ text, until }) {
  const [, redraw] = useState(0);
  useEffect(() => {
    const timer = setInterval(() => redraw((n) => n + 1), 500);
    return () => clearInterval(timer);
  }, []);
  return t(text, { seconds: Math.max(0, Math.ceil((until - Date.now()) / 1000)) });
}

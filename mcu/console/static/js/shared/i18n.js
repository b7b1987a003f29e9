// @ts-check
// Vietnamese and English: one strings file each, chosen in the page and remembered.

import { signal } from "./base.js";
import vi from "../strings/vi.js";
import viRefusals from "../strings/vi-refusals.js";
import en from "../strings/en.js";
import enRefusals from "../strings/en-refusals.js";

/** @type {Record<string, Record<string, string>>} */
const TABLES = { vi: { ...vi, ...viRefusals }, en: { ...en, ...enRefusals } };
const STORED = "mcu.language";

export const LANGUAGES = [
  { id: "vi", name: "Tiếng Việt" },
  { id: "en", name: "English" },
];

/** The language in use; components that call `t` while rendering follow it. */
export const language = signal(firstLanguage());

document.documentElement.lang = language.value;

function firstLanguage() {
  const stored = remembered();
  if (stored) return stored;
  const wanted = navigator.languages?.length ? navigator.languages : [navigator.language];
  for (const tag of wanted) {
    const id = (tag || "").slice(0, 2).toLowerCase();
    if (id in TABLES) return id;
  }
  return "vi";
}

function remembered() {
  try {
    const stored = localStorage.getItem(STORED) ?? "";
    return stored in TABLES ? stored : null;
  } catch {
    return null; // storage is forbidden by the browser's settings: the page works without
  }
}

/** @param {string} id */
export function setLanguage(id) {
  if (!(id in TABLES)) return;
  language.value = id;
  document.documentElement.lang = id;
  try {
    localStorage.setItem(STORED, id);
  } catch {
    // not remembered, still switched
  }
}

/**
 * The text of a key, with `{name}` filled in. A key `x` with a count may have `x.one` beside it.
 * @param {string} key
 * @param {Record<string, string | number>} [values]
 * @returns {string}
 */
export function t(key, values) {
  const table = TABLES[language.value];
  let text = values?.count === 1 ? table[`${key}.one`] : undefined;
  text ??= table[key];
  if (text === undefined) {
    console.error("no text for", key);
    return key;
  }
  if (!values) return text;
  return text.replace(/\{(\w+)\}/g, (whole, name) => String(values[name] ?? whole));
}

/** Whether a key has a text, for keys made from what the server says.
 * @param {string} key */
export const hasText = (key) => key in TABLES[language.value];

const locale = () => (language.value === "vi" ? "vi-VN" : "en-GB");

/** @param {string | number | Date} when */
export const clock = (when) =>
  new Date(when).toLocaleTimeString(locale(), { hour: "2-digit", minute: "2-digit" });

/** To the second, for what has just happened. @param {string | number | Date} when */
export const clockSeconds = (when) => new Date(when).toLocaleTimeString(locale(), { hour12: false });

/** @param {string | number | Date} when */
export const dayAndClock = (when) =>
  new Date(when).toLocaleString(locale(), {
    day: "2-digit",
    month: "2-digit",
    year: "numeric",
    hour: "2-digit",
    minute: "2-digit",
  });

/** @param {number} value @param {number} [digits] */
export const number = (value, digits = 0) =>
  value.toLocaleString(locale(), { minimumFractionDigits: digits, maximumFractionDigits: digits });

/** Seconds as 1:02:03 or 2:03. @param {number} seconds */
export function duration(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  const [hours, minutes, rest] = [
    Math.floor(whole / 3600),
    Math.floor(whole / 60) % 60,
    whole % 60,
  ];
  const two = (/** @type {number} */ n) => String(n).padStart(2, "0");
  return hours ? `${hours}:${two(minutes)}:${two(rest)}` : `${minutes}:${two(rest)}`;
}

const collator = new Intl.Collator("vi", { numeric: true, sensitivity: "base" });

/** Names in Vietnamese order, "2" before "10". @param {string} a @param {string} b */
export const byName = (a, b) => collator.compare(a, b);

/** Without diacritics and case, so that "nha trang" finds "Nha Trăng". @param {string} text */
export const fold = (text) =>
  text.normalize("NFD").replace(/\p{M}/gu, "").replace(/[đĐ]/g, "d").toLowerCase();

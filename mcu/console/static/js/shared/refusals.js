// @ts-check
// What the server refuses, in the page's language: made of the code and the values that stand beside
// each of its sentences (RFC 9457), so that its own English is shown only where there is no code.

import { clock, hasText, number, t } from "./i18n.js";

/** @typedef {{code?: string, params?: Record<string, any>, field?: string, message?: string}} Said */

/** Whose names a page knows, by id; others are called by their id. @type {Set<(id: string) => string | undefined>} */
const namers = new Set();
/** Values that are ids of somebody. */
const IDS = new Set(["room", "participant", "unit", "above", "within"]);

/** Values that the page has texts for, by what these begin with. @type {Record<string, string>} */
const TEXTS = { noun: "noun", role: "role", view: "rec.view", kind: "drill.kind" };

/**
 * Let refusals call rooms and units by name as long as a screen is shown.
 * @param {(id: string) => string | undefined} namer @returns {() => void} ends it
 */
export function nameBy(namer) {
  namers.add(namer);
  return () => namers.delete(namer);
}

/** @param {string} id */
function named(id) {
  for (const namer of namers) {
    const name = namer(id);
    if (name) return name;
  }
  return id;
}

/** Seconds as they are said. @param {number} seconds */
function spoken(seconds) {
  if (seconds >= 7200) return t("time.hours", { count: number(seconds / 3600, seconds % 3600 ? 1 : 0) });
  if (seconds >= 120 && seconds % 60 === 0) return t("time.minutes", { count: number(seconds / 60) });
  return t("time.seconds", { count: number(seconds) });
}

/** A value as the page shows it. @param {string} name @param {any} value @param {string} field */
function shown(name, value, field) {
  if (value === null || value === undefined) return "";
  if (typeof value === "number") {
    return name.endsWith("_s") || field.endsWith("_s") ? spoken(value) : number(value, value % 1 ? 1 : 0);
  }
  const own = `${TEXTS[name]}.${value}`;
  if (TEXTS[name] && hasText(own)) return t(own);
  if (name === "since") return clock(value);
  return IDS.has(name) ? named(value) : value;
}

/**
 * A sentence of the server in the page's language; null where this page has none for its code.
 * @param {Said} said
 * @returns {string | null}
 */
export function inWords({ code, params, field }) {
  const key = `refusal.${code}`;
  if (!code || !hasText(key)) return null;
  const values = Object.entries(params ?? {}).map(([name, value]) => [name, shown(name, value, field ?? "")]);
  return t(key, Object.fromEntries(values));
}

/** What a field is called where it is filled in; "" for one that no form has.
 * @param {string} path `$.items[0].title`, `line 7, name` */
export function labelOf(path) {
  const line = /^line (\d+)(?:, (.*))?$/.exec(path);
  if (line) return [t("field.line", { number: line[1] }), line[2] ? labelOf(line[2]) : ""].filter(Boolean).join(" · ");
  const steps = path.replace(/^\$\.?/, "").match(/[^.[\]]+/g) ?? [];
  const said = steps.map((step, at) => {
    const place = Number(steps[at + 1]); // NaN: it is no list
    if (hasText(`field.one.${step}`) && place >= 0) return t(`field.one.${step}`, { number: place + 1 });
    return at === steps.length - 1 && hasText(`field.${step}`) ? t(`field.${step}`) : "";
  });
  return said.filter(Boolean).join(" · ");
}

/** One invalid input as a sentence that names it. @param {Said} error @returns {string | null} */
export function fieldInWords(error) {
  const words = inWords(error);
  if (words === null) return null;
  const label = labelOf(error.field ?? "");
  return label ? `${label}: ${words}` : words;
}

/** So many invalid inputs are told at once; the others when these are corrected. */
const MOST_TOLD = 5;

/**
 * All that a problem says, in the page's language.
 * @param {any} problem the problem document
 * @returns {{words: string[], left: string[]}} `left`: what the server says that has no code
 */
export function told(problem) {
  /** @type {Said[]} */
  const errors = problem.errors ?? [];
  const own = inWords(problem);
  const words = own === null ? [] : [own];
  const left = [];
  for (const error of errors) {
    if (own !== null && error.code === problem.code) continue; // the problem itself says it
    const said = fieldInWords(error);
    if (said === null && !problem.detail?.includes(error.message)) {
      left.push(`${error.field}: ${error.message}`);
    }
    if (said === null) continue;
    if (!words.includes(said)) words.push(said);
  }
  if (!words.length && problem.detail) left.unshift(problem.detail);
  return { words: words.slice(0, MOST_TOLD), left };
}

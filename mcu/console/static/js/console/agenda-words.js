// @ts-check
// The parts of a scenario or an agenda as text, so that two versions of one can be compared.

import { dayAndClock, duration, t } from "../shared/i18n.js";
import { layoutLabel } from "../shared/layouts.js";

/** @typedef {(id: string) => string} Namer */

/** @param {any[]} list @param {(each: any) => (string | null | undefined | false)[]} parts */
const lines = (list, parts) =>
  (list ?? []).map((each, place) => `${place + 1}. ${parts(each).filter(Boolean).join(" · ")}`).join("\n");

/** @param {string[] | null | undefined} list @param {Namer} name */
const heard = (list, name) =>
  list && `${t("scenario.unmuted")}: ${list.map((who) => (who === "chair" ? t("role.chair") : who === "all" ? t("scenario.unmuted.all") : name(who))).join(", ") || t("scenario.unmuted.speaker")}`;

/**
 * What may differ between two agendas, and how it is said.
 * @param {Namer} name rooms and units by id
 */
export const agendaMembers = (name) => ({
  begins_at: {
    label: t("scenario.begins"),
    say: (/** @type {string | null} */ time) => (time ? dayAndClock(time) : ""),
  },
  items: {
    label: t("scenario.items"),
    say: (/** @type {any[]} */ items) =>
      lines(items, (item) => [
        item.title,
        duration(item.duration_s),
        Number.isFinite(item.starts_s) && `+${duration(item.starts_s)}`,
        item.speaker && name(item.speaker),
        item.layout && layoutLabel(item.layout),
        item.broadcast && t("scenario.broadcast"),
        heard(item.unmuted, name),
        item.presentation && `${t("scenario.presentation")}: ${name(item.presentation)}`,
        item.polling && `${t("polling")}: ${item.polling.scope === "all" ? t("polling.all") : name(item.polling.scope)}, ${item.polling.interval_s} s`,
        item.message && `${t("scenario.message")}: ${item.message}`,
        item.note && `${t("scenario.note")}: ${item.note}`,
      ]),
  },
  duties: {
    label: t("scenario.duties"),
    say: (/** @type {any[]} */ duties) =>
      lines(duties, (duty) => [duty.role, duty.name, duty.phone, duty.bridge && name(duty.bridge)]),
  },
  contingencies: {
    label: t("scenario.contingencies"),
    say: (/** @type {any[]} */ list) => lines(list, (each) => [each.when, each.then]),
  },
});

/** The same of a whole scenario. @param {Namer} name */
export const scenarioMembers = (name) => ({
  name: { label: t("start.name"), say: (/** @type {string} */ value) => value },
  unit: { label: t("start.unit"), say: name },
  chair: { label: t("start.chair"), say: (/** @type {string | null} */ id) => (id ? name(id) : "") },
  layout: { label: t("start.layout"), say: layoutLabel },
  expected: {
    label: t("start.bridges"),
    say: (/** @type {"subtree" | string[]} */ rooms) =>
      rooms === "subtree" ? t("overtaken.subtree") : `${rooms.length}: ${rooms.map(name).join(", ")}`,
  },
  ...agendaMembers(name),
});

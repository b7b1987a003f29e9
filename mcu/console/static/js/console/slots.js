// @ts-check
// Who stands where: the slots drawn over the picture, each a button and a place to drop a room.

import { html, useState } from "../shared/base.js";
import { Dialog } from "../shared/controls.js";
import { Icon } from "../shared/icons.js";
import { byName, fold, t } from "../shared/i18n.js";
import { AUTO, placeOf, resolved, slotsOf } from "../shared/layouts.js";
import { DRAGGED } from "./row.js";

const MOST_SPEAKERS = 8;

/**
 * The slots that stand for "filled automatically" once one of them is set by hand: a large first
 * slot follows the speaker, the rest holds who is here, the more important and earlier first.
 * @param {string} layout @param {any[]} people
 */
export function filledSlots(layout, people) {
  const places = slotsOf(layout);
  const here = people
    .filter((person) => person.state === "connected" || person.state === "lost")
    .sort((a, b) => b.importance - a.importance
      || Date.parse(a.joined_at ?? "9999") - Date.parse(b.joined_at ?? "9999"));
  const grid = /^(\d)x\1$/.test(layout) && layout !== "1x1";
  const speakers = grid ? 0 : layout === "2+8" ? 2 : 1;
  return places.map((_, index) => {
    if (layout === "presenter" && index === 0) return { presentation: true };
    if (index < speakers || (layout === "presenter" && index === 1)) {
      return { speaker: layout === "presenter" ? 1 : index + 1 };
    }
    const person = here[index - Math.max(speakers, layout === "presenter" ? 2 : 0)];
    return person ? { participant: person.id } : {};
  });
}

/** What stands in a slot, in words. @param {any} slot @param {import("./model.js").ConferenceModel} model */
function inWords(slot, model) {
  if (slot?.participant) return model.person(slot.participant)?.label ?? slot.participant;
  if (slot?.speaker) return t("slot.speaker", { rank: slot.speaker });
  if (slot?.presentation) return t("slot.presentation");
  if (slot?.polling) return t("slot.polling", { seconds: slot.polling.interval_s });
  return t("slot.empty");
}

/** @param {{desk: import("./conference.js").Desk}} props */
export function SlotOverlay({ desk }) {
  const { model } = desk;
  const view = desk.view.value;
  const [open, setOpen] = useState(-1);
  const [over, setOver] = useState(-1);
  const setting = model.conference.value.views?.[view] ?? { layout: AUTO, slots: null };
  const layout = resolved(setting.layout, model.counts.value.connected);
  const people = model.ids.value.map((id) => model.person(id)).filter(Boolean);
  const places = slotsOf(layout);
  const slots = setting.slots?.length === places.length ? setting.slots : null;
  const put = (/** @type {number} */ index, /** @type {any} */ slot) => {
    const next = [...(slots ?? filledSlots(layout, people))];
    if (slot.participant) {
      // A room stands in one place of a view: where it stood, the one it displaces goes.
      const old = next.findIndex((other) => other?.participant === slot.participant);
      if (old >= 0) next[old] = next[index];
    }
    next[index] = slot;
    setOpen(-1);
    void desk.actions.layout(view, layout, next);
  };
  return html`<div class="slots">
    ${places.map((place, index) => html`<button type="button" key=${index} class=${over === index ? "slot over" : "slot"}
      style=${placeOf(place)} aria-label=${`${t("slot", { number: index + 1 })}: ${slots ? inWords(slots[index], model) : t("slot.auto")}`}
      onClick=${() => setOpen(index)}
      onDragOver=${(/** @type {DragEvent} */ e) => {
        if (!e.dataTransfer?.types.includes(DRAGGED)) return;
        e.preventDefault();
        setOver(index);
      }}
      onDragLeave=${() => setOver(-1)}
      onDrop=${(/** @type {DragEvent} */ e) => {
        e.preventDefault();
        setOver(-1);
        desk.dragging.value = false;
        const id = e.dataTransfer?.getData(DRAGGED);
        if (id) put(index, { participant: id });
      }}>
      <b>${index + 1}</b><span>${slots ? inWords(slots[index], model) : t("slot.auto")}</span>
    </button>`)}
    ${open >= 0 && html`<${Chooser} desk=${desk} number=${open + 1} people=${people} now=${slots?.[open]}
      onChoose=${(/** @type {any} */ slot) => put(open, slot)} onClose=${() => setOpen(-1)} />`}
  </div>`;
}

/** @param {{desk: any, number: number, people: any[], now: any, onChoose: (slot: any) => void, onClose: () => void}} props */
function Chooser({ desk, number, people, now, onChoose, onClose }) {
  const [search, setSearch] = useState("");
  const found = people
    .filter((person) => person.state !== "left" && fold(person.label).includes(fold(search)))
    .sort((a, b) => Number(b.state === "connected") - Number(a.state === "connected") || byName(a.label, b.label));
  const selected = desk.roster.selected.value;
  const chosen = people.find((person) => person.id === selected);
  return html`<${Dialog} title=${t("slot.choose", { number })} onClose=${onClose}>
    <div class="slot-kinds">
      ${chosen && html`<button type="button" class="primary" onClick=${() => onChoose({ participant: chosen.id })}>
        <${Icon} name="camera" />${t("slot.selected", { name: chosen.label })}</button>`}
      <label>${t("slot.follow")}
        <select onChange=${(/** @type {any} */ e) => e.target.value && onChoose({ speaker: Number(e.target.value) })}>
          <option value="">${t("slot.pick")}</option>
          ${Array.from({ length: MOST_SPEAKERS }, (_, n) => html`<option value=${n + 1} selected=${now?.speaker === n + 1}>${t("slot.speaker", { rank: n + 1 })}</option>`)}
        </select>
      </label>
      <button type="button" onClick=${() => onChoose({ presentation: true })}><${Icon} name="screen" />${t("slot.presentation")}</button>
      <button type="button" onClick=${() => onChoose({})}><${Icon} name="close" />${t("slot.empty")}</button>
    </div>
    <input type="search" autofocus placeholder=${t("roster.search")} aria-label=${t("roster.search")} value=${search}
      onInput=${(/** @type {any} */ e) => setSearch(e.target.value)}
      onKeyDown=${(/** @type {KeyboardEvent} */ e) => {
        if (e.key === "Enter" && found[0]) onChoose({ participant: found[0].id });
      }} />
    <ul class="pick-list">
      ${found.map((person) => html`<li key=${person.id}><button type="button" aria-pressed=${String(now?.participant === person.id)}
        onClick=${() => onChoose({ participant: person.id })}>${person.label}<small>${t(`state.${person.state}`)}</small></button></li>`)}
    </ul>
  <//>`;
}

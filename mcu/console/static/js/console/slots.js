// @ts-check
// Who stands where: the slots drawn over the picture, each a button and a place to drop a room.

import { html, useState } from "../shared/base.js";
import { Dialog, opensFirst } from "../shared/controls.js";
import { Icon } from "../shared/icons.js";
import { byName, fold, t } from "../shared/i18n.js";
import { AUTO, placeOf, resolved, slotsOf } from "../shared/layouts.js";
import { DRAGGED } from "./row.js";

const MOST_SPEAKERS = 8;

/** What the first slots show by themselves; other layouts are grids (mcu/conference/automatic.py). */
const LEADS = /** @type {Record<string, any[]>} */ ({
  "1x1": [{ speaker: 1 }],
  "1+5": [{ speaker: 1 }],
  "1+7": [{ speaker: 1 }],
  "1+12": [{ speaker: 1 }],
  "2+8": [{ speaker: 1 }, { speaker: 2 }],
  lecture: [{ speaker: 1 }],
  presenter: [{ presentation: true }, { speaker: 1 }],
});

/** @param {any} person */
const isHere = (person) => person.state === "connected" || person.state === "lost";

/** Who has a claim to a place in a view, in the order in which places are filled.
 * @param {any[]} people @param {string} view */
export const seated = (people, view) =>
  people
    .filter((person) => person.state !== "left" && !(view === "chair" && person.role === "chair"))
    .sort(
      (a, b) =>
        Number(isHere(b)) - Number(isHere(a)) ||
        Number(b.role === "chair") - Number(a.role === "chair") ||
        b.importance - a.importance ||
        Date.parse(a.joined_at ?? "9999-01-01") - Date.parse(b.joined_at ?? "9999-01-01"),
    );

/**
 * What stands in the slots of an automatic view: what one set by hand leaves in the others.
 * @param {string} layout @param {any[]} people as `seated` gives them
 * @param {boolean} [chosen] by an operator; the grids of `auto` show rooms only
 */
export function filledSlots(layout, people, chosen = true) {
  const places = [
    ...((chosen && LEADS[layout]) || []),
    ...people.map((person) => ({ participant: person.id })),
  ];
  return slotsOf(layout).map((_, index) => places[index] ?? {});
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
  const people = model.ids.value.map((id) => model.person(id)).filter(Boolean);
  const inOrder = seated(people, view);
  const layout = resolved(setting.layout, inOrder.filter(isHere).length);
  const places = slotsOf(layout);
  const slots = setting.slots?.length === places.length ? setting.slots : null;
  const shown = slots ?? filledSlots(layout, inOrder, setting.layout !== AUTO);
  const put = (/** @type {number} */ index, /** @type {any} */ slot) => {
    const next = [...shown];
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
    ${places.map(
      (place, index) =>
        html`<button
          type="button"
          key=${index}
          class=${over === index ? "slot over" : "slot"}
          style=${placeOf(place)}
          aria-label=${`${t("slot", { number: index + 1 })}: ${inWords(shown[index], model)}`}
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
          }}
        >
          <b>${index + 1}</b><span>${inWords(shown[index], model)}</span>
        </button>`,
    )}
    ${
      open >= 0 &&
      html`<${Chooser}
        desk=${desk}
        number=${open + 1}
        people=${people}
        now=${slots?.[open]}
        onChoose=${(/** @type {any} */ slot) => put(open, slot)}
        onClose=${() => setOpen(-1)}
      />`
    }
  </div>`;
}

/** @param {{desk: any, number: number, people: any[], now: any, onChoose: (slot: any) => void, onClose: () => void}} props */
function Chooser({ desk, number, people, now, onChoose, onClose }) {
  const [search, setSearch] = useState("");
  const found = people
    .filter((person) => person.state !== "left" && fold(person.label).includes(fold(search)))
    .sort(
      (a, b) =>
        Number(b.state === "connected") - Number(a.state === "connected") ||
        byName(a.label, b.label),
    );
  const selected = desk.roster.selected.value;
  const chosen = people.find((person) => person.id === selected);
  return html`<${Dialog} title=${t("slot.choose", { number })} onClose=${onClose}>
    <div class="slot-kinds">
      ${
        chosen &&
        html`<button
          type="button"
          class="primary"
          onClick=${() => onChoose({ participant: chosen.id })}
        >
          <${Icon} name="camera" />${t("slot.selected", { name: chosen.label })}
        </button>`
      }
      <label
        >${t("slot.follow")}
        <select
          onKeyDown=${opensFirst}
          onChange=${(/** @type {any} */ e) => e.target.value && onChoose({ speaker: Number(e.target.value) })}
        >
          <option value="">${t("slot.pick")}</option>
          ${Array.from({ length: MOST_SPEAKERS }, (_, n) => html`<option value=${n + 1} selected=${now?.speaker === n + 1}>${t("slot.speaker", { rank: n + 1 })}</option>`)}
        </select>
      </label>
      <button type="button" onClick=${() => onChoose({ presentation: true })}>
        <${Icon} name="screen" />${t("slot.presentation")}
      </button>
      <button type="button" onClick=${() => onChoose({})}>
        <${Icon} name="close" />${t("slot.empty")}
      </button>
    </div>
    <input
      type="search"
      autofocus
      placeholder=${t("roster.search")}
      aria-label=${t("roster.search")}
      value=${search}
      onInput=${(/** @type {any} */ e) => setSearch(e.target.value)}
      onKeyDown=${(/** @type {KeyboardEvent} */ e) => {
        if (e.key === "Enter" && found[0]) onChoose({ participant: found[0].id });
      }}
    />
    <ul class="pick-list">
      ${found.map(
        (person) =>
          html`<li key=${person.id}>
            <button
              type="button"
              aria-pressed=${String(now?.participant === person.id)}
              onClick=${() => onChoose({ participant: person.id })}
            >
              ${person.label}<small>${t(`state.${person.state}`)}</small>
            </button>
          </li>`,
      )}
    </ul>
  <//>`;
}

// @ts-check
// The roster: 145 rooms to be kept in sight. Trouble stands first; nothing moves under the pointer.

import { classes, computed, html, signal, useEffect, useRef, useState } from "../shared/base.js";
import { busy } from "./actions.js";
import { AddRooms } from "./add.js";
import { Icon } from "../shared/icons.js";
import { byName, fold, t } from "../shared/i18n.js";
import { belongsTo } from "./registry.js";
import { isPoor, troubleFirst } from "./roster-order.js";
import { Cell, Row } from "./row.js";

/** Filters beside the search, with what they let through. */
const FILTERS = [
  { id: "all", test: () => true },
  { id: "connected", test: (/** @type {any} */ p) => p.state === "connected" },
  { id: "lost", test: (/** @type {any} */ p) => p.state === "lost" },
  { id: "poor", test: isPoor },
  {
    id: "expected",
    test: (/** @type {any} */ p) => p.state === "expected" || p.state === "calling",
  },
  { id: "left", test: (/** @type {any} */ p) => p.state === "left" },
];

const KEYBOARD_HOLD_MS = 4000;

/** @param {any} a @param {any} b */
const alphabetical = (a, b) => byName(a.label, b.label);

export class RosterState {
  /** @param {import("./model.js").ConferenceModel} model @param {import("./alarms.js").AlarmState} alarms */
  constructor(model, alarms) {
    this.model = model;
    this.alarms = alarms;
    this.search = signal("");
    this.filter = signal("all");
    this.sort = signal("trouble");
    this.overview = signal(false);
    /** @type {import("../../vendor/signals.js").Signal<string | null>} */
    this.selected = signal(null);
    this.pointed = signal(false);
    this.typed = signal(false);
    this.typedTimer = 0;
    /** @type {string[]} */
    this.last = [];
    this.wanted = computed(() => this.#wanted());
    this.shown = computed(() => this.#shown());
    this.moved = computed(() =>
      this.shown.value.some((id, index) => this.wanted.value[index] !== id),
    );
  }

  #wanted() {
    const needle = fold(this.search.value.trim());
    const { test } = FILTERS.find(({ id }) => id === this.filter.value) ?? FILTERS[0];
    const people = [];
    for (const id of this.model.ids.value) {
      const person = this.model.people.get(id)?.value;
      if (!person || !test(person)) continue;
      if (
        needle &&
        !fold(`${person.label} ${person.name} ${belongsTo(person.unit, "")} ${person.id}`).includes(
          needle,
        )
      )
        continue;
      people.push(person);
    }
    const sorted =
      this.sort.value === "trouble"
        ? troubleFirst(people, this.alarms.byRoom.value)
        : people.sort(alphabetical);
    return sorted.map((person) => person.id);
  }

  /** The wanted order, held while somebody points at a row or walks through them by keyboard. */
  #shown() {
    const wanted = this.wanted.value;
    let shown = wanted;
    if (this.pointed.value || this.typed.value) {
      const all = new Set(wanted);
      const kept = this.last.filter((id) => all.has(id));
      const known = new Set(kept);
      shown = [...kept, ...wanted.filter((id) => !known.has(id))];
    }
    const same = shown.length === this.last.length && shown.every((id, i) => id === this.last[i]);
    if (!same) this.last = shown;
    return this.last;
  }

  /** @param {number} by */
  step(by) {
    const ids = this.shown.peek();
    if (!ids.length) return;
    const at = ids.indexOf(this.selected.peek() ?? "");
    const next =
      at < 0 ? (by > 0 ? 0 : ids.length - 1) : Math.min(ids.length - 1, Math.max(0, at + by));
    this.hold();
    this.choose(ids[next]);
  }

  /** @param {string} id */
  choose(id) {
    this.selected.value = id;
    const row = document.getElementById(`row-${id}`);
    row?.focus({ preventScroll: true });
    row?.scrollIntoView({ block: "nearest" });
  }

  hold() {
    this.typed.value = true;
    clearTimeout(this.typedTimer);
    this.typedTimer = setTimeout(() => (this.typed.value = false), KEYBOARD_HOLD_MS);
  }

  release() {
    clearTimeout(this.typedTimer);
    this.typed.value = false;
    this.pointed.value = false;
  }

  clear() {
    if (this.search.peek() || this.filter.peek() !== "all") {
      this.search.value = "";
      this.filter.value = "all";
    } else this.selected.value = null;
  }

  toggleOverview() {
    this.overview.value = !this.overview.value;
  }
}

/** @param {{desk: import("./conference.js").Desk}} props */
export function Roster({ desk }) {
  return html`<section class="roster" aria-label=${t("roster")}>
    <${Tools} desk=${desk} />
    <${Rows} desk=${desk} />
  </section>`;
}

/** @param {{desk: import("./conference.js").Desk}} props */
function Tools({ desk }) {
  const { roster, model } = desk;
  const [adding, setAdding] = useState(false);
  const counts = model.counts.value;
  const total = model.ids.value.length;
  const countOf = (/** @type {string} */ id) =>
    id === "all"
      ? total
      : id === "expected"
        ? counts.expected + counts.calling
        : counts[/** @type {"lost"} */ (id)];
  const running = model.conference.value.state === "running";
  return html`<div class="roster-tools">
      ${model.conference.value.recordings?.length > 0 && html`<span class="recorded-sign"><span class="rec-dot"></span>${t("rec.on")}</span>`}
      <label class="search"
        ><${Icon} name="search" />
        <input
          id="roster-search"
          type="search"
          value=${roster.search.value}
          placeholder=${t("roster.search")}
          aria-label=${t("roster.search")}
          autocomplete="off"
          spellcheck="false"
          onInput=${(/** @type {any} */ e) => (roster.search.value = e.target.value)}
          onKeyDown=${(/** @type {KeyboardEvent} */ e) => {
            if (e.key !== "ArrowDown" && e.key !== "Enter") return;
            e.preventDefault();
            if (roster.shown.peek().length) roster.choose(roster.shown.peek()[0]);
          }}
        />
      </label>
      <label class="sort"
        ><span class="unseen">${t("roster.sort")}</span>
        <select
          value=${roster.sort.value}
          onChange=${(/** @type {any} */ e) => (roster.sort.value = e.target.value)}
        >
          <option value="trouble">${t("sort.trouble")}</option>
          <option value="name">${t("sort.name")}</option>
        </select>
      </label>
      <button
        type="button"
        class="icon-button"
        aria-pressed=${String(roster.overview.value)}
        title=${`${t("roster.overview")} (G)`}
        aria-label=${t("roster.overview")}
        onClick=${() => roster.toggleOverview()}
      >
        <${Icon} name="grid" />
      </button>
      ${
        desk.controls &&
        running &&
        html`<button
          type="button"
          class="icon-button"
          title=${t("add")}
          aria-label=${t("add")}
          onClick=${() => setAdding(true)}
        >
          <${Icon} name="plus" />
        </button>`
      }
      ${adding && html`<${AddRooms} desk=${desk} onClose=${() => setAdding(false)} />`}
      ${
        desk.controls &&
        running &&
        html`<span class="spacer"></span>
          <button
            type="button"
            disabled=${busy.value.has("mute-all")}
            title=${`${t("mute-all.explain")} (Shift+M)`}
            onClick=${() => desk.actions.muteAll()}
          >
            <${Icon} name="mic-off" />${t("mute-all")}
          </button>
          <button
            type="button"
            disabled=${busy.value.has("unmute-all")}
            title=${`${t("unmute-all.explain")} (Shift+U)`}
            onClick=${() => desk.actions.unmuteAll()}
          >
            <${Icon} name="mic" />${t("unmute-all")}
          </button>
          <button
            type="button"
            aria-haspopup="dialog"
            title=${`${t("mute-unit.title")} (U)`}
            onClick=${() => (desk.mutingUnit.value = true)}
          >
            ${t("mute-unit")}
          </button>`
      }
    </div>
    <div class="filters" role="group" aria-label=${t("roster.filter")}>
      ${FILTERS.map(
        ({ id }) =>
          html`<button
            type="button"
            key=${id}
            class=${classes("filter", countOf(id) > 0 && id)}
            data-filter=${id}
            aria-pressed=${String(roster.filter.value === id)}
            onClick=${() => (roster.filter.value = id)}
          >
            <span>${t(`filter.${id}`)}</span> <b>${countOf(id)}</b>
          </button>`,
      )}
      <span class="spacer"></span>
      ${roster.moved.value && html`<span class="held"><${Icon} name="clock" />${t("roster.held")}</span>`}
      <a
        class="button small"
        href=${`/api/v1/conferences/${encodeURIComponent(model.id)}/participants.csv`}
        download
        title=${t("roster.csv")}
        aria-label=${t("roster.csv")}
        >CSV</a
      >
    </div>`;
}

/** @param {{desk: import("./conference.js").Desk}} props */
function Rows({ desk }) {
  const { roster } = desk;
  const box = useRef(/** @type {HTMLElement | null} */ (null));
  const ids = roster.shown.value;
  const overview = roster.overview.value;
  useEffect(() => () => roster.release(), [roster]);
  const tabStop = ids.includes(roster.selected.value ?? "") ? roster.selected.value : ids[0];
  return html`<div class="rows-frame">
    ${
      !overview &&
      html`<div class="row head" aria-hidden="true">
        <span></span><span>${t("column.room")}</span><span>${t("column.line")}</span
        ><span>${t("column.level")}</span><span></span>
      </div>`
    }
    <div
      ref=${box}
      class=${overview ? "rows overview" : "rows"}
      role="grid"
      tabindex="-1"
      aria-label=${t("roster")}
      aria-rowcount=${ids.length}
      onPointerEnter=${() => (roster.pointed.value = true)}
      onPointerLeave=${() => (roster.pointed.value = false)}
      onKeyDown=${(/** @type {KeyboardEvent} */ event) => alongButtons(event, roster)}
    >
      ${ids.map((id) => html`<${overview ? Cell : Row} key=${id} id=${id} desk=${desk} stop=${id === tabStop} />`)}
      ${
        !ids.length &&
        html`<p class="quiet none">
          ${t("roster.none")}
          <button type="button" class="small" onClick=${() => roster.clear()}>
            ${t("roster.show-all")}
          </button>
        </p>`
      }
    </div>
  </div>`;
}

/** Left and right walk along the buttons of a row; Home and End go to the first and last row.
 * @param {KeyboardEvent} event @param {RosterState} roster */
function alongButtons(event, roster) {
  const target = /** @type {HTMLElement} */ (event.target);
  if (event.key === "Home" || event.key === "End") {
    event.preventDefault();
    const ids = roster.shown.peek();
    const id = event.key === "Home" ? ids[0] : ids[ids.length - 1];
    if (id) roster.choose(id);
    return;
  }
  if (event.key !== "ArrowLeft" && event.key !== "ArrowRight") return;
  const row = target.closest("[role=row]");
  if (!row) return;
  event.preventDefault();
  const stops = [row, ...row.querySelectorAll("button:not(:disabled)")];
  const at = stops.indexOf(target) + (event.key === "ArrowRight" ? 1 : -1);
  /** @type {HTMLElement | undefined} */ (
    stops[Math.max(0, Math.min(stops.length - 1, at))]
  )?.focus();
}

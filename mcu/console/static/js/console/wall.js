// @ts-check
// The wall: every room as a live tile, trouble first. Nothing moves while somebody points at a
// tile or walks through them by keyboard.

import {
  classes,
  computed,
  html,
  signal,
  useEffect,
  useLayoutEffect,
  useMemo,
  useRef,
  useState,
} from "../shared/base.js";
import { Dialog, Toasts } from "../shared/controls.js";
import { Icon } from "../shared/icons.js";
import { fold, t } from "../shared/i18n.js";
import { busy } from "./actions.js";
import { useAlarms } from "./alarms.js";
import { useKeys } from "./keys.js";
import { belongsTo } from "./registry.js";
import { lineInWords, shortName, STATE_ICONS, stateInWords } from "./row.js";
import { Thumbnails } from "./thumbnails.js";
import { fitted, GAP, ordered, stepped, troublesOf } from "./wall-order.js";

const HOLD_MS = 4000;

/** A sign for each trouble; none is told by its colour alone.
 * @type {Record<string, string>} */
const SIGNS = {
  lost: "lost",
  alarm: "warning",
  gone: "gone",
  "call-failed": "phone",
  calling: "phone",
  stale: "clock",
  "poor-line": "warning",
  missing: "clock",
  "fair-line": "warning",
};

class WallState {
  /** @param {import("./conference.js").Desk} desk */
  constructor(desk) {
    this.desk = desk;
    this.thumbnails = new Thumbnails(desk.model.id);
    this.search = signal("");
    this.large = signal(false);
    this.page = signal(0);
    this.held = signal(false);
    this.place = signal({ width: 0, height: 0 });
    this.timer = 0;
    /** @type {string[]} */
    this.last = [];
    /** Kinds of the alarms that last, by participant, the worst first. */
    this.alarms = computed(
      () =>
        new Map(
          [...desk.alarms.byRoom.value].map(([id, alarms]) => [id, alarms.map(({ kind }) => kind)]),
        ),
    );
    this.wanted = computed(() => this.#wanted());
    this.shown = computed(() => this.#shown());
    this.fit = computed(() => {
      const { width, height } = this.place.value;
      return fitted(width, height, this.shown.value.length, this.large.value);
    });
    this.pages = computed(() => {
      const { columns, rows } = this.fit.value;
      return Math.max(1, Math.ceil(this.shown.value.length / (columns * rows)));
    });
    this.ids = computed(() => {
      if (!this.place.value.width) return []; // how many there is room for is not known yet
      const { columns, rows } = this.fit.value;
      const page = Math.min(this.page.value, this.pages.value - 1);
      return this.shown.value.slice(page * columns * rows, (page + 1) * columns * rows);
    });
  }

  #wanted() {
    const needle = fold(this.search.value.trim());
    const people = [];
    for (const id of this.desk.model.ids.value) {
      const person = this.desk.model.people.get(id)?.value;
      if (!person) continue;
      const words = `${person.label} ${person.name} ${belongsTo(person.unit, "")} ${person.id}`;
      if (!needle || fold(words).includes(needle)) people.push(person);
    }
    return ordered(people, this.thumbnails.stale.value, this.alarms.value);
  }

  /** The wanted order, held while somebody is at it. */
  #shown() {
    const wanted = this.wanted.value;
    let shown = wanted;
    if (this.held.value) {
      const all = new Set(wanted);
      const kept = this.last.filter((id) => all.has(id));
      const known = new Set(kept);
      shown = [...kept, ...wanted.filter((id) => !known.has(id))];
    }
    const same = shown.length === this.last.length && shown.every((id, i) => id === this.last[i]);
    if (!same) this.last = shown;
    return this.last;
  }

  hold() {
    this.held.value = true;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => (this.held.value = false), HOLD_MS);
  }

  /** @param {number} by */
  turn(by) {
    const page = Math.min(this.page.peek(), this.pages.peek() - 1) + by;
    this.page.value = Math.min(this.pages.peek() - 1, Math.max(0, page));
  }

  close() {
    clearTimeout(this.timer);
    this.thumbnails.close();
  }
}

/** @param {{desk: import("./conference.js").Desk}} props */
export function Wall({ desk }) {
  const wall = useMemo(() => new WallState(desk), [desk]);
  const [acting, setActing] = useState(/** @type {string | null} */ (null));
  useEffect(() => () => wall.close(), [wall]);
  useAlarms(desk.alarms);
  useKeys({ PageDown: () => wall.turn(1), PageUp: () => wall.turn(-1) });
  const ids = wall.ids.value;
  const all = wall.pages.value === 1 && !wall.search.value;
  useEffect(() => wall.thumbnails.look(all ? null : [...ids].sort()), [wall, all, ids]);
  return html`<main class="wall" aria-label=${t("wall")}>
    <${Tools} wall=${wall} />
    <${Tiles} wall=${wall} onAct=${setActing} />
    ${acting && html`<${Acts} wall=${wall} id=${acting} onClose=${() => setActing(null)} />`}
  </main>`;
}

/** @param {{wall: WallState}} props */
function Tools({ wall }) {
  const { desk } = wall;
  const shown = wall.shown.value.length;
  const troubled = wall.shown.value.filter((id) => {
    const person = desk.model.people.get(id)?.value;
    return person && troublesOf(person, wall.thumbnails.stale.value.has(id), wall.alarms.value.get(id)).length > 0;
  }).length;
  const { columns, rows } = wall.fit.value;
  const page = Math.min(wall.page.value, wall.pages.value - 1);
  const from = page * columns * rows;
  const state = wall.thumbnails.state.value;
  return html`<div class="wall-tools">
    <button type="button" onClick=${() => desk.toggleWall()} title="H">
      <${Icon} name="back" />${t("wall.close")}
    </button>
    <label class="search"
      ><${Icon} name="search" />
      <input
        id="wall-search"
        type="search"
        value=${wall.search.value}
        placeholder=${t("wall.search")}
        aria-label=${t("wall.search")}
        autocomplete="off"
        spellcheck="false"
        onInput=${(/** @type {any} */ e) => {
          wall.search.value = e.target.value;
          wall.page.value = 0;
        }}
        onKeyDown=${(/** @type {KeyboardEvent} */ e) => {
          if (e.key !== "ArrowDown" && e.key !== "Enter") return;
          e.preventDefault();
          e.stopPropagation();
          document.getElementById(`tile-${wall.ids.peek()[0]}`)?.focus();
        }}
      />
    </label>
    <span class=${classes("wall-count", troubled > 0 && "troubled")} role="status"
      >${troubled > 0 && html`<${Icon} name="warning" />`}${t("wall.troubled", { count: troubled, total: shown })}</span
    >
    <${Toasts} />
    ${
      state !== "live" &&
      html`<span class="wall-link" role="status"
        ><${Icon} name=${state === "connecting" ? "clock" : "lost"} />${t(`wall.link.${state}`)}</span
      >`
    }
    <a
      class="button"
      href=${`/api/v1/conferences/${encodeURIComponent(desk.model.id)}/wall.csv`}
      download
      >CSV</a
    >
    <button
      type="button"
      aria-pressed=${String(wall.large.value)}
      onClick=${() => {
        wall.large.value = !wall.large.value;
        wall.page.value = 0;
      }}
    >
      <${Icon} name="full" />${t("wall.large")}
    </button>
    ${
      wall.pages.value > 1 &&
      html`<span class="wall-pages">
        <button
          type="button"
          class="icon-button"
          aria-label=${t("wall.previous")}
          title=${`${t("wall.previous")} (Page Up)`}
          disabled=${page === 0}
          onClick=${() => wall.turn(-1)}
        >
          ‹
        </button>
        <span aria-live="polite"
          >${t("wall.page", { from: from + 1, to: Math.min(shown, from + columns * rows), total: shown })}</span
        >
        <button
          type="button"
          class="icon-button"
          aria-label=${t("wall.next")}
          title=${`${t("wall.next")} (Page Down)`}
          disabled=${page === wall.pages.value - 1}
          onClick=${() => wall.turn(1)}
        >
          ›
        </button>
      </span>`
    }
  </div>`;
}

/** @param {{wall: WallState, onAct: (id: string) => void}} props */
function Tiles({ wall, onAct }) {
  const box = useRef(/** @type {HTMLElement | null} */ (null));
  useLayoutEffect(() => {
    const element = box.current;
    if (!element) return undefined;
    const measure = () => {
      const { clientWidth: width, clientHeight: height } = element;
      const before = wall.place.peek();
      if (before.width !== width || before.height !== height) wall.place.value = { width, height };
    };
    measure();
    const observer = new ResizeObserver(measure);
    observer.observe(element);
    return () => observer.disconnect();
  }, [wall]);
  const ids = wall.ids.value;
  const { columns, tile } = wall.fit.value;
  const chosen = wall.desk.roster.selected.value;
  const stop = chosen && ids.includes(chosen) ? chosen : ids[0];
  const walk = (/** @type {KeyboardEvent} */ event) => {
    const at = ids.indexOf(/** @type {HTMLElement} */ (event.target).dataset.id ?? "");
    if (at < 0) return;
    if (event.key === "Enter") onAct(ids[at]);
    else if (event.key === "PageDown") wall.turn(1);
    else if (event.key === "PageUp") wall.turn(-1);
    else if (/^(Arrow|Home$|End$)/.test(event.key)) {
      wall.hold();
      document.getElementById(`tile-${ids[stepped(event.key, at, columns, ids.length)]}`)?.focus();
    } else return;
    event.preventDefault();
    event.stopPropagation(); // the same keys walk through the roster elsewhere
  };
  return html`<div class="wall-frame" ref=${box}>
    <div
      class=${classes("wall-grid", tile < 140 && "small")}
      role="listbox"
      aria-label=${t("wall")}
      style=${{ gridTemplateColumns: `repeat(${columns}, minmax(0, 1fr))`, gap: `${GAP}px` }}
      onKeyDown=${walk}
      onPointerMove=${() => wall.hold()}
    >
      ${ids.map((id) => html`<${Tile} key=${id} id=${id} wall=${wall} stop=${id === stop} onAct=${onAct} />`)}
    </div>
    ${!ids.length && html`<p class="quiet none">${t("roster.none")}</p>`}
  </div>`;
}

/** @param {{id: string, wall: WallState, stop: boolean, onAct: (id: string) => void}} props */
function Tile({ id, wall, stop, onAct }) {
  const { desk, thumbnails } = wall;
  const box = useRef(/** @type {HTMLElement | null} */ (null));
  const picture = useRef(/** @type {HTMLImageElement | null} */ (null));
  useLayoutEffect(
    () => (box.current ? desk.model.meters.attach(id, box.current) : undefined),
    [desk, id],
  );
  useLayoutEffect(
    () => (picture.current ? thumbnails.attach(id, picture.current) : undefined),
    [thumbnails, id],
  );
  const person = desk.model.people.get(id)?.value;
  if (!person) return null;
  const conference = desk.model.conference.value;
  const alarms = wall.alarms.value.get(id) ?? [];
  const [worst] = troublesOf(person, thumbnails.stale.value.has(id), alarms);
  const alarm = alarms.find((kind) => kind !== "lost");
  const trouble = worst === "alarm" ? t(`alarm.${alarm}`) : worst && t(`wall.trouble.${worst}`);
  const onAir = conference.broadcast === id;
  const speaks = conference.floor.holder?.participant === id;
  const words = [
    person.label,
    stateInWords(person),
    trouble,
    person.quality.grade !== "none" && lineInWords(person.quality),
    person.audio_muted && t("muted"),
    person.video_muted && t("video-muted"),
    onAir && t("broadcast.on"),
    speaks && t("floor.has"),
  ]
    .filter(Boolean)
    .join(", ");
  return html`<div
    ref=${box}
    id=${`tile-${id}`}
    data-id=${id}
    role="option"
    tabindex=${stop ? 0 : -1}
    aria-selected=${String(desk.roster.selected.value === id)}
    aria-label=${words}
    title=${words}
    class=${classes("wall-tile", person.state, worst && `trouble-${worst}`, onAir && "on-air")}
    onFocus=${() => (desk.roster.selected.value = id)}
    onClick=${() => (desk.roster.selected.value = id)}
    onDblClick=${() => onAct(id)}
  >
    <div class="shot">
      <img ref=${picture} alt="" hidden draggable="false" />
      ${
        worst &&
        html`<span class="sign"><${Icon} name=${SIGNS[worst]} />${trouble}</span>`
      }
      ${onAir && html`<span class="air"><${Icon} name="broadcast" /></span>`}
      ${speaks && !onAir && html`<span class="air floor"><${Icon} name="hand" /></span>`}
    </div>
    <div class="caption">
      <${Icon} name=${person.role === "chair" ? "star" : STATE_ICONS[person.state]} />
      <b>${shortName(person.label)}</b>
      ${person.video_muted && html`<${Icon} name="camera-off" />`}
      <${Icon} name=${person.audio_muted ? "mic-off" : "mic"} />
    </div>
    <span class="meter" aria-hidden="true"><span class="level"></span></span>
  </div>`;
}

/** What can be done with a room. @param {{wall: WallState, id: string, onClose: () => void}} props */
function Acts({ wall, id, onClose }) {
  const { desk } = wall;
  const person = desk.model.people.get(id)?.value;
  useEffect(() => {
    if (!person) onClose();
  }, [person]);
  if (!person) return null;
  const conference = desk.model.conference.value;
  const running = conference.state === "running";
  const onAir = conference.broadcast === id;
  const viewed = conference.chair_view === id;
  const act = (/** @type {any} */ { icon, label, key, work, off = false, first = false }) =>
    html`<button
      type="button"
      autofocus=${first}
      disabled=${off || !running || busy.value.has(key)}
      onClick=${async () => {
        if (await work()) onClose();
      }}
    >
      <${Icon} name=${icon} />${label}
    </button>`;
  return html`<${Dialog} title=${person.label} onClose=${onClose}>
    <p class="quiet">
      ${[stateInWords(person), person.quality.grade !== "none" && lineInWords(person.quality)].filter(Boolean).join(" · ")}
    </p>
    <div class="wall-acts" onKeyDown=${walkButtons}>
      ${act({
        icon: "broadcast",
        label: t(onAir ? "broadcast.stop" : "broadcast"),
        key: "broadcast",
        off: !desk.controls,
        first: true,
        work: () => desk.actions.toggleBroadcast(id),
      })}
      ${act({
        icon: "eye",
        label: t(viewed ? "chair-view.stop" : "chair-view"),
        key: "chair-view",
        off: !desk.controls,
        work: () => desk.actions.toggleChairView(id),
      })}
      ${act({
        icon: person.audio_muted ? "mic" : "mic-off",
        label: t(person.audio_muted ? "unmute" : "mute"),
        key: `audio_muted:${id}`,
        off: !desk.mutes,
        work: () => desk.actions.toggleAudio(person),
      })}
      ${act({
        icon: "phone",
        label: t("wall.redial"),
        key: `call:${person.bridge}`,
        off: !desk.controls || person.state === "connected" || !person.bridge,
        work: () => desk.actions.call({ bridge: person.bridge }),
      })}
      <button
        type="button"
        onClick=${() => {
          desk.wall.value = false;
          desk.openRoom(id);
        }}
      >
        <${Icon} name="camera" />${t("room.open")}
      </button>
    </div>
  <//>`;
}

/** Arrows lead from one button to the next. @param {KeyboardEvent} event */
function walkButtons(event) {
  const by = { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1 }[
    /** @type {"ArrowUp"} */ (event.key)
  ];
  if (!by) return;
  const box = /** @type {HTMLElement} */ (event.currentTarget);
  const buttons = [...box.querySelectorAll("button:enabled")];
  const at = buttons.indexOf(/** @type {HTMLButtonElement} */ (document.activeElement));
  const next = /** @type {HTMLElement | undefined} */ (
    buttons[(at + by + buttons.length) % buttons.length]
  );
  next?.focus();
  event.preventDefault();
  event.stopPropagation();
}

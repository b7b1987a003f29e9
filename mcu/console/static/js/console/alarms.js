// @ts-check
// What troubles rooms, the worst first: with since when, whom to call, and one key for what helps.

import { classes, computed, html, signal, useEffect, useRef } from "../shared/base.js";
import { get, send } from "../shared/api.js";
import { announcement, Problem, show } from "../shared/controls.js";
import { focusFirst } from "../shared/focus.js";
import { Icon } from "../shared/icons.js";
import { clock, hasText, number, t } from "../shared/i18n.js";
import { busy } from "./actions.js";

/** Many rooms may be in trouble at once: they are read once for a burst of events. */
const READ_AFTER_MS = 250;
const KINDS = new Set([
  "lost", "black", "frozen", "silent", "clipping", "echo", "howl", "loss", "drift",
]);
const UNITS = /** @type {Record<string, string>} */ ({
  delay_ms: "ms",
  level_db: "dB",
  loss_percent: "%",
  silent_s: "s",
  still_s: "s",
  frequency_hz: "Hz",
  clock_ppm: "ppm",
});

/**
 * An incident's title in the reader's words: where it was made of an alarm it begins with the kind.
 * @param {string} title
 */
export function titleInWords(title) {
  const [, kind, rest] = /^([a-z]+): (.*)$/s.exec(title) ?? [];
  return KINDS.has(kind) ? `${t(`alarm.${kind}`)}: ${rest}` : title;
}

/** The alarms of one conference, kept up by events. */
export class AlarmState {
  /** @param {import("./model.js").ConferenceModel} model */
  constructor(model) {
    this.model = model;
    /** @type {import("../../vendor/signals.js").Signal<any[]>} */
    this.items = signal([]);
    /** Those of each room, the worst first. */
    this.byRoom = computed(() => {
      const found = /** @type {Map<string, any[]>} */ (new Map());
      for (const alarm of this.items.value)
        found.set(alarm.participant, [...(found.get(alarm.participant) ?? []), alarm]);
      return found;
    });
    this.error = signal(/** @type {any} */ (null));
    /** Number of the alarm that keys act on. */
    this.chosen = signal(/** @type {number | null} */ (null));
    this.path = `conferences/${encodeURIComponent(model.id)}/alarms`;
  }

  async read() {
    try {
      const { items } = await get(this.path);
      const known = new Set(this.items.peek().map((alarm) => alarm.number));
      const worst = items.find(
        (/** @type {any} */ one) => one.severity === "critical" && !known.has(one.number),
      );
      if (worst) announcement.value = `${t(`alarm.${worst.kind}`)}: ${worst.label}`;
      this.items.value = items;
      this.error.value = null;
      if (!items.some((/** @type {any} */ one) => one.number === this.chosen.peek()))
        this.chosen.value = items[0]?.number ?? null;
    } catch (problem) {
      this.error.value = problem;
    }
  }

  /**
   * What keys act on: the alarm that was chosen in the list, or else the worst of the chosen room.
   * @param {string | null} room
   */
  atHand(room) {
    const chosen = this.items.peek().find((alarm) => alarm.number === this.chosen.peek());
    return chosen?.participant === room ? chosen : this.byRoom.peek().get(room ?? "")?.[0];
  }

  /** @param {number} by */
  step(by) {
    const numbers = this.items.peek().map((alarm) => alarm.number);
    const at = numbers.indexOf(this.chosen.peek() ?? -1);
    this.chosen.value = numbers[Math.min(Math.max(at + by, 0), numbers.length - 1)] ?? null;
  }

  /** @param {any} alarm @param {import("./conference.js").Desk} desk */
  acknowledge(alarm, desk) {
    if (alarm.acknowledged_by) return Promise.resolve(true);
    return desk.actions.run(`alarm:${alarm.number}`, () =>
      send("POST", `${this.path}/${alarm.number}/acknowledge`),
    );
  }

  /** Its incident: the one that it has, else a new one.
   * @param {any} alarm @param {import("./conference.js").Desk} desk */
  follow(alarm, desk) {
    if (alarm.incident) location.hash = incidentAddress(alarm);
    else if (desk.controls) void this.open(alarm, desk);
  }

  /** @param {any} alarm @param {import("./conference.js").Desk} desk */
  open(alarm, desk) {
    return desk.actions.run(`incident:${alarm.number}`, async () => {
      // The server gives it a title that every reader sees in words of their own language.
      const made = await send("POST", "incidents", { conference: this.model.id, alarm: alarm.number });
      show({ tone: "good", text: t("incident.opened", { title: titleInWords(made.title) }) });
    });
  }
}

/** Read again whenever an event says that something has changed. @param {AlarmState} state */
export function useAlarms(state) {
  const changes = state.model.alarmChanges.value;
  useEffect(() => {
    const timer = setTimeout(() => void state.read(), changes ? READ_AFTER_MS : 0);
    return () => clearTimeout(timer);
  }, [state, changes]);
}

/** @param {{desk: import("./conference.js").Desk}} props */
export function AlarmsPanel({ desk }) {
  const state = desk.alarms;
  const items = state.items.value;
  const running = desk.model.conference.value.state === "running";
  const list = useRef(/** @type {HTMLElement | null} */ (null));
  const chosen = state.chosen.value;
  useEffect(() => {
    const active = document.activeElement;
    const row = /** @type {HTMLElement | null | undefined} */ (
      list.current?.querySelector(`[data-alarm="${chosen}"]`)
    );
    // Nobody is led there who is in it already, at its buttons, or waits at the list itself.
    if (active === list.current || !list.current?.contains(active)) return;
    if (!row?.closest("li")?.contains(active)) row?.focus();
  }, [chosen]);
  const walk = (/** @type {KeyboardEvent} */ event) => {
    if (event.ctrlKey || event.altKey || event.metaKey || event.shiftKey) return;
    if (event.key !== "ArrowDown" && event.key !== "ArrowUp") return;
    event.preventDefault();
    event.stopPropagation(); // the same keys walk through the roster elsewhere
    // Where what was dealt with has gone, the list has the focus: it goes to what is chosen now.
    if (event.target === event.currentTarget) focusFirst(".alarm-what[tabindex='0']");
    else state.step(event.key === "ArrowDown" ? 1 : -1);
  };
  /** Who goes to an alarm has chosen its room: keys mean there what they mean everywhere. @param {any} alarm */
  const choose = (alarm) => {
    state.chosen.value = alarm.number;
    desk.roster.selected.value = alarm.participant;
  };
  return html`<div class="alarms">
    <${Problem} error=${state.error.value} />
    <p class="alarms-head">
      <span class="quiet">
        ${items.length ? t("alarms.count", { count: items.length }) : t("alarms.none")}
      </span>
      <a class="button small" href="#/incidents"><${Icon} name="list" />${t("incidents.title")}</a>
      <a class="button small" href=${`/api/v1/${state.path}.csv?state=all`} download>CSV</a>
    </p>
    <ul class="alarm-rows" ref=${list} onKeyDown=${walk} aria-label=${t("panel.alarms")}>
      ${items.map(
        (alarm) =>
          html`<li
            key=${alarm.number}
            class=${classes(alarm.severity, alarm.acknowledged_by && "known")}
            data-place
            onfocusin=${() => choose(alarm)}
          >
            <${Row} desk=${desk} alarm=${alarm} chosen=${alarm.number === chosen} running=${running} />
          </li>`,
      )}
    </ul>
    ${items.length > 0 && html`<p class="quiet alarm-keys">${t("alarms.keys")}</p>`}
  </div>`;
}

/** @param {{desk: import("./conference.js").Desk, alarm: any, chosen: boolean, running: boolean}} props */
function Row({ desk, alarm, chosen, running }) {
  const state = desk.alarms;
  const off = !desk.controls || !running;
  const { contact } = alarm;
  return html`<button
      type="button"
      class="bare alarm-what"
      data-alarm=${alarm.number}
      tabindex=${chosen ? 0 : -1}
      onClick=${() => desk.openRoom(alarm.participant)}
    >
      <b>${t(`alarm.${alarm.kind}`)}</b> ${alarm.label}
      <span class="quiet">
        ${[t(`severity.${alarm.severity}`), t("since", { time: clock(alarm.since) }), ...said(alarm)].join(" · ")}
      </span>
      ${alarm.acknowledged_by && html`<span class="quiet">${t("alarm.known-by", { name: alarm.acknowledged_by })}</span>`}
    </button>
    <span class="alarm-acts">
      ${
        contact &&
        html`<span class="alarm-contact"
          ><${Icon} name="phone" />${
            contact.phone
              ? html`<a id=${`call-${alarm.number}`} title="Shift+T" href=${telephoneOf(contact)}>${contact.phone}</a>`
              : ""
          }
          <span class="quiet">${contact.name}</span></span
        >`
      }
      ${
        alarm.actions.includes("mute") &&
        html`<button
          type="button"
          class="small danger"
          title="M"
          disabled=${!desk.mutes || !running}
          aria-label=${t("alarm.mute-one", { name: alarm.label })}
          onClick=${() => mute(desk, alarm)}
        >
          <${Icon} name="mic-off" />${t("alarm.mute")}
        </button>`
      }
      ${
        alarm.actions.includes("redial") &&
        html`<button
          type="button"
          class="small"
          title="Shift+C"
          disabled=${off}
          aria-label=${t("alarm.redial-one", { name: alarm.label })}
          onClick=${() => redial(desk, alarm)}
        >
          <${Icon} name="refresh" />${t("alarm.redial")}
        </button>`
      }
      ${
        !alarm.acknowledged_by &&
        html`<button
          type="button"
          class="small"
          title="Shift+W"
          disabled=${off || busy.value.has(`alarm:${alarm.number}`)}
          aria-label=${t("alarm.know-one", { name: alarm.label })}
          onClick=${() => void state.acknowledge(alarm, desk)}
        >
          <${Icon} name="check" />${t("alarm.know")}
        </button>`
      }
      ${
        alarm.incident
          ? html`<a class="button small" title="I" href=${incidentAddress(alarm)}>
              <${Icon} name="list" />${t("alarm.incident", {
                id: alarm.incident,
                state: t(`incidents.${alarm.incident_state}`),
              })}
            </a>`
          : html`<button
              type="button"
              class="small"
              title="I"
              disabled=${!desk.controls || busy.value.has(`incident:${alarm.number}`)}
              aria-label=${t("incident.open-one", { name: alarm.label })}
              onClick=${() => void state.open(alarm, desk)}
            >
              <${Icon} name="edit" />${t("incident.open")}
            </button>`
      }
    </span>`;
}

/** @param {any} alarm */
const incidentAddress = (alarm) => `#/incidents/${encodeURIComponent(alarm.incident)}`;

/** What was measured, in words. @param {any} alarm */
function said(alarm) {
  const words = [];
  for (const [name, value] of Object.entries(alarm.detail)) {
    if (name === "only_with") words.push(t("alarm.only-with"));
    else if (name in UNITS) words.push(`${number(Number(value), Number(value) % 1 ? 1 : 0)} ${UNITS[name]}`);
    else if (typeof value === "string" && hasText(`alarm.how.${value}`)) words.push(t(`alarm.how.${value}`));
    else if (name === "now") words.push(`→ ${value}`);
  }
  return words;
}

/** @param {import("./conference.js").Desk} desk @param {any} alarm */
function mute(desk, alarm) {
  void desk.actions.change(alarm.participant, { audio_muted: true });
}

/** @param {any} contact with a telephone number */
const telephoneOf = (contact) => `tel:${contact.phone.replace(/[^+\d]/g, "")}`;

/**
 * Call whoever looks after the room, by the telephone of this computer; where there is none the
 * number is said all the same.
 * @param {any} alarm
 */
function telephone(alarm) {
  const { contact, label } = alarm;
  if (!contact?.phone) return show({ tone: "info", text: t("alarm.no-phone", { name: label }) });
  show({ tone: "info", text: t("alarm.calling", { name: contact.name ?? label, phone: contact.phone }) });
  const link = document.getElementById(`call-${alarm.number}`);
  if (link) link.click();
  else location.href = telephoneOf(contact);
}

/** @param {import("./conference.js").Desk} desk @param {any} alarm */
function redial(desk, alarm) {
  const person = desk.model.person(alarm.participant);
  if (person) void desk.actions.call(person.bridge ? { bridge: person.bridge } : { address: person.address });
}

/**
 * Keys for what helps against the trouble of the chosen room; they mean nothing else anywhere.
 * @param {import("./conference.js").Desk} desk
 */
export function alarmKeys(desk) {
  const withAlarm =
    (/** @type {(alarm: any) => void} */ act, steers = true) =>
    () => {
      const alarm = desk.alarms.atHand(desk.roster.selected.peek());
      if (alarm && (desk.controls || !steers)) act(alarm);
    };
  return {
    "Shift+W": withAlarm((alarm) => void desk.alarms.acknowledge(alarm, desk)),
    "Shift+C": withAlarm((alarm) => alarm.actions.includes("redial") && redial(desk, alarm)),
    "Shift+T": withAlarm(telephone, false),
    I: withAlarm((alarm) => desk.alarms.follow(alarm, desk)),
  };
}

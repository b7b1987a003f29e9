// @ts-check
// One open conference as the console knows it: read once, then kept up by events alone.

import { batch, computed, signal } from "../shared/base.js";
import { get, getAll } from "../shared/api.js";
import { EventStream } from "../shared/events.js";
import { procedureAfter } from "../shared/procedure.js";
import { show } from "../shared/controls.js";
import { t } from "../shared/i18n.js";
import { load } from "./load.js";
import { Meters } from "./meters.js";
import { isPoor } from "./roster-order.js";

/** @typedef {any} Participant */

export const STATES = ["lost", "expected", "calling", "connected", "left"];

/** What of a participant passes with its legs; events of the conference do not carry it. */
const LIVE = { level_db: null, speaking: false, visible: false, quality: { grade: "none" } };

/**
 * A participant as resources and events both say it: events do not carry what is measured, and
 * a line that is not connected has no quality.
 * @param {any} said @param {any} [known]
 */
export function participantFrom(said, known) {
  const quality = said.quality ?? known?.quality ?? LIVE.quality;
  return {
    ...LIVE,
    ...known,
    ...said,
    quality: said.state === "connected" ? quality : LIVE.quality,
  };
}

export class ConferenceModel {
  /** @param {string} id */
  constructor(id) {
    this.id = id;
    /** @type {import("../../vendor/signals.js").Signal<any>} */
    this.conference = signal(null);
    /** @type {Map<string, import("../../vendor/signals.js").Signal<Participant>>} */
    this.people = new Map();
    /** @type {import("../../vendor/signals.js").Signal<string[]>} */
    this.ids = signal([]);
    /** @type {import("../../vendor/signals.js").Signal<import("../shared/events.js").Link>} */
    this.link = signal({ state: "connecting", retryAt: 0, attempt: 0 });
    /** @type {import("../../vendor/signals.js").Signal<any>} */
    this.error = signal(null);
    this.meters = new Meters();
    /** Grows whenever the record of a roll call has changed, or all was read anew. */
    this.rollCallChanges = signal(0);
    /** Grows whenever the board of a convening has changed, or all was read anew. */
    this.conveningChanges = signal(0);
    /** Grows whenever an invitation has changed, or all was read anew. */
    this.invitationChanges = signal(0);
    /** Grows whenever a conflict about a room has changed, or all was read anew. */
    this.conflictChanges = signal(0);
    /** Grows with every event of a recording. */
    this.recordingChanges = signal(0);
    /** Grows whenever an alarm or an incident has changed, or all was read anew. */
    this.alarmChanges = signal(0);
    /** Who calls by SIP and is to enter the PIN. */
    this.callers = signal(/** @type {any[]} */ ([]));
    /** Grows with every event of the drill, or when all was read anew. */
    this.drillChanges = signal(0);
    /** Participants by state. */
    this.counts = computed(() => {
      const counts = { expected: 0, calling: 0, connected: 0, lost: 0, left: 0, poor: 0 };
      for (const id of this.ids.value) {
        const person = this.people.get(id)?.value;
        if (!person) continue;
        counts[/** @type {keyof typeof counts} */ (person.state)] += 1;
        if (isPoor(person)) counts.poor += 1;
      }
      return counts;
    });
    /** @type {any[] | null} events that came while the roster was being read */
    this.held = null;
    this.readings = 0;
    this.closed = false;
    this.stream = new EventStream(`/api/v1/events?conference=${encodeURIComponent(id)}`, {
      onEvent: (event) => this.receive(event),
      onOpen: () => void this.read(),
      onLink: (link) => {
        this.link.value = link;
        // Refused before anything was shown: what the server says of the conference tells why.
        if (link.state === "stopped" && !this.closed && !this.conference.peek()) void this.read();
      },
      asks: true,
    });
  }

  close() {
    this.closed = true;
    this.stream.stop();
  }

  /** @param {string | null | undefined} id */
  person(id) {
    return id ? this.people.get(id)?.value : undefined;
  }

  /** Read everything; events that come meanwhile are applied afterwards. */
  async read() {
    const reading = ++this.readings;
    this.held = [];
    const path = `conferences/${encodeURIComponent(this.id)}`;
    try {
      const [conference, participants, callers] = await Promise.all([
        get(path),
        getAll(`${path}/participants`),
        // Who sees no more than a room of it is not told.
        get(`${path}/callers`).catch(() => ({ items: [] })),
      ]);
      if (reading !== this.readings) return;
      batch(() => {
        this.callers.value = callers.items;
        this.#fill(conference, participants);
        for (const event of this.held ?? []) this.#apply(event);
      });
      this.held = null;
      this.error.value = null;
    } catch (error) {
      if (reading === this.readings) {
        this.held = null;
        this.error.value = error;
      }
    }
  }

  /** Read the PIN, for those who may know it. */
  async #readPin() {
    try {
      const { pin } = await get(`conferences/${encodeURIComponent(this.id)}`);
      const now = this.conference.peek();
      if (now?.has_pin) this.conference.value = { ...now, pin };
    } catch (error) {
      console.warn("PIN not read:", error);
    }
  }

  /** @param {any} conference @param {any[]} participants */
  #fill(conference, participants) {
    this.conference.value = conference;
    this.rollCallChanges.value += 1;
    this.conveningChanges.value += 1;
    this.conflictChanges.value += 1;
    this.invitationChanges.value += 1;
    this.recordingChanges.value += 1;
    this.alarmChanges.value += 1;
    this.drillChanges.value += 1;
    const present = new Set(participants.map((person) => person.id));
    for (const id of this.people.keys()) if (!present.has(id)) this.people.delete(id);
    for (const person of participants) this.#put(person);
    this.ids.value = participants.map((person) => person.id);
    this.meters.set(
      Object.fromEntries(participants.map((p) => [p.id, p.level_db ?? -127])),
      participants.filter((p) => p.speaking).map((p) => p.id),
    );
  }

  /** @param {any} said */
  #put(said) {
    const known = this.people.get(said.id);
    if (!known) {
      this.people.set(said.id, signal(participantFrom(said)));
      return;
    }
    if ((said.version ?? Infinity) < (known.peek().version ?? 0)) return; // overtaken on the way
    known.value = participantFrom(said, known.peek());
  }

  /** @param {any} event */
  receive(event) {
    if (event.conference && event.conference !== this.id) return;
    if (event.type === "levels.measured") {
      this.meters.set(event.data.levels, event.data.speakers);
    } else if (event.type === "load.measured") {
      load.value = event.data;
    } else if (this.held) this.held.push(event);
    else batch(() => this.#apply(event));
  }

  /** @param {{type: string, data: any, time: string}} event */
  #apply({ type, data, time }) {
    const change = (/** @type {any} */ values) => {
      if (this.conference.value) this.conference.value = { ...this.conference.value, ...values };
    };
    switch (type) {
      case "conference.started":
        change(data.conference);
        break;
      case "conference.changed":
        change({
          name: data.name,
          chair: data.chair,
          number: data.number,
          has_pin: data.has_pin,
          pin: null,
        });
        // Events have many readers, so the PIN is not among what they say.
        if (data.has_pin) void this.#readPin();
        break;
      case "conference.ended":
        change({ state: "ended", ended_at: data.ended_at ?? time });
        break;
      case "conference.locked":
      case "conference.unlocked":
        change({ locked: type === "conference.locked" });
        break;
      case "participant.removed":
        this.#remove(data.participant.id);
        break;
      case "participants.admitted":
      case "participants.changed":
        for (const id of data.participants) {
          const known = this.people.get(id);
          if (known) known.value = { ...known.peek(), ...data.changes };
        }
        break;
      case "layout.changed": {
        const views = { ...this.conference.value?.views };
        views[data.view] = { layout: data.layout, slots: data.slots, fit: data.fit };
        change({ views });
        break;
      }
      case "broadcast.started":
        change({ broadcast: data.participant });
        break;
      case "broadcast.stopped":
        change({ broadcast: null });
        break;
      case "presentation.started":
        change({ presentation: data.participant });
        break;
      case "presentation.stopped":
        change({ presentation: null });
        break;
      case "message.shown":
        change({ message: { text: data.text, until: data.until ?? null } });
        break;
      case "message.cleared":
        change({ message: null });
        break;
      case "callers.changed":
        this.callers.value = data.callers;
        break;
      case "quality.measured":
        for (const [id, quality] of Object.entries(data.quality)) {
          const known = this.people.get(id);
          if (known && !sameQuality(known.peek().quality, quality)) {
            known.value = { ...known.peek(), quality };
          }
        }
        break;
      default:
        if (type.startsWith("participant.")) this.#participant(data.participant);
        else if (this.conference.value)
          this.conference.value = procedureAfter(this.conference.value, type, data);
        if (/^(alarm|incident)\./.test(type)) this.alarmChanges.value += 1;
        if (type.startsWith("drill.")) this.drillChanges.value += 1;
        if (type.startsWith("roll-call.")) this.rollCallChanges.value += 1;
        if (type.startsWith("convening.")) this.conveningChanges.value += 1;
        if (type.startsWith("conflict.")) {
          this.conflictChanges.value += 1;
          if (type === "conflict.raised")
            show({ tone: "bad", text: t(`conflict.${data.side}.told`, { room: data.name, name: data.conference_name }) });
        }
        if (type.startsWith("invitation.")) {
          this.invitationChanges.value += 1;
          if (type === "invitation.answered" && data.status !== "withdrawn")
            show({ tone: data.status === "accepted" ? "good" : "bad", text: t(`invitation.told.${data.status}`, { room: data.name, by: data.by }) });
        }
        if (type.startsWith("recording.")) {
          this.recordingChanges.value += 1;
          if (type === "recording.troubled")
            show({ tone: "bad", text: t(`rec.trouble.${data.trouble}`) });
          if (data.reason === "disk_full" || data.reason === "failed")
            show({ tone: "bad", text: t("rec.over", { reason: t(`rec.reason.${data.reason}`) }) });
        }
    }
  }

  /** @param {any} participant */
  #participant(participant) {
    this.#put(participant);
    if (!this.ids.peek().includes(participant.id))
      this.ids.value = [...this.ids.peek(), participant.id];
    if (participant.role === "chair" && this.conference.value?.chair !== participant.id) {
      this.conference.value = { ...this.conference.value, chair: participant.id };
    }
    if (participant.state !== "connected") this.meters.silence(participant.id);
  }

  /** @param {string} id */
  #remove(id) {
    this.ids.value = this.ids.peek().filter((other) => other !== id);
    this.people.delete(id);
  }
}

/** What is shown of two readings is the same. @param {any} a @param {any} b */
function sameQuality(a, b) {
  const shown = (/** @type {any} */ q) =>
    [
      q?.grade,
      Math.round((q?.loss_percent ?? 0) * 10),
      Math.round(q?.jitter_ms ?? 0),
      Math.round(q?.round_trip_ms ?? 0),
      q?.receives?.step,
      q?.receives?.bitrate_bps,
      q?.receives?.reason,
      q?.refused,
      q?.on_hold,
    ].join();
  return shown(a) === shown(b);
}

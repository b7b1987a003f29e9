// @ts-check
// What the room does: waits for its conference, joins, stays in it, and comes back by itself.

import { signal } from "../shared/base.js";
import { ApiError, get, getAll, send, session } from "../shared/api.js";
import { Backoff } from "../shared/backoff.js";
import { showError } from "../shared/controls.js";
import { EventStream } from "../shared/events.js";
import { procedureAfter } from "../shared/procedure.js";
import { chime } from "./chime.js";
import { Leg } from "./leg.js";
import { comesByItself, rememberByItself } from "./remembered.js";
import { Switches } from "./switches.js";

/**
 * @typedef {"setup" | "waiting" | "joining" | "live" | "rejoining" | "out"} Phase
 */

export class Room {
  /** @param {import("./devices.js").Devices} devices @param {boolean} unattended nobody is there to press anything */
  constructor(devices, unattended) {
    this.devices = devices;
    this.unattended = unattended;
    this.bridge = /** @type {string} */ (session.peek()?.bridge);
    /** @type {import("../../vendor/signals.js").Signal<Phase>} */
    this.phase = signal("setup");
    /** The room's name in the registry. */
    this.name = signal("");
    get(`bridges/${encodeURIComponent(this.bridge)}`).then(
      (bridge) => (this.name.value = bridge.name),
      (error) => console.warn("name not read:", error.message), // the participant's label will do
    );
    /** Why it is out: disconnected, replaced, revoked, ended (its access has) or self. */
    this.reason = signal("");
    /** What the operator has said when the room was taken off the roster. */
    this.farewell = signal("");
    /** @type {import("../../vendor/signals.js").Signal<any>} what it goes to or is in */
    this.conference = signal(null);
    /** @type {import("../../vendor/signals.js").Signal<any>} this room's participant */
    this.me = signal(null);
    /** Whether it comes in when it is called, without anybody pressing a key. */
    this.byItself = signal(comesByItself());
    /** The last call it has heard, so that it rings once. */
    this.heardCall = "";
    this.retry = signal({ at: 0, error: /** @type {any} */ (null) });
    this.unsteady = signal(false);
    /** @type {import("../../vendor/signals.js").Signal<import("./line.js").Line | null>} */
    this.line = signal(null);
    /** @type {import("../../vendor/signals.js").Signal<MediaStream | null>} */
    this.stream = signal(null);
    /** @type {import("../../vendor/signals.js").Signal<import("../shared/events.js").Link>} */
    this.link = signal({ state: "connecting", retryAt: 0, attempt: 0 });
    this.speaking = signal(false);
    /** @type {import("../../vendor/signals.js").Signal<{check: string, phase: string, confirmation: string | null} | null>} */
    this.readiness = signal(null);
    this.switches = new Switches(devices, unattended);
    /** @type {import("../../vendor/signals.js").Signal<MediaStreamTrack | null>} */
    this.presentation = signal(null);
    /** @type {Leg | null} */
    this.leg = null;
    /** @type {Leg | null} a second leg that takes over when presenting begins or ends */
    this.successor = null;
    /** @type {Map<string, any>} what the mixer wants of each source */
    this.requests = new Map();
    this.backoff = new Backoff({ first: 500, most: 15_000 });
    this.timer = 0;
    this.reading = 0;
    this.ended = false;
    /** Id of the last leg that was connected, to tell it from one of another page. */
    this.lastLeg = "";
    /** @type {EventStream | null} */
    this.events = null;
    this.listen();
    devices.camera.track.subscribe((track) => this.#retrack("video", track));
    devices.microphone.track.subscribe((track) => this.#retrack("audio", track));
    addEventListener("pagehide", () => this.leg?.abandon());
    addEventListener("online", () => this.#networkChanged());
    /** @type {any} */ (navigator).connection?.addEventListener?.("change", () =>
      this.#networkChanged(),
    );
  }

  /** Open the event stream, anew after the session was renewed. */
  listen() {
    this.ended = false;
    this.events?.stop();
    this.events = new EventStream("/api/v1/events", {
      onEvent: (event) => void this.receive(event).catch(showError),
      onOpen: () => {
        void this.look();
        void this.#lookAtReadiness();
      },
      onLink: (link) => (this.link.value = link),
    });
  }

  /** The technician says that camera and microphone are right. */
  ready() {
    if (this.phase.value !== "setup" && this.phase.value !== "out") return;
    this.phase.value = "waiting";
    this.reason.value = "";
    this.lastLeg = "";
    void this.look();
  }

  /** Whether the conference calls its rooms together and this one has not come. */
  get isCalledIn() {
    return this.conference.value?.convening?.state === "open" && !this.me.value?.joined_at;
  }

  /** @param {boolean} on */
  comeByItself(on) {
    this.byItself.value = on;
    rememberByItself(on);
    if (on && this.isCalledIn) this.ready();
  }

  /** The conference calls: ring, and come in where that is wanted. */
  #hearCall() {
    const { id, convening } = this.conference.value;
    const call = `${id} ${convening.number}`;
    if (this.heardCall === call) return;
    this.heardCall = call;
    chime();
    if (this.byItself.value) this.ready();
  }

  /** Back to the devices, before joining. */
  backToSetup() {
    clearTimeout(this.timer);
    this.#hangUp();
    this.phase.value = "setup";
  }

  leave() {
    this.#hangUp();
    this.#out("self");
  }

  /** Read where this room is expected, and go there; called whenever that may have changed. */
  async look() {
    const reading = ++this.reading;
    try {
      const running = await getAll("conferences?state=running");
      if (reading !== this.reading) return;
      const now = this.conference.value;
      const next =
        running.find((conference) => conference.id === now?.id) ??
        running.sort((a, b) => Date.parse(b.started_at) - Date.parse(a.started_at))[0] ??
        null;
      const me =
        next &&
        (await get(
          `conferences/${encodeURIComponent(next.id)}/participants/${encodeURIComponent(this.bridge)}`,
        ));
      if (reading !== this.reading) return;
      this.conference.value = next;
      this.#setMe(me);
      if (!next && now && this.phase.value !== "setup") this.#conferenceOver();
      else if (this.phase.value === "waiting" && next) {
        if (this.#isElsewhere(me)) this.#out("replaced");
        else this.#join();
      } else if (this.phase.value === "waiting") this.retry.value = { at: 0, error: null };
      else if (this.phase.value === "live") await this.#checkLeg();
      else if (this.phase.value === "setup" && this.isCalledIn) this.#hearCall();
    } catch (error) {
      if (reading === this.reading && this.phase.value === "waiting") this.#again(error);
    }
  }

  /** Whether this room is being checked now, and is to say what it hears. */
  async #lookAtReadiness() {
    try {
      const found = await get(`bridges/${encodeURIComponent(this.bridge)}/readiness?limit=1`);
      this.readiness.value = found.current;
    } catch (error) {
      console.warn("readiness not read:", error); // the keypad and the phone do as well
    }
  }

  /** Say whether the test tone is heard. @param {boolean} heard */
  async confirmSound(heard) {
    const { check } = /** @type {any} */ (this.readiness.value);
    await send(
      "POST",
      `readiness-checks/${encodeURIComponent(check)}/rooms/${encodeURIComponent(this.bridge)}/confirmation`,
      { heard },
    );
  }

  /** Whether another page or device has joined as this room since this page was in.
   * @param {any} me */
  #isElsewhere(me) {
    return (
      this.lastLeg !== "" &&
      me.state === "connected" &&
      me.legs.length > 0 &&
      !me.legs.includes(this.lastLeg)
    );
  }

  /** Whether what the server last told of this room is true now: it may have fallen silent. */
  get informed() {
    return this.link.value.state === "live" && !this.line.value?.silent;
  }

  #engaged() {
    return ["joining", "live", "rejoining"].includes(this.phase.value);
  }

  /** After an interruption of events: whether the server still knows this leg. */
  async #checkLeg() {
    const leg = this.leg;
    if (!leg?.id) return;
    try {
      await get(`legs/${encodeURIComponent(leg.id)}`);
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      if (error.status === 404 && this.leg === leg) {
        leg.close(true);
        this.#failed(leg, null);
      }
    }
  }

  #join() {
    clearTimeout(this.timer);
    this.#hangUp();
    this.farewell.value = "";
    this.phase.value = "joining";
    this.leg = this.#newLeg();
  }

  #newLeg() {
    const conference = this.conference.value.id;
    const tracks = {
      audio: this.devices.microphone.track.value,
      video: this.devices.camera.track.value,
      presentation: this.presentation.value,
    };
    /** @type {Leg} */
    const leg = new Leg(conference, tracks, {
      onConnected: () => this.#connected(leg),
      onUnsteady: (unsteady) => {
        if (this.leg === leg) this.unsteady.value = unsteady;
      },
      onFailed: (error) => this.#failed(leg, error),
      onLine: (line) => {
        if (this.leg !== leg) return;
        // Nothing comes: ask whether the leg is still known before the browser gives it up itself.
        if (line.silent && this.line.value?.silent) void this.#checkLeg().catch(showError);
        this.line.value = line;
      },
    });
    return leg;
  }

  /** @param {Leg} leg */
  #connected(leg) {
    if (leg === this.successor) {
      const before = this.leg;
      this.leg = leg;
      this.successor = null;
      before?.close(true); // the server has given its place to this one
    }
    if (leg !== this.leg) return;
    this.lastLeg = leg.id;
    this.backoff.reset();
    this.retry.value = { at: 0, error: null };
    this.stream.value = leg.stream;
    this.phase.value = "live";
    for (const [source, wanted] of this.requests)
      void leg.request(/** @type {any} */ (source), wanted).catch(showError);
  }

  /** @param {Leg} leg @param {any} error */
  #failed(leg, error) {
    if (leg === this.successor) {
      this.successor = null;
      this.#stopTrack();
      showError(error ?? new ApiError(0, {}));
      if (!this.leg) this.#again(error);
      return;
    }
    if (leg !== this.leg) return;
    if (this.successor) {
      this.leg = null; // the server has closed it for its successor, which is on its way
      return;
    }
    this.#hangUp();
    if (error instanceof ApiError && [403, 404, 409, 410].includes(error.status)) {
      // Not called, not there, or not open to this room: look again where it is expected.
      this.conference.value = null;
    }
    this.#again(error);
  }

  /**
   * The session is over and the link opens no other. Whoever is in stays, as the server closes
   * what it has withdrawn; but nobody comes back without a link that is good.
   */
  accessEnded() {
    this.ended = true;
    if (this.phase.value === "waiting" || this.phase.value === "rejoining") this.#out("ended");
  }

  /** @param {any} error */
  #again(error) {
    if (this.ended) {
      this.#out("ended");
      return;
    }
    clearTimeout(this.timer);
    const delay = Math.max(this.backoff.next(), (error?.retryAfter ?? 0) * 1000);
    if (this.phase.value !== "waiting") this.phase.value = "rejoining";
    this.retry.value = { at: Date.now() + delay, error };
    this.timer = setTimeout(() => this.#retry(), delay);
  }

  /** Do not wait for the rest of the delay: a network is back, or somebody says so. */
  retryNow() {
    this.events?.retryNow();
    this.#retry();
  }

  #retry() {
    clearTimeout(this.timer);
    if (this.phase.value === "rejoining") this.phase.value = "waiting";
    void this.look();
  }

  /** @param {boolean} [gone] the server has closed the legs already */
  #hangUp(gone = false) {
    clearTimeout(this.timer);
    const [leg, successor] = [this.leg, this.successor];
    this.leg = this.successor = null;
    leg?.close(gone);
    successor?.close(gone);
    this.stream.value = null;
    this.line.value = null;
    this.unsteady.value = false;
  }

  /** @param {string} reason */
  #out(reason) {
    this.#hangUp(reason !== "self");
    this.#stopTrack();
    this.reason.value = reason;
    this.phase.value = "out";
  }

  #conferenceOver() {
    this.#hangUp(true);
    this.#stopTrack();
    this.requests.clear();
    this.conference.value = null;
    this.#setMe(null);
    if (this.phase.value !== "setup") this.phase.value = "waiting";
    void this.look();
  }

  #networkChanged() {
    if (this.phase.value === "live") this.leg?.restart();
    else if (this.phase.value === "rejoining" || this.phase.value === "waiting") this.retryNow();
  }

  /** @param {"audio" | "video"} kind @param {MediaStreamTrack | null} track */
  #retrack(kind, track) {
    this.switches.apply(kind, track);
    for (const leg of [this.leg, this.successor]) void leg?.replace(kind, track).catch(showError);
  }

  /** @param {any} event */
  async receive({ type, conference, data }) {
    if (type === "readiness.changed" && data.bridge === this.bridge) {
      const over = data.phase === "done" || !data.running;
      this.readiness.value = over ? null : data;
      return;
    }
    if (
      type === "conference.started" ||
      (type === "participant.added" && data.participant.id === this.bridge)
    ) {
      // Put on a roster again after it was disconnected: the operator wants it back.
      const dropped = this.phase.value === "out" && this.reason.value === "disconnected";
      if (type === "participant.added" && dropped) this.ready();
      else if (!this.#engaged()) await this.look();
      return;
    }
    if (type === "convening.called") {
      if (!this.#engaged()) await this.look();
      return;
    }
    if (!this.conference.value || conference !== this.conference.value.id) return;
    const mine = data.participant?.id === this.bridge;
    if (type === "participant.removed" && mine) this.farewell.value = data.reason ?? "";
    if (type === "conference.ended" || (type === "participant.removed" && mine))
      this.#conferenceOver();
    else if (type === "conference.changed")
      this.conference.value = { ...this.conference.value, ...data };
    else if (type === "message.shown")
      this.conference.value = { ...this.conference.value, message: data };
    else if (type === "message.cleared")
      this.conference.value = { ...this.conference.value, message: null };
    else if (type === "broadcast.started")
      this.conference.value = { ...this.conference.value, broadcast: data.participant };
    else if (type === "broadcast.stopped")
      this.conference.value = { ...this.conference.value, broadcast: null };
    else if (type.startsWith("presentation.")) this.#presenter(type, data);
    else if (/^(floor|roll-call|recording)\./.test(type))
      this.conference.value = procedureAfter(this.conference.value, type, data);
    else if (/^participants\.(changed|admitted)$/.test(type) && data.participants.includes(this.bridge)) {
      this.#setMe({ ...this.me.value, ...data.changes });
    } else if (type === "levels.measured")
      this.speaking.value = data.speakers.includes(this.bridge);
    else if (type === "sources.requested") await this.#request(data.requests[this.bridge] ?? {});
    else if (type.startsWith("participant.") && mine) this.#myself(type, data);
  }

  /** Another presents, or an operator took it back: stop showing. @param {string} type @param {any} data */
  #presenter(type, data) {
    const had = this.conference.value.presentation === this.bridge;
    const presentation = type === "presentation.started" ? data.participant : null;
    this.conference.value = { ...this.conference.value, presentation };
    if (had && presentation !== this.bridge && this.presentation.value) {
      this.#stopTrack();
      this.#takeOver();
    }
  }

  /** @param {string} type @param {any} data */
  #myself(type, data) {
    this.#setMe(data.participant);
    const own = [this.leg?.id, this.successor?.id];
    const dropped = this.leg?.id && (data.replaced ?? []).includes(this.leg.id);
    const elsewhere = dropped && !own.includes(data.leg) && !this.successor;
    const away = this.phase.value === "setup" || this.phase.value === "out";
    if (type === "participant.joined" && elsewhere) this.#out("replaced");
    else if (type === "participant.left" && data.reason === "disconnected" && !away) {
      this.#out("disconnected");
    } else if (type === "participant.left" && data.reason === "revoked" && !away) {
      this.#out("revoked");
    } else if (this.phase.value === "out" && data.participant.state === "calling") this.ready();
  }

  /** What the layout shows of this room, by source. @param {Record<string, any>} requests */
  async #request(requests) {
    for (const [source, wanted] of Object.entries(requests)) {
      this.requests.set(source, wanted);
      for (const leg of [this.leg, this.successor])
        await leg?.request(/** @type {any} */ (source), wanted);
    }
  }

  /** @param {any} me */
  #setMe(me) {
    const before = this.me.value;
    this.me.value = me;
    this.switches.follow(before, me);
  }

  /** Whether the operator, not the room, switched it off. @param {"audio" | "video"} kind */
  mutedByOperator(kind) {
    return Boolean(this.me.value?.[`${kind}_muted`]) && !this.switches.off.value[kind];
  }

  /** Switch the own microphone or camera; the operator is told. @param {"audio" | "video"} kind */
  async toggle(kind) {
    const muted = !this.switches.off.value[kind];
    this.switches.set(kind, muted);
    const conference = this.conference.value;
    if (!conference || !this.me.value || this.phase.value !== "live") return;
    try {
      await send(
        "PATCH",
        `conferences/${encodeURIComponent(conference.id)}/participants/${encodeURIComponent(this.bridge)}`,
        { [`${kind}_muted`]: muted },
      );
    } catch (error) {
      showError(error);
    }
  }

  /** How this room stands to the floor: has it, waits for it in a place, or neither. */
  get floor() {
    const floor = this.conference.value?.floor;
    const holder = floor?.holder?.participant === this.bridge ? floor.holder : null;
    const asked = floor?.requests.find((/** @type {any} */ r) => r.participant === this.bridge);
    return { holder, place: asked?.place ?? 0 };
  }

  /** Whether this room is called in a roll call, and is to answer. */
  get called() {
    const open = this.conference.value?.roll_call;
    return Boolean(open && !open.paused && open.calling === this.bridge);
  }

  /** Ask for the floor, ask no more, or give it back. */
  async raiseHand() {
    const path = `conferences/${encodeURIComponent(this.conference.value.id)}/floor`;
    const { holder, place } = this.floor;
    if (holder) await send("DELETE", path);
    else if (place) await send("DELETE", `${path}/requests`);
    else await send("POST", `${path}/requests`, { participant: this.bridge });
  }

  /** Say in a roll call that somebody is here. */
  async answer() {
    const { id, roll_call } = this.conference.value;
    await send("POST", `conferences/${encodeURIComponent(id)}/roll-calls/${roll_call.number}/marks`, {
      participant: this.bridge,
    });
  }

  /** Show a screen or window to the conference, beside the camera; refused while another does. */
  async present() {
    const path = `conferences/${encodeURIComponent(this.conference.value.id)}/presentation`;
    if (this.presentation.value) {
      this.#stopTrack();
      this.#takeOver();
      await send("DELETE", path);
      return;
    }
    const shared = await navigator.mediaDevices.getDisplayMedia({
      video: { frameRate: { max: 15 } },
      audio: false,
    });
    const [track] = shared.getVideoTracks();
    track.contentHint = "detail";
    track.addEventListener("ended", () => {
      if (this.presentation.value === track) void this.present().catch(showError);
    });
    try {
      await send("PUT", path, { participant: this.bridge });
    } catch (error) {
      track.stop();
      throw error;
    }
    this.presentation.value = track;
    this.#takeOver();
  }

  #stopTrack() {
    this.presentation.value?.stop();
    this.presentation.value = null;
  }

  /** A second leg with other streams takes the first one's place as soon as it is connected. */
  #takeOver() {
    if (this.phase.value !== "live") return;
    this.successor?.close();
    this.successor = this.#newLeg();
  }
}

// @ts-check
// What an operator does. Nothing is shown as done before the event that says so has come; what is
// under way is marked busy, what failed says why, and what can be taken back offers that.

import { signal } from "../shared/base.js";
import { send } from "../shared/api.js";
import { forget, show, showError } from "../shared/controls.js";
import { t } from "../shared/i18n.js";
import { layoutLabel } from "../shared/layouts.js";
import { isWithin } from "./registry.js";

/** Keys of what is under way, `mute:ID` and the like. @type {import("../../vendor/signals.js").Signal<Set<string>>} */
export const busy = signal(new Set());

export class Actions {
  /** @param {import("./model.js").ConferenceModel} model */
  constructor(model) {
    this.model = model;
    this.path = `conferences/${encodeURIComponent(model.id)}`;
    /** The latest of each kind. @type {Map<string, Promise<boolean>>} */
    this.turns = new Map();
  }

  /**
   * One after the other where they concern the same, so that a second key press is neither lost
   * nor overtakes the first.
   * @param {string} key @param {() => Promise<any>} work
   * @param {{done?: string, undo?: () => void}} [after]
   */
  run(key, work, after = {}) {
    const turn = (this.turns.get(key) ?? Promise.resolve(true)).then(() =>
      this.#do(key, work, after),
    );
    this.turns.set(key, turn);
    return turn;
  }

  /** @param {string} key @param {() => Promise<any>} work @param {{done?: string, undo?: () => void}} after */
  async #do(key, work, after) {
    busy.value = new Set(busy.value).add(key);
    forget(key);
    try {
      await work();
      if (after.done) show({ tone: "good", text: after.done, undo: after.undo });
      return true;
    } catch (error) {
      showError(error, key);
      return false;
    } finally {
      const rest = new Set(busy.value);
      rest.delete(key);
      busy.value = rest;
    }
  }

  /** @param {string} id @param {any} values */
  change(id, values) {
    const field = Object.keys(values)[0];
    return this.run(`${field}:${id}`, () =>
      send("PATCH", `${this.path}/participants/${encodeURIComponent(id)}`, values),
    );
  }

  /** @param {any} person */
  toggleAudio(person) {
    return this.change(person.id, { audio_muted: !person.audio_muted });
  }

  /** @param {any} person */
  toggleVideo(person) {
    return this.change(person.id, { video_muted: !person.video_muted });
  }

  /** @param {any} person */
  toggleDeaf(person) {
    return this.change(person.id, { deafened: !person.deafened });
  }

  muteAll() {
    return this.#muteScope("all", t("done.mute-all"));
  }

  unmuteAll() {
    return this.#unmuteScope("all", t("done.unmute-all"));
  }

  /** @param {any} unit */
  muteUnit(unit) {
    return this.#muteScope(unit.id, t("done.mute-unit", { name: unit.name }));
  }

  /** @param {any} unit */
  unmuteUnit(unit) {
    return this.#unmuteScope(unit.id, t("done.unmute-unit", { name: unit.name }));
  }

  /** @param {string} scope "all" or a unit @param {string} done */
  #muteScope(scope, done) {
    const were = this.#mutedOf(scope);
    return this.run(
      "mute-all",
      () => send("POST", `${this.path}/mute`, { scope, except: ["chair"] }),
      {
        done,
        undo: () =>
          void this.run("unmute-all", () =>
            send("POST", `${this.path}/unmute`, { scope, except: were }),
          ),
      },
    );
  }

  /** @param {string} scope "all" or a unit @param {string} done */
  #unmuteScope(scope, done) {
    const were = this.#mutedOf(scope);
    return this.run(
      "unmute-all",
      () => send("POST", `${this.path}/unmute`, { scope, except: ["chair"] }),
      {
        done,
        undo: were.length
          ? () =>
              void this.run("mute-all", () => send("POST", `${this.path}/mute`, { scope: were }))
          : undefined,
      },
    );
  }

  /** Who of them is muted now. @param {string} scope "all" or a unit */
  #mutedOf(scope) {
    return this.model.ids.peek().filter((id) => {
      const person = this.model.people.get(id)?.peek();
      return person?.audio_muted && (scope === "all" || isWithin(person.unit, scope));
    });
  }

  /** @param {string} id */
  toggleBroadcast(id) {
    return this.model.conference.peek().broadcast === id
      ? this.stopBroadcast()
      : this.broadcast(id);
  }

  /** @param {string} id */
  broadcast(id) {
    const before = this.model.conference.peek().broadcast;
    const name = this.model.person(id)?.label ?? id;
    return this.run("broadcast", () => send("PUT", `${this.path}/broadcast`, { participant: id }), {
      done: t("done.broadcast", { name }),
      undo: () => void (before ? this.broadcast(before) : this.stopBroadcast()),
    });
  }

  stopBroadcast() {
    const before = this.model.conference.peek().broadcast;
    return this.run("broadcast", () => send("DELETE", `${this.path}/broadcast`), {
      done: t("done.broadcast-stopped"),
      undo: before ? () => void this.broadcast(before) : undefined,
    });
  }

  /** Who presents alone is shown. @param {string} id */
  togglePresentation(id) {
    return this.model.conference.peek().presentation === id
      ? this.stopPresentation()
      : this.present(id);
  }

  /** @param {string} id */
  present(id) {
    const before = this.model.conference.peek().presentation;
    const name = this.model.person(id)?.label ?? id;
    return this.run(
      "presentation",
      () => send("PUT", `${this.path}/presentation`, { participant: id }),
      {
        done: t("done.present", { name }),
        undo: () => void (before ? this.present(before) : this.stopPresentation()),
      },
    );
  }

  stopPresentation() {
    const before = this.model.conference.peek().presentation;
    return this.run("presentation", () => send("DELETE", `${this.path}/presentation`), {
      done: t("done.present-stopped"),
      undo: before ? () => void this.present(before) : undefined,
    });
  }

  /** @param {any} body */
  #putLayout(body) {
    return send("PUT", `${this.path}/layout`, body);
  }

  /** How pictures of another shape stand in the slots of a view.
   * @param {string} view @param {string} fit */
  fit(view, fit) {
    const put = (/** @type {string} */ wanted) => {
      // Read when its turn has come: a layout that was chosen just before is not to be undone.
      const { layout, slots } = this.model.conference.peek().views[view];
      return this.#putLayout({ view, layout, slots: slots && slots.map(bare), fit: wanted });
    };
    const before = this.model.conference.peek().views[view].fit;
    return this.run(`layout:${view}`, () => put(fit), {
      done: t(`done.fit.${fit}`),
      undo: () => void this.run(`layout:${view}`, () => put(before)),
    });
  }

  /** @param {string} view @param {string} layout @param {any[] | null} slots */
  layout(view, layout, slots) {
    const before = this.model.conference.peek().views?.[view];
    const put = (/** @type {any} */ body) => this.#putLayout(body);
    return this.run(
      `layout:${view}`,
      () => put({ view, layout, slots: slots && slots.map(bare) }),
      {
        done: t("done.layout", { layout: layoutLabel(layout) }),
        undo:
          before &&
          (() =>
            void this.run(`layout:${view}`, () =>
              put({ view, layout: before.layout, slots: before.slots && before.slots.map(bare) }),
            )),
      },
    );
  }

  /** @param {string} id */
  makeChair(id) {
    const before = this.model.conference.peek().chair;
    const put = (/** @type {string | null} */ chair) => send("PATCH", this.path, { chair });
    return this.run("chair", () => put(id), {
      done: t("done.chair", { name: this.model.person(id)?.label ?? id }),
      undo: () => void this.run("chair", () => put(before)),
    });
  }

  /** Close its legs; it stays on the roster. @param {any} person */
  disconnect(person) {
    return this.run(
      `disconnect:${person.id}`,
      () =>
        Promise.all(
          person.legs.map((/** @type {string} */ leg) =>
            send("DELETE", `legs/${encodeURIComponent(leg)}`),
          ),
        ),
      { done: t("done.disconnect", { name: person.label }) },
    );
  }

  /** Take it off the roster. @param {any} person @param {string} [reason] what the room is told */
  remove(person, reason = "") {
    const again = person.bridge ? { bridge: person.bridge } : { name: person.name };
    return this.run(
      `remove:${person.id}`,
      () =>
        send(
          "DELETE",
          `${this.path}/participants/${encodeURIComponent(person.id)}${reason && `?${new URLSearchParams({ reason })}`}`,
        ),
      {
        done: t("done.remove", { name: person.label }),
        undo: () => void this.call(again),
      },
    );
  }

  /** Put somebody on the roster. @param {any} who with `bridge`, or with `name` or `address` for a guest */
  call(who) {
    return this.run(`call:${who.bridge ?? who.address ?? who.name}`, async () => {
      const { label } = await send("POST", `${this.path}/participants`, who);
      show({ tone: "good", text: t("done.added", { name: label }) });
    });
  }

  /** @param {string} id @param {{limit: number, picture: string}} terms */
  grantFloor(id, terms) {
    const body = { participant: id, picture: terms.picture };
    const limit = terms.limit ? { time_limit_s: terms.limit } : {};
    return this.run("floor", () => send("PUT", `${this.path}/floor`, { ...body, ...limit }));
  }

  endFloor() {
    return this.run("floor", () => send("DELETE", `${this.path}/floor`));
  }

  /** @param {boolean} interrupts */
  interruptFloor(interrupts) {
    const method = interrupts ? "PUT" : "DELETE";
    return this.run("floor", () => send(method, `${this.path}/floor/interruption`));
  }

  /** @param {string} id */
  withdrawRequest(id) {
    const query = new URLSearchParams({ participant: id });
    return this.run("floor", () => send("DELETE", `${this.path}/floor/requests?${query}`));
  }

  /** Show a room to the chair alone, or no more. @param {string} id */
  toggleChairView(id) {
    const before = this.model.conference.peek().chair_view;
    return this.run("chair-view", () =>
      before === id
        ? send("DELETE", `${this.path}/chair-view`)
        : send("PUT", `${this.path}/chair-view`, { participant: id }),
    );
  }

  /** @param {{interval_s: number, view: string, scope: string, except: string[]}} terms */
  startPolling(terms) {
    return this.run("polling", () => send("PUT", `${this.path}/polling`, terms));
  }

  /** @param {boolean} paused */
  pausePolling(paused) {
    return this.run("polling", () => send("PATCH", `${this.path}/polling`, { paused }));
  }

  /** @param {string} id who is shown */
  skipPolling(id) {
    return this.run("polling", () =>
      send("POST", `${this.path}/polling/skip`, { participant: id }),
    );
  }

  stopPolling() {
    return this.run("polling", () => send("DELETE", `${this.path}/polling`));
  }

  /** Call all expected rooms together. @param {any} terms */
  convene(terms) {
    return this.run("convening", () => send("POST", `${this.path}/convening`, terms), {
      done: t("done.convened"),
    });
  }

  /** @param {string | null} participant null: all of them */
  retryConvening(participant) {
    return this.run("convening", () =>
      send("POST", `${this.path}/convening/retry`, oneOrAll(participant)),
    );
  }

  /** @param {string | null} participant null: all of them */
  stopConvening(participant) {
    return this.run("convening", () => send("POST", `${this.path}/convening/stop`, oneOrAll(participant)));
  }

  /** @param {string | null} participant who waits to be let in; null: all */
  admit(participant) {
    return this.run("waiting", () => send("POST", `${this.path}/waiting/admit`, oneOrAll(participant)));
  }

  /** @param {string | null} participant who waits and is not let in; null: all */
  refuse(participant) {
    return this.run("waiting", () => send("POST", `${this.path}/waiting/refuse`, oneOrAll(participant)));
  }

  /** @param {any} one @param {string} decision wait, move or decline */
  decideConflict(one, decision) {
    const conference = one.side === "holding" ? one.conference : null;
    const path = `${this.path}/conflicts/${encodeURIComponent(one.bridge)}/decision`;
    return this.run(`conflict:${one.bridge}`, () => send("POST", path, { decision, conference }), {
      done: t(`done.conflict.${decision}`, { name: one.name }),
    });
  }

  /** Ask a room elsewhere in the tree to take part. @param {any} one */
  invite(one) {
    const body = { bridge: one.bridge };
    return this.run(`invite:${one.bridge}`, () => send("POST", `${this.path}/invitations`, body), {
      done: t("done.invited", { name: one.name }),
    });
  }

  /** @param {any} one */
  withdrawInvitation(one) {
    const path = `${this.path}/invitations/${encodeURIComponent(one.bridge)}`;
    return this.run(`invite:${one.bridge}`, () => send("DELETE", path), {
      done: t("done.invitation.withdraw", { name: one.name }),
    });
  }

  /** Move somebody to another conference. @param {any} person @param {any} target */
  transfer(person, target) {
    return this.run(
      `transfer:${person.id}`,
      () =>
        send("POST", `${this.path}/participants/${encodeURIComponent(person.id)}/transfer`, {
          conference: target.id,
        }),
      { done: t("done.transfer", { name: person.label, conference: target.name }) },
    );
  }

  /** @param {any} how */
  startRollCall(how) {
    return this.run("roll-call", () => send("POST", `${this.path}/roll-calls`, how));
  }

  /** @param {number} number @param {any} change */
  changeRollCall(number, change) {
    return this.run("roll-call", () =>
      send("PATCH", `${this.path}/roll-calls/${number}`, change),
    );
  }

  /** @param {number} number @param {string} id @param {string} status @param {string} [note] */
  markRoom(number, id, status, note = "") {
    return this.run("roll-call", () =>
      send("POST", `${this.path}/roll-calls/${number}/marks`, { participant: id, status, note }),
    );
  }

  /** @param {number} number @param {boolean} restAbsent */
  signRollCall(number, restAbsent) {
    const body = restAbsent ? { rest: "absent" } : {};
    return this.run(
      "roll-call",
      () => send("POST", `${this.path}/roll-calls/${number}/sign-off`, body),
      { done: t("done.roll-signed") },
    );
  }

  /** @param {number} number */
  cancelRollCall(number) {
    return this.run("roll-call", () => send("DELETE", `${this.path}/roll-calls/${number}`));
  }

  /** @param {string} text @param {number | null} seconds */
  message(text, seconds) {
    return this.run(
      "message",
      () => send("PUT", `${this.path}/message`, { text, duration_s: seconds }),
      { done: t("done.message") },
    );
  }

  /** @param {any} overlay */
  pinOverlay(overlay) {
    return this.run("overlay", () => send("POST", `${this.path}/overlays`, overlay));
  }

  /** @param {number} number */
  removeOverlay(number) {
    return this.run("overlay", () => send("DELETE", `${this.path}/overlays/${number}`));
  }

  clearMessage() {
    return this.run("message", () => send("DELETE", `${this.path}/message`));
  }

  /** @param {string | null} number @param {string | null} pin */
  dialIn(number, pin) {
    return this.run("dial", () => send("PATCH", this.path, { number, pin }), {
      done: t("done.dial"),
    });
  }

  /** Record a view with the main mix. @param {string | null} name @param {string} view */
  record(name, view) {
    return this.run("recording", () => send("POST", `${this.path}/recordings`, { name, view }), {
      done: t("done.recording"),
    });
  }

  /** @param {string} id */
  stopRecording(id) {
    const path = `${this.path}/recordings/${encodeURIComponent(id)}/stop`;
    return this.run("recording", () => send("POST", path), { done: t("done.recorded") });
  }

  /** Record the main view, or stop all that is recorded. */
  toggleRecording() {
    const runs = (this.model.conference.peek().recordings ?? []).length > 0;
    if (!runs) return this.record(null, "main");
    return this.run("recording", () => send("DELETE", `${this.path}/recordings`), {
      done: t("done.recorded"),
    });
  }

  /** @param {string} id */
  async deleteRecording(id) {
    const path = `${this.path}/recordings/${encodeURIComponent(id)}`;
    const done = await this.run("recording", () => send("DELETE", path), {
      done: t("done.recording-deleted"),
    });
    if (done) this.model.recordingChanges.value += 1; // deleting has no event
    return done;
  }

  /** Put a fault into rooms of a drill. @param {any} fault */
  injectFault(fault) {
    return this.run("drill", () => send("POST", `${this.path}/drill/faults`, fault));
  }

  /** @param {number | null} fault its number; null: all */
  clearFault(fault) {
    const path = `${this.path}/drill/faults${fault === null ? "" : `/${fault}`}`;
    return this.run("drill", () => send("DELETE", path));
  }

  /** @param {any[]} steps */
  setScript(steps) {
    return this.run("drill", () => send("PUT", `${this.path}/drill/script`, { steps }));
  }

  startScript() {
    return this.run("drill", () => send("POST", `${this.path}/drill/script/start`));
  }

  stopScript() {
    return this.run("drill", () => send("POST", `${this.path}/drill/script/stop`));
  }

  toggleLock() {
    const locked = this.model.conference.peek().locked;
    return this.run("lock", () => send(locked ? "DELETE" : "PUT", `${this.path}/lock`), {
      done: t(locked ? "done.unlock" : "done.lock"),
    });
  }

  end() {
    return this.run("end", () => send("DELETE", this.path));
  }
}

/** Whom an order concerns: "all" is said expressly. @param {string | null} participant */
const oneOrAll = (participant) => (participant === null ? { all: true } : { participant });

/** A slot as it may be sent: only the member that is set. @param {any} slot */
export const bare = (slot) =>
  Object.fromEntries(
    Object.entries(slot ?? {}).filter(([, value]) => value !== null && value !== undefined),
  );

// @ts-check
// When a leg is worth keeping: while packets arrive, whatever becomes of the request for a new way
// to the server (ICE restart), which is made again after a while. Time and packets are handed in.

import { Backoff } from "../shared/backoff.js";

const DEAD_MS = 7000; // so long without a packet, and the leg is beyond help
const STALL_MS = 1500; // so long without one is worth telling
const SAME_MS = 1000; // browsers tell of one change of the network more than once
const MOST_TRIES = 8;

/** @typedef {"flowing" | "stalled" | "dead" | "over"} Verdict */

export class Rescue {
  /** @param {number} now ms, as in all that follows @param {Backoff} [backoff] */
  constructor(now, backoff = new Backoff({ first: 500, most: 2000 })) {
    this.backoff = backoff;
    this.heardAt = now;
    this.packets = -1;
    this.tries = 0;
    this.askedAt = -Infinity;
    /** When a new way is asked for next; infinite: not any more. */
    this.askAt = now;
    this.asking = false;
    this.gone = false;
    /** Why the last request failed. @type {any} */
    this.error = null;
  }

  /** The network is another one, or the way to the server has failed: ask now. @param {number} now */
  begin(now) {
    if (now - this.askedAt < SAME_MS) return;
    this.tries = 0;
    this.backoff.reset();
    this.askAt = now;
  }

  /** Whether to ask for a new way now. @param {number} now */
  due(now) {
    return !this.asking && now >= this.askAt;
  }

  /** The request is on its way. @param {number} now */
  asked(now) {
    this.asking = true;
    this.askedAt = now;
    this.askAt = Infinity;
    this.tries += 1;
  }

  /** What became of it. @param {number} now @param {any} error null: there is a new way */
  answered(now, error) {
    this.asking = false;
    this.error = error;
    const status = error?.status ?? 0;
    this.gone = status === 404 || status === 410;
    // Any other refusal stays one; what may pass is asked again.
    const passing = error && (status === 0 || status === 429 || status >= 500);
    if (passing && this.tries < MOST_TRIES) {
      const delay = Math.max(this.backoff.next(), (error.retryAfter ?? 0) * 1000);
      this.askAt = Math.min(this.askAt, now + delay);
    }
  }

  /**
   * Judge the leg; to be called several times a second.
   * @param {number} now @param {number} packets received so far @param {boolean} connected
   * @returns {Verdict} `over`: it flows and nothing is left to do
   */
  look(now, packets, connected) {
    if (packets !== this.packets && this.packets >= 0) this.heardAt = now;
    this.packets = packets;
    const silent = now - this.heardAt;
    if (this.gone || silent >= DEAD_MS) return "dead";
    if (!connected || silent >= STALL_MS) return "stalled";
    return this.asking || this.askAt < Infinity ? "flowing" : "over";
  }
}

// @ts-check
// Watches a composed picture as any WHEP viewer does, and comes back by itself.

import { signal } from "../shared/base.js";
import { Backoff } from "../shared/backoff.js";
import { exchange, hangUp, leave, preferH264 } from "../shared/rtc.js";

const CONNECT_MS = 8000;
const DISCONNECTED_MS = 3000;
const LOOK_MS = 1000;
/** So many looks in a row at which nothing has come: browsers notice a dead server much later. */
const SILENT_LOOKS = 3;

/**
 * @typedef {{state: "connecting" | "live" | "stalled" | "waiting" | "off", retryAt: number, error: any}} Watch
 * "stalled": connected, but nothing comes any more.
 */

export class WhepPlayer {
  /** @param {string} conference @param {string} view */
  constructor(conference, view) {
    this.address = `/whep/${encodeURIComponent(conference)}?view=${encodeURIComponent(view)}`;
    /** @type {import("../../vendor/signals.js").Signal<Watch>} */
    this.watch = signal({ state: "connecting", retryAt: 0, error: null });
    /** @type {import("../../vendor/signals.js").Signal<MediaStream | null>} */
    this.stream = signal(null);
    this.backoff = new Backoff({ first: 1000, most: 15_000 });
    /** @type {RTCPeerConnection | null} */
    this.peer = null;
    this.leg = "";
    this.timer = 0;
    this.looking = 0;
    this.closed = false;
    void this.#connect();
  }

  /** @param {boolean} [gone] the server has closed the leg already */
  close(gone = false) {
    this.closed = true;
    if (gone) this.leg = "";
    this.#drop();
    this.watch.value = { state: "off", retryAt: 0, error: null };
  }

  retryNow() {
    if (this.watch.peek().state === "waiting") void this.#connect();
  }

  #drop() {
    clearTimeout(this.timer);
    clearInterval(this.looking);
    if (this.peer) {
      this.peer.onconnectionstatechange = null;
      void hangUp(this.peer, this.leg);
    }
    this.peer = null;
    this.stream.value = null;
    this.leg = "";
  }

  async #connect() {
    this.#drop();
    if (this.closed) return;
    this.watch.value = { state: "connecting", retryAt: 0, error: this.watch.peek().error };
    const peer = (this.peer = new RTCPeerConnection({ bundlePolicy: "max-bundle" }));
    peer.addTransceiver("audio", { direction: "recvonly" });
    preferH264(peer.addTransceiver("video", { direction: "recvonly" }));
    const stream = new MediaStream();
    peer.ontrack = ({ track }) => stream.addTrack(track);
    peer.onconnectionstatechange = () => this.#changed(peer, stream);
    this.timer = setTimeout(() => this.#again(null), CONNECT_MS);
    try {
      const leg = await exchange(peer, this.address);
      if (this.peer === peer) this.leg = leg;
      else await leave(leg);
    } catch (error) {
      if (this.peer === peer) this.#again(error);
    }
  }

  /** @param {RTCPeerConnection} peer @param {MediaStream} stream */
  #changed(peer, stream) {
    if (this.peer !== peer) return;
    clearTimeout(this.timer);
    if (peer.connectionState === "connected") {
      this.backoff.reset();
      this.stream.value = stream;
      this.watch.value = { state: "live", retryAt: 0, error: null };
      this.#look(peer);
    } else if (peer.connectionState === "disconnected") {
      this.timer = setTimeout(() => this.#again(null), DISCONNECTED_MS);
    } else if (peer.connectionState === "failed" || peer.connectionState === "closed") {
      this.#again(null);
    } else this.timer = setTimeout(() => this.#again(null), CONNECT_MS);
  }

  /** Say so as soon as nothing comes, and again when something does. @param {RTCPeerConnection} peer */
  #look(peer) {
    let before = -1;
    let silent = 0;
    clearInterval(this.looking);
    this.looking = setInterval(async () => {
      let packets = 0;
      (await peer.getStats()).forEach((entry) => {
        if (entry.type === "inbound-rtp") packets += entry.packetsReceived ?? 0;
      });
      if (this.peer !== peer) return;
      silent = packets === before ? silent + 1 : 0;
      before = packets;
      const state = silent < SILENT_LOOKS ? "live" : "stalled";
      if (this.watch.peek().state !== state) this.watch.value = { state, retryAt: 0, error: null };
    }, LOOK_MS);
  }

  /** @param {any} error */
  #again(error) {
    this.#drop();
    if (this.closed) return;
    const delay = Math.max(this.backoff.next(), (error?.retryAfter ?? 0) * 1000);
    this.watch.value = { state: "waiting", retryAt: Date.now() + delay, error };
    this.timer = setTimeout(() => void this.#connect(), delay);
  }
}

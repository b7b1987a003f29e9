// @ts-check
// One WebRTC connection of this room: offer, media, what the mixer asks of the camera, and the
// signs that it is not well. When it is beyond help its owner makes another one.

import { exchange, hangUp, leave, legId, legPath, preferH264, restartIce } from "../shared/rtc.js";
import { ApiError, roomHeader, session } from "../shared/api.js";
import { between, read } from "./line.js";
import { Rescue } from "./rescue.js";

const CONNECT_MS = 12_000;
const UNSTEADY_MS = 3000; // a short interruption mends itself
const LOOK_MS = 400; // how often a leg in trouble is judged
const ASK_MS = 5000; // how long the answer to an ICE restart may take
const STATISTICS_MS = 2000;
const FIRST_BITRATE = 1_500_000; // until the mixer says what it shows

/**
 * @typedef {{width: number, height: number, fps: number, bitrate_bps: number, paused: boolean}} SourceRequest
 * @typedef {{onConnected: () => void, onUnsteady: (unsteady: boolean) => void,
 *   onFailed: (error: any) => void, onLine: (line: import("./line.js").Line) => void}} LegOwner
 */

export class Leg {
  /**
   * @param {string} conference
   * @param {{audio: MediaStreamTrack | null, video: MediaStreamTrack | null, presentation: MediaStreamTrack | null}} tracks
   * @param {LegOwner} owner
   */
  constructor(conference, tracks, owner) {
    this.owner = owner;
    this.address = "";
    this.closed = false;
    this.connected = false;
    this.timer = 0;
    this.statistics = 0;
    this.looking = 0;
    /** While the way to the server is in doubt. @type {Rescue | null} */
    this.rescue = null;
    /** @type {import("./line.js").Reading | null} */
    this.reading = null;
    this.abort = new AbortController();
    this.stream = new MediaStream();
    this.peer = new RTCPeerConnection({ bundlePolicy: "max-bundle" });
    const both = (/** @type {string} */ kind, /** @type {MediaStreamTrack | null} */ track) =>
      this.peer.addTransceiver(track ?? kind, { direction: "sendrecv" });
    this.audio = both("audio", tracks.audio);
    this.video = both("video", tracks.video);
    preferH264(this.video);
    /** @type {RTCRtpTransceiver | null} */
    this.presentation = null;
    if (tracks.presentation) {
      this.presentation = this.peer.addTransceiver(tracks.presentation, { direction: "sendonly" });
      preferH264(this.presentation);
    }
    this.peer.ontrack = ({ track }) => this.stream.addTrack(track);
    this.peer.onconnectionstatechange = () => this.#changed();
    void this.#connect(`/api/v1/conferences/${encodeURIComponent(conference)}/legs`);
  }

  get id() {
    return this.address ? legId(this.address) : "";
  }

  /** @param {string} address */
  async #connect(address) {
    this.timer = setTimeout(() => this.#fail(null), CONNECT_MS);
    try {
      const leg = await exchange(this.peer, address, this.abort.signal);
      if (this.closed) await leave(leg);
      else {
        this.address = leg;
        await this.request("video", {
          width: 1280,
          height: 720,
          fps: 25,
          bitrate_bps: FIRST_BITRATE,
          paused: false,
        });
      }
    } catch (error) {
      if (!this.closed) this.#fail(error);
    }
  }

  #changed() {
    if (this.closed) return;
    const { connectionState } = this.peer;
    if (connectionState === "connected") {
      clearTimeout(this.timer);
      this.timer = 0;
      this.owner.onUnsteady(false);
      if (!this.connected) {
        this.connected = true;
        this.statistics = setInterval(() => void this.#measure(), STATISTICS_MS);
        this.owner.onConnected();
      }
    } else if (connectionState === "disconnected") {
      clearTimeout(this.timer);
      this.timer = setTimeout(() => this.restart(), UNSTEADY_MS);
    } else if (connectionState === "failed" || connectionState === "closed") {
      this.#fail(null);
    }
  }

  /**
   * Find a new way to the server without leaving the conference. A leg on which packets arrive is
   * kept, whether that succeeds or not; a silent one is given up after a while.
   */
  restart() {
    if (this.closed || !this.connected) return;
    clearTimeout(this.timer);
    const now = performance.now();
    if (this.rescue) this.rescue.begin(now);
    else {
      this.rescue = new Rescue(now);
      this.looking = setInterval(() => void this.#look(), LOOK_MS);
    }
    void this.#look();
  }

  async #look() {
    const { packets } = read(await this.peer.getStats(), 0);
    const { rescue } = this;
    if (this.closed || !rescue) return;
    const now = performance.now();
    const verdict = rescue.look(now, packets, this.peer.connectionState === "connected");
    this.owner.onUnsteady(verdict === "stalled" || verdict === "dead");
    if (verdict === "dead") this.#fail(rescue.error instanceof ApiError ? rescue.error : null);
    else if (verdict === "over") this.#endRescue();
    else if (rescue.due(now)) await this.#ask(rescue);
  }

  /** @param {Rescue} rescue */
  async #ask(rescue) {
    rescue.asked(performance.now());
    let failure = null;
    try {
      await restartIce(this.peer, this.address, AbortSignal.timeout(ASK_MS));
    } catch (error) {
      failure = error;
    }
    rescue.answered(performance.now(), failure);
  }

  #endRescue() {
    clearInterval(this.looking);
    this.rescue = null;
  }

  /** @param {any} error */
  #fail(error) {
    if (this.closed) return;
    this.close();
    this.owner.onFailed(error);
  }

  async #measure() {
    const reading = read(await this.peer.getStats(), performance.now());
    if (this.reading && !this.closed) this.owner.onLine(between(this.reading, reading));
    this.reading = reading;
  }

  /** @param {"audio" | "video"} kind @param {MediaStreamTrack | null} track */
  async replace(kind, track) {
    const { sender } = this[kind];
    if (this.closed || sender.track === track) return;
    await sender.replaceTrack(track);
  }

  /**
   * Send only the pixels, pictures and bits that the layout shows.
   * @param {"video" | "presentation"} source @param {SourceRequest} wanted
   */
  async request(source, wanted) {
    const sender = (source === "video" ? this.video : this.presentation)?.sender;
    if (!sender || this.closed) return;
    const parameters = sender.getParameters();
    const [encoding] = parameters.encodings ?? [];
    if (!encoding) return; // nothing negotiated to be sent
    const { width = 0, height = 0 } = sender.track?.getSettings() ?? {};
    const scale = Math.min(
      wanted.width ? width / wanted.width : 1,
      wanted.height ? height / wanted.height : 1,
    );
    encoding.active = !wanted.paused;
    encoding.scaleResolutionDownBy = Math.max(1, scale || 1);
    if (wanted.fps > 0) encoding.maxFramerate = wanted.fps;
    if (wanted.bitrate_bps > 0) encoding.maxBitrate = wanted.bitrate_bps;
    await sender.setParameters(parameters);
  }

  /**
   * Close for good; the server is told so that it need not wait for silence.
   * @param {boolean} [gone] it was the server that closed the leg
   */
  close(gone = false) {
    if (this.closed) return;
    this.closed = true;
    this.abort.abort();
    clearTimeout(this.timer);
    clearInterval(this.statistics);
    this.#endRescue();
    this.peer.onconnectionstatechange = null;
    void hangUp(this.peer, gone ? "" : this.address);
  }

  /** The same while the page goes away, when only a request that may outlive it gets through. */
  abandon() {
    if (this.closed || !this.address) return;
    void fetch(legPath(this.address), {
      method: "DELETE",
      keepalive: true,
      credentials: "same-origin",
      headers: { "X-CSRF-Token": session.peek()?.csrf_token ?? "", ...roomHeader() },
    });
  }
}

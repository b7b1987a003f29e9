// @ts-check
// Camera, microphone and loudspeaker of the room: chosen, remembered, and taken again by
// themselves when a plug was out for a moment. A missing one never keeps the other from working.

import { signal } from "../shared/base.js";
import { Backoff } from "../shared/backoff.js";

const STORED = "mcu.devices";

export const CAMERA = {
  width: { ideal: 1280 },
  height: { ideal: 720 },
  frameRate: { ideal: 25, max: 30 },
};
export const MICROPHONE = { echoCancellation: true, noiseSuppression: true, autoGainControl: true };

/** @typedef {"videoinput" | "audioinput"} InputKind */

/** One input of a kind: the track it gives now, or the reason why it gives none. */
class Input {
  /** @param {InputKind} kind @param {MediaTrackConstraints} wanted @param {any} remembered */
  constructor(kind, wanted, remembered) {
    this.kind = kind;
    this.wanted = wanted;
    /** @type {import("../../vendor/signals.js").Signal<MediaStreamTrack | null>} */
    this.track = signal(null);
    /** Name of the DOMException, or null. @type {import("../../vendor/signals.js").Signal<string | null>} */
    this.problem = signal(null);
    /** @type {{id: string, label: string} | null} */
    this.remembered = remembered ?? null;
    this.backoff = new Backoff({ first: 1000, most: 10_000 });
    this.timer = 0;
    this.asked = 0;
  }

  get id() {
    return this.track.value?.getSettings().deviceId ?? "";
  }

  /** @param {MediaDeviceInfo[]} known @param {string} [id] exactly this device */
  async open(known, id) {
    const asking = ++this.asked;
    clearTimeout(this.timer);
    // The old track goes first: many cameras of old laptops cannot be opened twice.
    this.close();
    try {
      const stream = await this.#ask(id ?? this.#rememberedId(known), id !== undefined);
      const [track] = stream.getTracks();
      if (asking !== this.asked) {
        track.stop();
        return;
      }
      track.contentHint = this.kind === "videoinput" ? "motion" : "speech";
      track.addEventListener("ended", () => {
        if (this.track.value !== track) return;
        this.track.value = null;
        this.problem.value = "NotFoundError";
        this.#again();
      });
      this.backoff.reset();
      this.problem.value = null;
      this.track.value = track;
    } catch (error) {
      if (asking !== this.asked) return;
      this.problem.value = /** @type {any} */ (error)?.name ?? "UnknownError";
      if (this.problem.value !== "NotAllowedError") this.#again();
    }
  }

  /**
   * @param {string | undefined} id of the device that is wanted
   * @param {boolean} insist no other will do
   */
  async #ask(id, insist) {
    const ask = (/** @type {MediaTrackConstraints} */ constraints) =>
      navigator.mediaDevices.getUserMedia(
        this.kind === "videoinput" ? { video: constraints } : { audio: constraints },
      );
    if (!id) return ask(this.wanted);
    try {
      return await ask({ ...this.wanted, deviceId: { exact: id } });
    } catch (error) {
      const gone =
        error instanceof DOMException &&
        ["OverconstrainedError", "NotFoundError"].includes(error.name);
      if (insist || !(gone || error instanceof OverconstrainedError)) throw error;
      return ask(this.wanted);
    }
  }

  close() {
    this.track.value?.stop();
    this.track.value = null;
  }

  #again() {
    clearTimeout(this.timer);
    this.timer = setTimeout(async () => {
      await this.open(await navigator.mediaDevices.enumerateDevices());
    }, this.backoff.next());
  }

  /** Ids change when site data is cleared or a plug moves; the label then still tells. Before the
   * first permission neither is shown, and the id is tried as it is.
   * @param {MediaDeviceInfo[]} known */
  #rememberedId(known) {
    const mine = known.filter((device) => device.kind === this.kind);
    if (!mine.some((device) => device.deviceId)) return this.remembered?.id || undefined;
    const found =
      mine.find((device) => device.deviceId === this.remembered?.id) ??
      mine.find((device) => device.label && device.label === this.remembered?.label);
    return found?.deviceId || undefined;
  }
}

export class Devices {
  constructor() {
    const remembered = readRemembered();
    this.camera = new Input("videoinput", CAMERA, remembered.videoinput);
    this.microphone = new Input("audioinput", MICROPHONE, remembered.audioinput);
    /** @type {import("../../vendor/signals.js").Signal<MediaDeviceInfo[]>} */
    this.known = signal([]);
    this.speaker = signal(remembered.audiooutput?.id ?? "");
    /** Browsers hide devices from pages that came over plain HTTP. */
    this.possible = Boolean(navigator.mediaDevices?.getUserMedia);
  }

  async open() {
    if (!this.possible) return;
    navigator.mediaDevices.addEventListener("devicechange", () => void this.#changed());
    await this.#list();
    // One after the other: some browsers ask only once when both questions come together.
    await this.camera.open(this.known.value);
    await this.microphone.open(this.known.value);
    await this.#list(); // labels are told only after permission
  }

  async #list() {
    this.known.value = await navigator.mediaDevices.enumerateDevices();
  }

  async #changed() {
    await this.#list();
    for (const input of [this.camera, this.microphone]) {
      if (!input.track.value && input.problem.value !== "NotAllowedError")
        await input.open(this.known.value);
    }
  }

  /** @param {"videoinput" | "audioinput" | "audiooutput"} kind @param {string} id */
  async choose(kind, id) {
    const device = this.known.value.find((known) => known.kind === kind && known.deviceId === id);
    const choice = { id, label: device?.label ?? "" };
    remember(kind, choice);
    if (kind === "audiooutput") {
      this.speaker.value = id;
      return;
    }
    const input = kind === "videoinput" ? this.camera : this.microphone;
    input.remembered = choice;
    await input.open(this.known.value, id);
  }

  /** @param {string} kind */
  list(kind) {
    return this.known.value.filter((device) => device.kind === kind && device.deviceId !== "");
  }
}

/** @returns {Record<string, any>} */
function readRemembered() {
  try {
    return JSON.parse(localStorage.getItem(STORED) ?? "{}") ?? {};
  } catch {
    return {}; // forbidden or spoilt: the browser's default devices are taken
  }
}

/** @param {string} kind @param {{id: string, label: string}} choice */
function remember(kind, choice) {
  try {
    localStorage.setItem(STORED, JSON.stringify({ ...readRemembered(), [kind]: choice }));
  } catch {
    // in force until the page is left
  }
}

const METER_MS = 80;

/**
 * Loudness of a microphone track in dBov, several times a second, until the returned function is
 * called.
 * @param {MediaStreamTrack} track @param {(db: number) => void} onLevel
 */
export function measure(track, onLevel) {
  const context = new AudioContext();
  const analyser = new AnalyserNode(context, { fftSize: 2048 });
  context.createMediaStreamSource(new MediaStream([track])).connect(analyser);
  const samples = new Float32Array(analyser.fftSize);
  const wake = () => void context.resume();
  addEventListener("pointerdown", wake);
  const timer = setInterval(() => {
    analyser.getFloatTimeDomainData(samples);
    let power = 0;
    for (const sample of samples) power += sample * sample;
    onLevel(power > 0 ? Math.max(-127, 10 * Math.log10(power / samples.length)) : -127);
  }, METER_MS);
  return () => {
    clearInterval(timer);
    removeEventListener("pointerdown", wake);
    void context.close();
  };
}

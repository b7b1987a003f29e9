// @ts-check
// What the room itself has switched off. The server knows one flag each for sound and picture, set
// by the operator or by the room; this remembers which of them are the room's own doing.

import { signal } from "../shared/base.js";

const STORED = "mcu.self-muted";

/** @typedef {"audio" | "video"} Kind */

export class Switches {
  /** @param {import("./devices.js").Devices} devices @param {boolean} unattended */
  constructor(devices, unattended) {
    this.devices = devices;
    this.unattended = unattended;
    /** @type {import("../../vendor/signals.js").Signal<{audio: boolean, video: boolean}>} */
    this.off = signal(readStored());
    /** The operator opened a microphone that the room itself had closed. */
    this.askedToOpen = signal(false);
  }

  /** @param {Kind} kind @param {boolean} off */
  set(kind, off) {
    this.off.value = { ...this.off.value, [kind]: off };
    if (kind === "audio") this.askedToOpen.value = false;
    try {
      sessionStorage.setItem(STORED, JSON.stringify(this.off.value));
    } catch {
      // forgotten when the page is loaded anew
    }
    const input = kind === "audio" ? this.devices.microphone : this.devices.camera;
    this.apply(kind, input.track.peek());
  }

  /** A track is as its switch is, also when it is a new one. @param {Kind} kind
   * @param {MediaStreamTrack | null} track */
  apply(kind, track) {
    if (track) track.enabled = !this.off.peek()[kind];
  }

  /** Follow what has become of this room's participant. @param {any} before @param {any} now */
  follow(before, now) {
    const opened = (/** @type {Kind} */ kind) =>
      before?.[`${kind}_muted`] && now && !now[`${kind}_muted`] && this.off.peek()[kind];
    if (opened("video") && this.unattended) this.set("video", false);
    if (!opened("audio")) return;
    // Where somebody is there, a microphone is not opened behind their back.
    if (this.unattended) this.set("audio", false);
    else this.askedToOpen.value = true;
  }
}

function readStored() {
  const open = { audio: false, video: false };
  try {
    return { ...open, ...JSON.parse(sessionStorage.getItem(STORED) ?? "{}") };
  } catch {
    return open; // forbidden or spoilt
  }
}

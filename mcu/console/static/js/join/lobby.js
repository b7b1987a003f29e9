// @ts-check
// Before and between conferences: camera and microphone are chosen and seen to work.

import { html, useEffect, useLayoutEffect, useRef } from "../shared/base.js";
import { session } from "../shared/api.js";
import { Countdown, LanguageSwitch, Problem } from "../shared/controls.js";
import { Icon } from "../shared/icons.js";
import { hasText, t } from "../shared/i18n.js";
import { measure } from "./devices.js";

const FLOOR_DB = -60;

/** @param {{room: import("./room.js").Room}} props */
export function Lobby({ room }) {
  const { devices } = room;
  const phase = room.phase.value;
  useEffect(() => {
    const press = (/** @type {KeyboardEvent} */ event) => {
      const plain = !event.ctrlKey && !event.altKey && !event.metaKey;
      if (event.code === "KeyJ" && plain && room.isCalledIn) room.ready();
    };
    addEventListener("keydown", press);
    return () => removeEventListener("keydown", press);
  }, [room]);
  return html`<main class="lobby">
    <header class="lobby-head">
      <div>
        <h1>${room.me.value?.label ?? (room.name.value || t("join.title"))}</h1>
        <p class="quiet">${room.conference.value?.name ?? t("join.no-conference")}</p>
      </div>
      <${LanguageSwitch} />
    </header>
    <div class="lobby-body">
      <section class="check">
        <${Preview} devices=${devices} />
        <${Meter} devices=${devices} />
      </section>
      <section class="card choices">
        ${!devices.possible && html`<${Forbidden} />`}
        ${
          devices.possible &&
          html` <${Choice}
              devices=${devices}
              kind="videoinput"
              input=${devices.camera}
              name="camera"
            />
            <${Choice}
              devices=${devices}
              kind="audioinput"
              input=${devices.microphone}
              name="microphone"
            />
            <${Choice} devices=${devices} kind="audiooutput" name="speaker" />`
        }
        <${Next} room=${room} phase=${phase} />
      </section>
    </div>
  </main>`;
}

/** What comes next, and the one button for it. @param {{room: import("./room.js").Room, phase: string}} props */
function Next({ room, phase }) {
  if (phase === "out" && room.reason.value === "revoked") {
    return html`<div class="next" role="alert">
      <p class="big">${t("join.out.revoked")}</p>
      <p class="note">${t("join.out.revoked.explain")}</p>
    </div>`;
  }
  if (session.value === null) {
    return html`<div class="next" role="alert">
      <p class="note">${t("join.bad-link")}</p>
      <button type="button" onClick=${() => location.reload()}>
        <${Icon} name="refresh" />${t("try-again")}
      </button>
    </div>`;
  }
  if (phase === "waiting") {
    const { at, error } = room.retry.value;
    const link = room.link.value;
    // Also while it is tried, so that the button keeps the keyboard's focus.
    const cut = link.state === "waiting" || (link.state === "connecting" && link.attempt > 0);
    return html`<div class="next waiting" role="status">
      <p class="big">
        <span class="pulse"></span>${room.conference.value ? t("join.joining") : t("join.waiting")}
      </p>
      ${room.farewell.value && html`<p class="note" role="alert">${t("join.removed", { reason: room.farewell.value })}</p>`}
      ${
        cut
          ? html`<p class="quiet">${t("link.lost")}</p>
              <p class="quiet"><${Attempt} at=${link.state === "waiting" ? link.retryAt : 0} /></p>`
          : error
            ? html`<${Problem} error=${error} />
                <p class="quiet"><${Attempt} at=${at} /></p>`
            : html`<p class="quiet">${t("join.waiting-explain")}</p>`
      }
      ${
        (cut || error) &&
        html`<button type="button" class="primary" onClick=${() => room.retryNow()}>
          <${Icon} name="refresh" />${t("link.now")}
        </button>`
      }
      <button type="button" onClick=${() => room.backToSetup()}>${t("join.not-ready")}</button>
    </div>`;
  }
  if (phase === "out") {
    return html`<div class="next" role="status">
      <p class="big">${t(`join.out.${room.reason.value}`)}</p>
      <p class="quiet">${t(`join.out.${room.reason.value}.explain`)}</p>
      <button type="button" class="primary go" onClick=${() => room.ready()}>
        <${Icon} name="refresh" />${t("join.rejoin")}
      </button>
    </div>`;
  }
  const called = room.isCalledIn;
  return html`<div class="next">
    ${called && html`<p class="big called-in" role="alert"><span class="pulse"></span>${t("join.convened")}</p>`}
    <button type="button" class="primary go" autofocus onClick=${() => room.ready()}>
      <${Icon} name="check" />${t(called ? "join.convened.go" : "join.ready")}
    </button>
    <label class="choice"
      ><input
        type="checkbox"
        checked=${room.byItself.value}
        onChange=${(/** @type {any} */ e) => room.comeByItself(e.target.checked)}
      />${t("join.convened.by-itself")}</label
    >
    <p class="quiet">${t(room.conference.value ? "join.ready-now" : "join.ready-later")}</p>
    ${room.me.value?.state === "connected" && html`<p class="note">${t("join.elsewhere")}</p>`}
  </div>`;
}

/** When it is tried next, or that it is tried now. @param {{at: number}} props ms since 1970 */
function Attempt({ at }) {
  return at > Date.now()
    ? html`<${Countdown} text="link.again" until=${at} />`
    : t("link.trying");
}

/** @param {{devices: import("./devices.js").Devices}} props */
function Preview({ devices }) {
  const video = useRef(/** @type {HTMLVideoElement | null} */ (null));
  const track = devices.camera.track.value;
  useLayoutEffect(() => {
    if (!video.current) return;
    video.current.srcObject = track ? new MediaStream([track]) : null;
    if (track)
      void video.current.play().catch((error) => console.warn("preview waits:", error.name));
  }, [track]);
  return html`<div class="preview">
    <video ref=${video} muted playsinline hidden=${!track} aria-label=${t("join.preview")}></video>
    ${!track && html`<p><${Icon} name="camera-off" />${t("join.no-picture")}</p>`}
  </div>`;
}

/** @param {{devices: import("./devices.js").Devices}} props */
function Meter({ devices }) {
  const bar = useRef(/** @type {HTMLElement | null} */ (null));
  const track = devices.microphone.track.value;
  useEffect(() => {
    if (!track) return undefined;
    return measure(track, (db) => {
      if (bar.current) bar.current.style.transform = `scaleX(${Math.max(0, 1 - db / FLOOR_DB)})`;
    });
  }, [track]);
  return html`<div class="big-meter">
    <${Icon} name=${track ? "mic" : "mic-off"} />
    <div class="meter"><span class="level" ref=${bar}></span></div>
    <span class="quiet">${t(track ? "join.speak" : "join.no-sound")}</span>
  </div>`;
}

/** @param {{devices: import("./devices.js").Devices, kind: "videoinput" | "audioinput" | "audiooutput", input?: any, name: string}} props */
export function Choice({ devices, kind, input, name }) {
  const list = devices.list(kind);
  if (kind === "audiooutput" && (!list.length || !("setSinkId" in HTMLMediaElement.prototype)))
    return null;
  const problem = input?.problem.value;
  const now = input ? input.id : devices.speaker.value;
  const none = problem === "NotAllowedError" ? "join.not-allowed" : "join.none";
  return html`<div class="choice-of">
    <label
      >${t(`join.${name}`)}
      <select
        value=${now}
        disabled=${!list.length}
        data-kind=${kind}
        onChange=${(/** @type {any} */ e) => void devices.choose(kind, e.target.value)}
      >
        ${(!list.length || !list.some((device) => device.deviceId === now)) && html`<option value=${now}>${t(list.length ? "join.default" : none)}</option>`}
        ${list.map(
          (device, index) =>
            html`<option key=${device.deviceId} value=${device.deviceId}>
              ${device.label || t("join.device", { number: index + 1 })}
            </option>`,
        )}
      </select>
    </label>
    ${
      problem &&
      html`<div class="problem" role="alert">
        <${Icon} name="warning" />
        <div>
          <p>${t(hasText(`device.${problem}`) ? `device.${problem}` : "device.other")}</p>
          <button type="button" class="small" onClick=${() => void input.open(devices.known.value)}>
            ${t("try-again")}
          </button>
        </div>
      </div>`
    }
  </div>`;
}

/** The browser gives no devices to this address at all. */
const Forbidden = () =>
  html`<div class="problem" role="alert">
    <${Icon} name="warning" />
    <div>
      <p><b>${t("insecure.title")}</b></p>
      <p>${t("insecure.explain")}</p>
      <p><a href=${`https://${location.host}/join`}>https://${location.host}/join</a></p>
      <p class="quiet">${t("insecure.certificate")}</p>
    </div>
  </div>`;

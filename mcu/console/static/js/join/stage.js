// @ts-check
// In the conference: the composed picture over the whole screen, and what the room needs to know.

import { classes, html, useEffect, useLayoutEffect, useRef, useState } from "../shared/base.js";
import { Countdown, Dialog, LanguageSwitch, showError } from "../shared/controls.js";
import { ApiError } from "../shared/api.js";
import { ClockDown } from "../shared/clockdown.js";
import { Icon } from "../shared/icons.js";
import { number, t } from "../shared/i18n.js";
import { Choice } from "./lobby.js";

const IDLE_MS = 4000;

/** @param {{room: import("./room.js").Room}} props */
export function Stage({ room }) {
  const box = useRef(/** @type {HTMLElement | null} */ (null));
  const idle = useIdle();
  const phase = room.phase.value;
  const [choosing, setChoosing] = useState(false);
  useWakeLock(phase === "live");
  useStageKeys(room, box);
  const steady = phase === "live" && !room.unsteady.value;
  return html`<main ref=${box} class=${classes("stage", idle && steady && !choosing && "idle")}>
    <${Picture} room=${room} />
    <${Status} room=${room} />
    <${Hints} room=${room} />
    ${phase !== "live" && html`<${Away} room=${room} />`}
    <${Bar} room=${room} box=${box} onChoose=${() => setChoosing(true)} />
    ${
      choosing &&
      html`<${Dialog} title=${t("join.devices")} onClose=${() => setChoosing(false)}>
        <div class="choices">
          <${Choice}
            devices=${room.devices}
            kind="videoinput"
            input=${room.devices.camera}
            name="camera"
          />
          <${Choice}
            devices=${room.devices}
            kind="audioinput"
            input=${room.devices.microphone}
            name="microphone"
          />
          <${Choice} devices=${room.devices} kind="audiooutput" name="speaker" />
        </div>
      <//>`
    }
  </main>`;
}

/** @param {{room: import("./room.js").Room}} props */
function Picture({ room }) {
  const video = useRef(/** @type {any} */ (null));
  const [silent, setSilent] = useState(false);
  const stream = room.stream.value;
  const speaker = room.devices.speaker.value;
  useLayoutEffect(() => {
    const element = video.current;
    if (element.srcObject === stream) return;
    element.srcObject = stream;
    if (stream)
      element.play().then(
        () => setSilent(false),
        (/** @type {any} */ error) => setSilent(error.name === "NotAllowedError"),
      );
  }, [stream]);
  useEffect(() => {
    if (speaker && video.current.setSinkId) video.current.setSinkId(speaker).catch(showError);
  }, [speaker]);
  return html`<video ref=${video} class="composed" playsinline autoplay></video> ${
      silent &&
      html`<button
        type="button"
        class="primary go sound"
        onClick=${() => video.current.play().then(() => setSilent(false), showError)}
      >
        <${Icon} name="speaker" />${t("join.start-sound")}
      </button>`
    }`;
}

/** Name, line and what is switched off: small, always there. @param {{room: import("./room.js").Room}} props */
function Status({ room }) {
  const line = room.line.value;
  return html`<div class="status">
    <span class="chip name"><b>${room.me.value?.label ?? ""}</b></span>
    ${line && html`<span class=${`chip line ${line.grade}`} title=${details(line)}>${words(line)}</span>`}
    ${room.mutedByOperator("audio") && html`<span class="chip off"><${Icon} name="mic-off" />${t("join.muted-by-operator")}</span>`}
    ${room.switches.off.value.audio && html`<span class="chip off"><${Icon} name="mic-off" />${t("join.self-muted")}</span>`}
    ${room.mutedByOperator("video") && html`<span class="chip off"><${Icon} name="camera-off" />${t("join.video-off-by-operator")}</span>`}
    ${room.switches.off.value.video && html`<span class="chip off"><${Icon} name="camera-off" />${t("join.self-video-off")}</span>`}
    ${room.informed && room.floor.place > 0 && html`<span class="chip on"><${Icon} name="hand" />${t("join.waits-floor", { place: room.floor.place })}</span>`}
    ${room.presentation.value && html`<span class="chip on"><${Icon} name="screen" />${t("join.presenting")}</span>`}
    ${room.informed && room.conference.value?.broadcast === room.bridge && html`<span class="chip air"><${Icon} name="broadcast" />${t("join.on-air")}</span>`}
    ${room.conference.value?.drill && html`<span class="chip drill" role="status"><${Icon} name="warning" />${t("drill.badge")}</span>`}
    ${room.conference.value?.recordings?.length > 0 && html`<span class="chip recorded" role="status"><span class="rec-dot"></span>${t("join.recorded")}</span>`}
    ${room.informed && room.speaking.value && html`<span class="chip on"><${Icon} name="mic" />${t("join.speaking")}</span>`}
  </div>`;
}

/** The line in plain words. @param {import("./line.js").Line} line */
function words(line) {
  if (line.silent) return t("line.silent");
  const parts = [t(`line.${line.grade}`)];
  if (line.lossPercent >= 0.5) parts.push(t("line.loss", { value: number(line.lossPercent, 1) }));
  if (line.grade !== "good" && line.tripMs)
    parts.push(t("line.trip", { value: number(line.tripMs) }));
  return parts.join(" · ");
}

/** @param {import("./line.js").Line} line */
function details(line) {
  return [
    t("line.loss", { value: number(line.lossPercent, 1) }),
    t("line.jitter", { value: number(line.jitterMs) }),
    line.tripMs !== null && t("line.trip", { value: number(line.tripMs) }),
    line.fpsIn !== null && t("line.fps", { value: number(line.fpsIn) }),
    t("line.rate", { down: number(line.kbitIn), up: number(line.kbitOut) }),
    line.widthOut !== null &&
      t("line.sends", { width: line.widthOut, height: line.heightOut ?? 0 }),
  ]
    .filter(Boolean)
    .join(" · ");
}

/** In a readiness check: whether the tone is heard. @param {{room: import("./room.js").Room}} props */
function Readiness({ room }) {
  const check = room.readiness.value;
  if (!check || !["measuring", "confirming"].includes(check.phase)) return null;
  if (check.confirmation) {
    return html`<p class="hint called"><${Icon} name="check" />${t("readiness.join.said")}</p>`;
  }
  const say = (/** @type {boolean} */ heard) => () => room.confirmSound(heard).catch(showError);
  return html`<p class="hint called">
    <${Icon} name="speaker" />${t("readiness.join")}
    <button type="button" class="primary" onClick=${say(true)}>${t("readiness.join.yes")}</button>
    <button type="button" onClick=${say(false)}>${t("readiness.join.no")}</button>
  </p>`;
}

/** What somebody should do or read now. @param {{room: import("./room.js").Room}} props */
function Hints({ room }) {
  const message = room.conference.value?.message;
  const { camera, microphone } = room.devices;
  return html`<div class="hints" role="status" aria-live="polite">
    <${Readiness} room=${room} />
    ${room.me.value?.waiting && html`<p class="hint waiting"><${Icon} name="clock" />${t("join.waits")}</p>`}
    ${
      room.informed &&
      room.called &&
      html`<p class="hint called">
        <${Icon} name="hand" />${t("join.called")}
        <button type="button" class="primary" onClick=${() => room.answer().catch(showError)}>
          ${t("join.answer")}
        </button>
      </p>`
    }
    ${
      room.informed &&
      room.floor.holder &&
      html`<p class="hint floor">
        <${Icon} name="mic" />${t(room.floor.holder.interrupted_at ? "join.floor-interrupted" : "join.has-floor")}
        <${ClockDown} of=${room.floor.holder} />
      </p>`
    }
    ${message && html`<p class="hint message"><${Icon} name="message" />${message.text}</p>`}
    ${
      room.switches.askedToOpen.value &&
      html`<p class="hint">
        <${Icon} name="mic" />${t("join.asked-to-open")}
        <button type="button" class="primary small" onClick=${() => void room.toggle("audio")}>
          ${t("unmute")}
        </button>
      </p>`
    }
    ${room.unsteady.value && room.phase.value === "live" && html`<p class="hint bad"><${Icon} name="lost" />${t("join.unsteady")}</p>`}
    ${!camera.track.value && html`<p class="hint"><${Icon} name="camera-off" /><${Missing} room=${room} input=${camera} name="camera" /></p>`}
    ${!microphone.track.value && html`<p class="hint bad"><${Icon} name="mic-off" /><${Missing} room=${room} input=${microphone} name="microphone" /></p>`}
  </div>`;
}

/** Why a device gives nothing, and what helps: a plug, or the browser's permission.
 * @param {{room: import("./room.js").Room, input: any, name: string}} props */
function Missing({ room, input, name }) {
  if (input.problem.value !== "NotAllowedError") return t(`join.${name}-gone`);
  return html`${t(`join.${name}-denied`)}
    <button type="button" class="small" onClick=${() => void input.open(room.devices.known.value)}>
      ${t("try-again")}
    </button>`;
}

/** Not connected: what happens, and when. @param {{room: import("./room.js").Room}} props */
function Away({ room }) {
  const { at, error } = room.retry.value;
  return html`<div class="away" role="alert">
    <div class="card">
      <p class="big">
        <span class="pulse"></span
        >${room.phase.value === "joining" ? t("join.joining") : t(room.lastLeg ? "join.lost" : "join.not-yet")}
      </p>
      ${room.phase.value === "rejoining" && html`<p><${Countdown} text="join.again" until=${at} /></p>`}
      ${
        error instanceof ApiError &&
        error.status !== 404 &&
        html`<p class="quiet">${error.advice}</p>
          ${error.detail && html`<p class="server-words" translate="no">${error.detail}</p>`}`
      }
      <div class="row-of-buttons">
        ${room.phase.value === "rejoining" && html`<button type="button" class="primary" onClick=${() => room.retryNow()}>${t("link.now")}</button>`}
        <button type="button" onClick=${() => room.leave()}>${t("join.leave")}</button>
      </div>
    </div>
  </div>`;
}

/** @param {{room: import("./room.js").Room, box: any, onChoose: () => void}} props */
function Bar({ room, box, onChoose }) {
  const { audio, video } = room.switches.off.value;
  const [leaving, setLeaving] = useState(false);
  const held = room.mutedByOperator("audio");
  return html`<div class="bar" role="toolbar" aria-label=${t("panels")}>
    <button
      type="button"
      aria-pressed=${String(audio || held)}
      disabled=${held}
      title=${held ? t("join.held") : "M"}
      onClick=${() => void room.toggle("audio")}
    >
      <${Icon} name=${audio || held ? "mic-off" : "mic"} />${t(audio || held ? "unmute" : "mute")}
    </button>
    <button
      type="button"
      aria-pressed=${String(video)}
      title="V"
      onClick=${() => void room.toggle("video")}
    >
      <${Icon} name=${video ? "camera-off" : "camera"} />${t(video ? "video-on" : "video-off")}
    </button>
    <${FloorButton} room=${room} />
    ${
      navigator.mediaDevices &&
      "getDisplayMedia" in navigator.mediaDevices &&
      html`<button
        type="button"
        aria-pressed=${String(Boolean(room.presentation.value))}
        disabled=${room.phase.value !== "live"}
        onClick=${() => room.present().catch((error) => error.name === "NotAllowedError" || showError(error))}
      >
        <${Icon}
          name="screen"
        />${t(room.presentation.value ? "join.stop-presenting" : "join.present")}
      </button>`
    }
    <button type="button" onClick=${onChoose}><${Icon} name="edit" />${t("join.devices")}</button>
    <button type="button" title="F" onClick=${() => toggleFull(box.current)}>
      <${Icon} name="full" />${t("full-screen")}
    </button>
    <${LanguageSwitch} />
    <button type="button" class="danger" onClick=${() => setLeaving(true)}>
      <${Icon} name="leave" />${t("join.leave")}
    </button>
    ${
      leaving &&
      html`<${Dialog} title=${t("join.leave.title")} onClose=${() => setLeaving(false)}>
        <div class="row-of-buttons">
          <button type="button" class="danger solid" onClick=${() => room.leave()}>
            ${t("join.leave")}
          </button>
          <button type="button" autofocus onClick=${() => setLeaving(false)}>${t("cancel")}</button>
        </div>
      <//>`
    }
  </div>`;
}

/** The raised hand. @param {{room: import("./room.js").Room}} props */
function FloorButton({ room }) {
  const { holder, place } = room.floor;
  const word = holder ? "join.release-floor" : place ? "join.withdraw-floor" : "join.ask-floor";
  return html`<button
    type="button"
    title="H"
    aria-pressed=${String(Boolean(holder) || place > 0)}
    disabled=${room.phase.value !== "live"}
    onClick=${() => room.raiseHand().catch(showError)}
  >
    <${Icon} name="hand" />${t(word)}
  </button>`;
}

/** @param {HTMLElement | null} element */
function toggleFull(element) {
  if (document.fullscreenElement) void document.exitFullscreen();
  else void element?.requestFullscreen().catch(showError);
}

/** Whether nobody has touched anything for a while: then only the picture is shown. */
function useIdle() {
  const [idle, setIdle] = useState(false);
  useEffect(() => {
    let timer = setTimeout(() => setIdle(true), IDLE_MS);
    const wake = () => {
      setIdle(false);
      clearTimeout(timer);
      timer = setTimeout(() => setIdle(true), IDLE_MS);
    };
    for (const type of ["pointermove", "pointerdown", "keydown", "focusin"])
      addEventListener(type, wake);
    return () => {
      clearTimeout(timer);
      for (const type of ["pointermove", "pointerdown", "keydown", "focusin"])
        removeEventListener(type, wake);
    };
  }, []);
  return idle;
}

/** Keep the screen on; the lock is given back whenever the page is hidden. @param {boolean} wanted */
function useWakeLock(wanted) {
  useEffect(() => {
    if (!wanted || !("wakeLock" in navigator)) return undefined;
    /** @type {any} */
    let lock = null;
    let over = false;
    const ask = () => {
      if (document.visibilityState !== "visible") return;
      navigator.wakeLock.request("screen").then(
        (given) => {
          lock = given;
          if (over) void given.release();
        },
        (error) => console.warn("the screen may go dark:", error.name), // on battery saving
      );
    };
    ask();
    document.addEventListener("visibilitychange", ask);
    return () => {
      over = true;
      document.removeEventListener("visibilitychange", ask);
      void lock?.release();
    };
  }, [wanted]);
}

/** @param {import("./room.js").Room} room @param {any} box */
function useStageKeys(room, box) {
  useEffect(() => {
    const press = (/** @type {KeyboardEvent} */ event) => {
      if (event.ctrlKey || event.altKey || event.metaKey || document.querySelector("dialog[open]"))
        return;
      if (event.code === "KeyM" && !room.mutedByOperator("audio")) void room.toggle("audio");
      else if (event.code === "KeyV") void room.toggle("video");
      else if (event.code === "KeyH" && room.phase.value === "live")
        void room.raiseHand().catch(showError);
      else if (event.code === "KeyF") toggleFull(box.current);
    };
    addEventListener("keydown", press);
    return () => removeEventListener("keydown", press);
  }, [room]);
}

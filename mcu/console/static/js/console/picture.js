// @ts-check
// The composed picture, live; while it is not, the latest still picture and the reason.

import { html, useEffect, useLayoutEffect, useMemo, useRef, useState } from "../shared/base.js";
import { ApiError, request } from "../shared/api.js";
import { alongTabs, Countdown, Toasts } from "../shared/controls.js";
import { Icon } from "../shared/icons.js";
import { t } from "../shared/i18n.js";
import { SlotOverlay } from "./slots.js";
import { WhepPlayer } from "./whep.js";

const STILL_MS = 2000;

/**
 * A picture of the REST interface, fetched again and again while it is shown.
 * @param {string | null} path null: nothing is asked for
 * @returns {string | null} the address of the latest one
 */
export function useStill(path) {
  const [source, setSource] = useState(/** @type {string | null} */ (null));
  useEffect(() => {
    if (!path) return undefined;
    let timer = 0;
    let latest = "";
    const abort = new AbortController();
    const read = async () => {
      try {
        const picture = await (await request(path, { signal: abort.signal })).blob();
        if (abort.signal.aborted) return;
        if (latest) URL.revokeObjectURL(latest);
        latest = picture.size ? URL.createObjectURL(picture) : "";
        setSource(latest || null);
      } catch (error) {
        if (abort.signal.aborted) return;
        if (!(error instanceof ApiError)) throw error;
        if (error.status) setSource(null); // there is none now; without a server the last one stays
      }
      timer = setTimeout(read, STILL_MS);
    };
    void read();
    return () => {
      abort.abort();
      clearTimeout(timer);
      if (latest) URL.revokeObjectURL(latest);
      setSource(null);
    };
  }, [path]);
  return source;
}

const VIEWS = ["main", "chair"];

/** Of the picture's height, as captions are drawn (mixer/video/caption.py): the gap, a line, the rest. */
const CAPTION = { gap: 1 / 45, line: 1.35 / 26, frame: 0.4 / 26 };
/** So many letters of a caption are sure to stand in a line, and so many lines are drawn. */
const LETTERS = 30;
const MOST_LINES = 3;
/** What is on air is said above here in any case. */
const LOWEST = 0.5;

/**
 * Where notices begin that hide nothing of what stands in the picture at the top left: the mark of
 * a drill, texts that are pinned there or reach there from the middle.
 * @param {any} conference @param {string} view
 * @returns {number} of the picture's height
 */
export function freeFrom(conference, view) {
  const heights = { "top-left": 0, top: 0 };
  const put = (/** @type {string} */ position, /** @type {number} */ lines) => {
    if (position !== "top" && position !== "top-left") return;
    heights[position] += CAPTION.frame + lines * CAPTION.line + CAPTION.gap;
  };
  if (conference.drill) put("top-left", 1);
  for (const { kind, position, text, view: only } of conference.overlays ?? [])
    if (!only || only === view)
      put(position, kind === "floor" ? 1 : Math.min(MOST_LINES, Math.ceil(text.length / LETTERS)));
  return Math.min(LOWEST, CAPTION.gap + Math.max(heights.top, heights["top-left"]));
}

/** @param {{desk: import("./conference.js").Desk}} props */
export function Picture({ desk }) {
  const { model } = desk;
  const conference = model.conference.value;
  const view = desk.view.value;
  const running = conference.state === "running";
  const player = useMemo(
    () => (running ? new WhepPlayer(model.id, view) : null),
    [model, view, running],
  );
  useEffect(() => () => player?.close(model.conference.peek().state === "ended"), [player]);
  const box = useRef(/** @type {HTMLElement | null} */ (null));
  const [listening, setListening] = useState(false);
  const watch = player?.watch.value ?? { state: "off", retryAt: 0, error: null };
  const still = useStill(
    running && watch.state !== "live" && watch.state !== "stalled"
      ? `conferences/${encodeURIComponent(model.id)}/views/${view}.jpg`
      : null,
  );
  const onAir = running && model.person(conference.broadcast);
  const presenter = running && model.person(conference.presentation);
  return html`<section class="picture" aria-label=${t("picture")}>
    <div class="picture-bar">
      <div class="tabs" role="tablist" aria-label=${t("view")} onKeyDown=${alongTabs}>
        ${VIEWS.map(
          (name) =>
            html`<button
              type="button"
              key=${name}
              role="tab"
              title="C"
              tabindex=${name === view ? 0 : -1}
              aria-selected=${String(name === view)}
              onClick=${() => (desk.view.value = name)}
            >
              ${t(`view.${name}`)}
            </button>`,
        )}
      </div>
      <span class=${`watch ${watch.state}`}>${t(`watch.${watch.state}`)}</span>
      <span class="spacer"></span>
      ${
        desk.controls &&
        running &&
        html`<button
          type="button"
          class="icon-button"
          aria-pressed=${String(desk.slots.value)}
          title=${`${t("slots")} (S)`}
          aria-label=${t("slots")}
          onClick=${() => (desk.slots.value = !desk.slots.value)}
        >
          <${Icon} name="edit" />
        </button>`
      }
      <button
        type="button"
        class="icon-button"
        aria-pressed=${String(listening)}
        title=${t(listening ? "listen.off" : "listen.on")}
        aria-label=${t(listening ? "listen.off" : "listen.on")}
        onClick=${() => setListening(!listening)}
      >
        <${Icon} name=${listening ? "speaker" : "speaker-off"} />
      </button>
      <button
        type="button"
        class="icon-button"
        title=${t("full-screen")}
        aria-label=${t("full-screen")}
        onClick=${() => void box.current?.requestFullscreen()}
      >
        <${Icon} name="full" />
      </button>
    </div>
    <div class=${desk.slots.value ? "stage editing" : "stage"} ref=${box}>
      ${player && html`<${Live} player=${player} listening=${listening} still=${still} />`}
      <div class="stage-over">
        <div
          class="air-notes"
          role="status"
          style=${{ marginTop: `${(freeFrom(conference, view) * 100 * 9) / 16}%` }}
        >
          ${
            onAir &&
            html`<div class="air-note">
              <${Icon} name="broadcast" /><b>${t("broadcast.of", { name: onAir.label })}</b>
              ${desk.controls && html`<button type="button" class="small" onClick=${() => desk.actions.stopBroadcast()}>${t("broadcast.stop")}</button>`}
            </div>`
          }
          ${
            presenter &&
            html`<div class="air-note showing">
              <${Icon} name="screen" /><b>${t("present.of", { name: presenter.label })}</b>
              ${desk.controls && html`<button type="button" class="small" onClick=${() => desk.actions.stopPresentation()}>${t("present.stop")}</button>`}
            </div>`
          }
        </div>
        ${!desk.slots.value && html`<${Toasts} />`}
        ${
          watch.state === "stalled" &&
          !desk.slots.value &&
          html`<div class="stage-note" role="status">
            <p><${Icon} name="lost" /><span>${t("watch.nothing")}</span></p>
          </div>`
        }
        ${
          watch.state === "waiting" &&
          !desk.slots.value &&
          html`<div class="stage-note" role="status">
            <p>
              <${Icon} name="lost" /><span
                ><${Countdown} text="watch.lost" until=${watch.retryAt}
              /></span>
              <button type="button" class="small" onClick=${() => player?.retryNow()}>
                ${t("link.now")}
              </button>
            </p>
            ${watch.error instanceof ApiError && html`<p>${watch.error.advice}</p>`}
            ${watch.error?.detail && html`<p class="server-words" translate="no">${watch.error.detail}</p>`}
          </div>`
        }
      </div>
      ${desk.controls && running && (desk.slots.value || desk.dragging.value) && html`<${SlotOverlay} desk=${desk} />`}
    </div>
  </section>`;
}

/** @param {{player: WhepPlayer, listening: boolean, still: string | null}} props */
function Live({ player, listening, still }) {
  const video = useRef(/** @type {HTMLVideoElement | null} */ (null));
  const stream = player.stream.value;
  useLayoutEffect(() => {
    const element = video.current;
    if (!element) return;
    element.muted = !listening; // set before playing: browsers start only silent pictures unasked
    if (element.srcObject !== stream) element.srcObject = stream;
    if (stream) void element.play().catch((error) => console.warn("picture waits:", error.name));
  }, [stream, listening]);
  return html` <video ref=${video} playsinline autoplay muted hidden=${!stream}></video>
    ${!stream && still && html`<img class="still" src=${still} alt=${t("picture.still")} />`}
    ${!stream && !still && html`<p class="stage-empty">${t("picture.none")}</p>`}`;
}

// @ts-check
// Recordings: begun and stopped, seen to run, and their files with size, duration and checksum.

import { html, useEffect, useState } from "../shared/base.js";
import { get, session } from "../shared/api.js";
import { Dialog, Problem } from "../shared/controls.js";
import { Icon } from "../shared/icons.js";
import { clock, duration, t } from "../shared/i18n.js";
import { busy } from "./actions.js";

const VIEWS = ["main", "chair"];
const READ_MS = 5000;

/** Sizes as people say them. @param {number} bytes */
export function sizeText(bytes) {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let value = bytes;
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${value.toFixed(value < 10 && unit > 0 ? 1 : 0)} ${units[unit]}`;
}

/**
 * All recordings, read again with every event of theirs, and now and then while one runs.
 * @param {import("./conference.js").Desk} desk
 */
function useRecordings(desk) {
  const [items, setItems] = useState(/** @type {any[]} */ ([]));
  const [error, setError] = useState(/** @type {any} */ (null));
  const changes = desk.model.recordingChanges.value;
  const running = desk.model.conference.value.recordings?.length ?? 0;
  const path = `conferences/${encodeURIComponent(desk.model.id)}/recordings`;
  useEffect(() => {
    let current = true;
    const read = async () => {
      try {
        const found = await get(path);
        if (!current) return;
        setItems(found.items);
        setError(null);
        // Sizes grow, and a file that was just closed is summed up a moment later.
        const open = found.items.some((/** @type {any} */ one) =>
          one.parts.some((/** @type {any} */ part) => !part.sha256),
        );
        if (open || running) timer = setTimeout(() => void read(), READ_MS);
      } catch (problem) {
        if (current) setError(problem);
      }
    };
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    let timer;
    void read();
    return () => {
      current = false;
      clearTimeout(timer);
    };
  }, [path, changes, running]);
  return { items, error };
}

/** @param {{desk: import("./conference.js").Desk}} props */
export function RecordingsPanel({ desk }) {
  const { items, error } = useRecordings(desk);
  const conference = desk.model.conference.value;
  const waits = !desk.controls || busy.value.has("recording");
  const base = `/api/v1/conferences/${encodeURIComponent(desk.model.id)}/recordings`;
  return html`<div class="recordings">
    <${Problem} error=${error} />
    ${conference.state === "running" && html`<${Begin} desk=${desk} off=${waits} />`}
    ${
      items.length > 0 &&
      html`<h3>
        ${t("rec.list")}
        <a class="button small" href=${`${base}.csv`} download>CSV</a>
        <a class="button small" href=${`${base}.sha256`} download>SHA-256</a>
      </h3>`
    }
    ${!items.length && html`<p class="quiet">${t("rec.none")}</p>`}
    <ul class="recording-list">
      ${[...items].reverse().map((one) => html`<${Item} key=${one.id} desk=${desk} one=${one} off=${waits} />`)}
    </ul>
  </div>`;
}

/** @param {{desk: import("./conference.js").Desk, off: boolean}} props */
function Begin({ desk, off }) {
  const conference = desk.model.conference.value;
  const [name, setName] = useState("");
  const running = conference.recordings ?? [];
  const free = VIEWS.filter((view) => !running.some((/** @type {any} */ one) => one.view === view));
  const [wanted, setWanted] = useState("main");
  const view = free.includes(wanted) ? wanted : free[0];
  if (!free.length) return null;
  return html`<form
    class="recording-begin"
    autocomplete="off"
    onSubmit=${async (/** @type {Event} */ event) => {
      event.preventDefault();
      if (await desk.actions.record(name.trim() || null, view)) setName("");
    }}
  >
    <label
      >${t("rec.name")}
      <input
        type="text"
        maxlength="200"
        value=${name}
        placeholder=${conference.name}
        disabled=${off}
        onInput=${(/** @type {any} */ e) => setName(e.target.value)}
      />
    </label>
    <label
      >${t("rec.view")}
      <select
        value=${view}
        disabled=${off}
        onChange=${(/** @type {any} */ e) => setWanted(e.target.value)}
      >
        ${free.map((one) => html`<option key=${one} value=${one}>${t(`rec.view.${one}`)}</option>`)}
      </select>
    </label>
    <button type="submit" class="primary" title="Shift+R" disabled=${off}>
      <span class="rec-dot"></span>${t("rec.start")}
    </button>
  </form>`;
}

/** @param {{desk: import("./conference.js").Desk, one: any, off: boolean}} props */
function Item({ desk, one, off }) {
  const [deleting, setDeleting] = useState(false);
  const reads = desk.controls;
  const runs = one.state === "recording";
  const said = [
    t(`rec.view.${one.view}`),
    clock(one.started_at),
    duration(one.duration_s),
    sizeText(one.size),
    one.by,
  ];
  return html`<li class=${runs ? "runs" : ""}>
    <div class="recording-head">
      <span class="recording-name">
        <b>${runs && html`<span class="rec-dot"></span>`}${one.name}</b>
        <span class="quiet">${said.filter(Boolean).join(" · ")}</span>
        <span class=${one.reason === "disk_full" || one.reason === "failed" ? "bad-text" : "quiet"}
          >${runs ? t("rec.state.recording") : t(`rec.reason.${one.reason}`)}${
            one.interruptions > 0 ? ` · ${t("rec.interruptions", { count: one.interruptions })}` : ""
          }</span
        >
      </span>
      ${
        runs &&
        html`<${Trouble} desk=${desk} id=${one.id} />`
      }
      ${
        runs &&
        html`<button
          type="button"
          class="danger"
          disabled=${off}
          aria-label=${t("rec.stop-one", { name: one.name })}
          onClick=${() => desk.actions.stopRecording(one.id)}
        >
          ${t("rec.stop")}
        </button>`
      }
      ${
        !runs &&
        session.value?.role === "admin" &&
        html`<button
          type="button"
          class="small"
          aria-label=${t("rec.delete-one", { name: one.name })}
          onClick=${() => setDeleting(true)}
        >
          ${t("rec.delete")}
        </button>`
      }
    </div>
    <ul class="recording-parts">
      ${one.parts.map(
        (/** @type {any} */ part) =>
          html`<li key=${part.number}>
            ${
              reads
                ? html`<a
                    class="button small"
                    href=${part.url}
                    download
                    aria-label=${t("rec.download-part", { number: part.number, name: one.name })}
                    ><${Icon} name="download" />${t("rec.part", { number: part.number })}</a
                  >`
                : html`<span>${t("rec.part", { number: part.number })}</span>`
            }
            <span class="quiet"
              >${[duration(part.duration_s), sizeText(part.size), part.state === "interrupted" && t("rec.part.interrupted")].filter(Boolean).join(" · ")}</span
            >
            ${part.sha256 && html`<code title=${`SHA-256 ${part.sha256}`}>${part.sha256.slice(0, 12)}…</code>`}
          </li>`,
      )}
    </ul>
    ${
      deleting &&
      html`<${Dialog} title=${t("rec.delete.title")} onClose=${() => setDeleting(false)}>
        <p>${t("rec.delete.explain", { name: one.name, size: sizeText(one.size) })}</p>
        <div class="row-of-buttons">
          <button
            type="button"
            class="danger solid"
            disabled=${off}
            onClick=${async () => {
              if (await desk.actions.deleteRecording(one.id)) setDeleting(false);
            }}
          >
            ${t("rec.delete")}
          </button>
          <button type="button" autofocus onClick=${() => setDeleting(false)}>${t("cancel")}</button>
        </div>
      <//>`
    }
  </li>`;
}

/** What somebody should look after while it runs.
 * @param {{desk: import("./conference.js").Desk, id: string}} props */
function Trouble({ desk, id }) {
  const running = desk.model.conference.value.recordings ?? [];
  const trouble = running.find((/** @type {any} */ one) => one.id === id)?.trouble;
  if (!trouble) return null;
  return html`<span class="bad-text" role="alert"
    ><${Icon} name="warning" />${t(`rec.trouble.${trouble}`)}</span
  >`;
}

/** The button above the picture, red while the main view is recorded.
 * @param {{desk: import("./conference.js").Desk}} props */
export function RecordButton({ desk }) {
  const runs = (desk.model.conference.value.recordings ?? []).length > 0;
  return html`<button
    type="button"
    class=${runs ? "record on" : "record"}
    aria-pressed=${String(runs)}
    disabled=${busy.value.has("recording")}
    title=${`${t(runs ? "rec.stop-all" : "rec.start")} (Shift+R)`}
    onClick=${() => void desk.actions.toggleRecording()}
  >
    <span class="rec-dot"></span>${t(runs ? "rec.on" : "rec.record")}
  </button>`;
}

// @ts-check
// Who has the floor, how long still, and who waits for it; below, rooms shown in turn.

import { html } from "../shared/base.js";
import { ClockDown } from "../shared/clockdown.js";
import { Icon } from "../shared/icons.js";
import { clock, t } from "../shared/i18n.js";
import { busy } from "./actions.js";
import { PollingControl } from "./polling.js";

const LIMITS = [0, 60, 120, 180, 300, 600, 900, 1200, 1800];
const PICTURES = ["speaker", "broadcast", "none"];

/** @param {{desk: import("./conference.js").Desk}} props */
export function FloorPanel({ desk }) {
  const { model, actions } = desk;
  const conference = model.conference.value;
  const off = !desk.controls || conference.state !== "running" || busy.value.has("floor");
  const { holder, requests, previous } = conference.floor;
  const name = (/** @type {string | null} */ id) => model.person(id)?.label ?? id ?? "";
  const drawn = (conference.overlays ?? []).filter((/** @type {any} */ one) => one.kind === "floor");
  const draw = async () => {
    if (!drawn.length) return void actions.pinOverlay({ kind: "floor" });
    for (const one of drawn) await actions.removeOverlay(one.number);
  };
  return html`<div class="floor">
    <section class="floor-holder" aria-label=${t("floor.holder")}>
      ${
        holder
          ? html`<div class="floor-now">
              <${Icon} name="mic" />
              <p>
                <b>${name(holder.participant)}</b>
                <span class="quiet">
                  ${holder.interrupted_at ? t("floor.interrupted") : t("since", { time: clock(holder.since) })}
                </span>
              </p>
              <${ClockDown} of=${holder} />
            </div>
            <div class="row-of-buttons">
              <button type="button" class="danger" disabled=${off} onClick=${() => actions.endFloor()}>
                <${Icon} name="close" />${t("floor.take-back")}
              </button>
              <button
                type="button"
                aria-pressed=${String(Boolean(holder.interrupted_at))}
                disabled=${off || !conference.chair || conference.chair === holder.participant}
                title=${t("floor.interrupt.explain")}
                onClick=${() => actions.interruptFloor(!holder.interrupted_at)}
              >
                <${Icon} name="star" />${t(holder.interrupted_at ? "floor.resume" : "floor.interrupt")}
              </button>
              <button
                type="button"
                disabled=${off}
                onClick=${() => actions.grantFloor(holder.participant, desk.floor.value)}
              >
                <${Icon} name="clock" />${t("floor.renew")}
              </button>
            </div>`
          : html`<p class="quiet none">
              ${previous ? t("floor.nobody-after", { name: name(previous) }) : t("floor.nobody")}
            </p>`
      }
    </section>
    <div class="floor-terms row-of-buttons">
      <label class="inline"
        >${t("floor.time")}
        <select
          value=${String(desk.floor.value.limit)}
          disabled=${!desk.controls}
          onChange=${(/** @type {any} */ e) => (desk.floor.value = { ...desk.floor.value, limit: Number(e.target.value) })}
        >
          ${LIMITS.map((s) => html`<option key=${s} value=${String(s)}>${s ? t("floor.minutes", { count: s / 60 }) : t("floor.no-limit")}</option>`)}
        </select>
      </label>
      <label class="inline"
        >${t("floor.picture")}
        <select
          value=${desk.floor.value.picture}
          disabled=${!desk.controls}
          onChange=${(/** @type {any} */ e) => (desk.floor.value = { ...desk.floor.value, picture: e.target.value })}
        >
          ${PICTURES.map((p) => html`<option key=${p} value=${p}>${t(`floor.picture.${p}`)}</option>`)}
        </select>
      </label>
      <button
        type="button"
        aria-pressed=${String(drawn.length > 0)}
        disabled=${!desk.controls || conference.state !== "running" || busy.value.has("overlay")}
        title=${t("floor.drawn.explain")}
        onClick=${draw}
      >
        <${Icon} name="clock" />${t("floor.drawn")}
      </button>
    </div>
    <section aria-label=${t("floor.queue")}>
      <h3>
        ${t("floor.queue")}
        <a
          class="button small"
          href=${`/api/v1/conferences/${encodeURIComponent(model.id)}/floor/requests.csv`}
          download
          >CSV</a
        >
      </h3>
      ${!requests.length && html`<p class="quiet">${t("floor.queue.empty")}</p>`}
      <ol class="floor-queue">
        ${requests.map(
          (/** @type {any} */ request) =>
            html`<li key=${request.participant}>
              <span class="place">${request.place}</span>
              <button
                type="button"
                class="bare queue-name"
                onClick=${() => desk.openRoom(request.participant)}
              >
                ${name(request.participant)}
              </button>
              <span class="quiet">${clock(request.at)}</span>
              <button
                type="button"
                class="small primary"
                disabled=${off}
                aria-label=${t("floor.grant-to", { name: name(request.participant) })}
                onClick=${() => actions.grantFloor(request.participant, desk.floor.value)}
              >
                ${t("floor.grant")}
              </button>
              <button
                type="button"
                class="small"
                disabled=${off}
                aria-label=${t("floor.dismiss-of", { name: name(request.participant) })}
                onClick=${() => actions.withdrawRequest(request.participant)}
              >
                ${t("floor.dismiss")}
              </button>
            </li>`,
        )}
      </ol>
    </section>
    <${PollingControl} desk=${desk} name=${name} />
  </div>`;
}

// @ts-check
// Choosing how the view is divided, from drawn layouts.

import { html } from "../shared/base.js";
import { Icon } from "../shared/icons.js";
import { t } from "../shared/i18n.js";
import { AUTO, LAYOUT_NAMES, layoutLabel, Thumbnail, resolved } from "../shared/layouts.js";
import { busy } from "./actions.js";

const FITS = ["letterbox", "crop"];

/** A picture of another shape in its slot: bars beside it, or its edges outside. @param {{fit: string}} props */
const FitSign = ({ fit }) =>
  html`<svg class="fit-sign" viewBox="0 0 32 20" aria-hidden="true">
    <rect class="place" x="2" y="3" width="28" height="14" />
    ${
      fit === "crop"
        ? html`<rect class="camera" x="2" y="3" width="28" height="14" />
            <path class="cut" d="M2 1h28M2 19h28" />`
        : html`<rect class="camera" x="7" y="3" width="18" height="14" />`
    }
  </svg>`;

/** @param {{desk: import("./conference.js").Desk}} props */
export function Compose({ desk }) {
  const conference = desk.model.conference.value;
  const view = desk.view.value;
  const setting = conference.views?.[view] ?? { layout: AUTO, slots: null, fit: FITS[0] };
  const off = !desk.controls || conference.state !== "running" || busy.value.has(`layout:${view}`);
  const { connected, lost } = desk.model.counts.value;
  const chairAside = view === "chair" && conference.chair ? 1 : 0;
  const drawn = resolved(setting.layout, connected + lost - chairAside);
  const about = [
    t(`view.${view}`),
    setting.layout === AUTO && t("layout.auto-now", { layout: drawn }),
    t(setting.slots ? "layout.by-hand" : "layout.filled"),
  ];
  return html`<div class="compose">
    <p class="quiet compose-head">${about.filter(Boolean).join(" · ")}</p>
    <div class="thumbnails" role="group" aria-label=${t("start.layout")}>
      ${LAYOUT_NAMES.map(
        (name) =>
          html`<button
            type="button"
            key=${name}
            class="thumb"
            data-layout=${name}
            aria-pressed=${String(setting.layout === name)}
            disabled=${off}
            title=${name === AUTO ? t("layout.auto-explain") : t("layout.choose", { layout: layoutLabel(name) })}
            onClick=${() => desk.actions.layout(view, name, null)}
          >
            <${Thumbnail} name=${name} /><span>${layoutLabel(name)}</span>
          </button>`,
      )}
    </div>
    <div class="fit" role="group" aria-label=${t("fit")}>
      <span class="quiet">${t("fit")}</span>
      ${FITS.map(
        (fit) =>
          html`<button
            type="button"
            key=${fit}
            data-fit=${fit}
            aria-pressed=${String(setting.fit === fit)}
            disabled=${!desk.controls || conference.state !== "running"}
            title=${t(`fit.${fit}.explain`)}
            onClick=${() => setting.fit !== fit && desk.actions.fit(view, fit)}
          >
            <${FitSign} fit=${fit} />${t(`fit.${fit}`)}
          </button>`,
      )}
    </div>
    <div class="row-of-buttons">
      <button
        type="button"
        aria-pressed=${String(desk.slots.value)}
        disabled=${off}
        onClick=${() => (desk.slots.value = !desk.slots.value)}
      >
        <${Icon} name="edit" />${t("slots")}
      </button>
      <button
        type="button"
        disabled=${off || !setting.slots}
        onClick=${() => desk.actions.layout(view, setting.layout, null)}
      >
        <${Icon} name="refresh" />${t("slots.auto")}
      </button>
    </div>
    <p class="quiet small-print">${t("slots.explain")}</p>
  </div>`;
}

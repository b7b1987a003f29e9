// @ts-check
// The microphones of one unit with all below it: a district is muted without muting the others.

import { html, useState } from "../shared/base.js";
import { Dialog } from "../shared/controls.js";
import { Icon } from "../shared/icons.js";
import { t } from "../shared/i18n.js";
import { busy } from "./actions.js";
import { useUnitsHere } from "./polling.js";
import { isWithin } from "./registry.js";
import { UnitSelect } from "./unit-select.js";

/** @param {{desk: import("./conference.js").Desk, onClose: () => void}} props */
export function UnitMicsDialog({ desk, onClose }) {
  const { model, actions } = desk;
  const tree = useUnitsHere(model);
  // Who has chosen a room means its unit first.
  const [chosen, setChosen] = useState(model.person(desk.roster.selected.peek())?.unit ?? "");
  const unit = tree.find((one) => one.unit.id === chosen)?.unit ?? tree[0]?.unit;
  const rooms = model.ids.value
    .map((id) => model.person(id))
    .filter((person) => unit && isWithin(person?.unit, unit.id));
  const muted = rooms.filter((person) => person.audio_muted).length;
  const under = busy.value.has("mute-all") || busy.value.has("unmute-all");
  const act = (/** @type {(unit: any) => Promise<boolean>} */ order) => async () => {
    if (await order(unit)) onClose();
  };
  return html`<${Dialog} title=${t("mute-unit.title")} onClose=${onClose}>
    <div class="stacked">
      <label
        >${t("mute-unit.unit")}
        <${UnitSelect}
          tree=${tree}
          value=${unit?.id ?? ""}
          autofocus
          onPick=${(/** @type {string} */ id) => setChosen(id)}
        />
      </label>
      <p role="status">${t("mute-unit.count", { count: rooms.length, muted })}</p>
      <p class="quiet">${t("mute-unit.explain")}</p>
      <div class="row-of-buttons">
        <button
          type="button"
          class="primary"
          disabled=${!unit || under}
          onClick=${act((one) => actions.muteUnit(one))}
        >
          <${Icon} name="mic-off" />${t("mute-unit.mute")}
        </button>
        <button type="button" disabled=${!unit || under} onClick=${act((one) => actions.unmuteUnit(one))}>
          <${Icon} name="mic" />${t("mute-unit.unmute")}
        </button>
        <button type="button" onClick=${onClose}>${t("cancel")}</button>
      </div>
    </div>
  <//>`;
}

// @ts-check
// Rooms from elsewhere in the tree: asked to take part in one conference, and what conferences
// elsewhere ask of one's own rooms.

import { html, signal, useEffect, useState } from "../shared/base.js";
import { ApiError, get, send, session } from "../shared/api.js";
import { Problem, show, showError } from "../shared/controls.js";
import { Icon } from "../shared/icons.js";
import { clock, dayAndClock, t } from "../shared/i18n.js";
import { busy } from "./actions.js";
import { useReading } from "./reading.js";

const STANDING = ["open", "accepted"];

/** Whom this conference has invited; who has declined stays until it is asked again.
 * @param {{desk: import("./conference.js").Desk, off: boolean}} props */
export function Invited({ desk, off }) {
  const changes = desk.model.invitationChanges.value;
  const { found, error } = useReading(desk, "invitations", changes, desk.controls);
  const invited = /** @type {any[]} */ (found?.items ?? []);
  if (!invited.length && !error) return null;
  return html`<section aria-label=${t("invitations")}>
    <h3>
      ${t("invitations")}
      <a
        class="button small"
        href=${`/api/v1/conferences/${encodeURIComponent(desk.model.id)}/invitations.csv`}
        download
        >CSV</a
      >
    </h3>
    <${Problem} error=${error} />
    <ul class="convening-rows">
      ${invited.map((one) => html`<${InvitedRow} key=${one.bridge} desk=${desk} one=${one} off=${off || busy.value.has(`invite:${one.bridge}`)} />`)}
    </ul>
  </section>`;
}

const TONES = { open: "called", accepted: "joined" };

/** @param {{desk: import("./conference.js").Desk, one: any, off: boolean}} props */
function InvitedRow({ desk, one, off }) {
  const said = [
    one.unit_name,
    t(`invitation.is.${one.status}`),
    ...whereabouts(one),
    one.answered_by || one.by,
    clock(one.answered_at ?? one.at),
  ];
  return html`<li class=${TONES[/** @type {keyof typeof TONES} */ (one.status)] ?? "failed"}>
    <${Icon} name=${one.status === "accepted" ? "check" : "clock"} />
    <span class="convening-name">
      <b>${one.name}</b>
      <span class="quiet">${said.filter(Boolean).join(" · ")}</span>
    </span>
    ${
      STANDING.includes(one.status)
        ? html`<button
            type="button"
            class="small"
            disabled=${off}
            aria-label=${t("invitation.withdraw-one", { name: one.name })}
            onClick=${() => desk.actions.withdrawInvitation(one)}
          >
            ${t("invitation.withdraw")}
          </button>`
        : html`<button
            type="button"
            class="small"
            disabled=${off}
            aria-label=${t("invitation.again-one", { name: one.name })}
            onClick=${() => desk.actions.invite(one)}
          >
            ${t("invitation.again")}
          </button>`
    }
  </li>`;
}

/** Rooms of agencies elsewhere, below one's own where somebody is called in.
 * @param {{desk: import("./conference.js").Desk, search: string}} props */
export function Invitable({ desk, search }) {
  const [found, setFound] = useState(/** @type {any[]} */ ([]));
  const [error, setError] = useState(/** @type {any} */ (null));
  const changes = desk.model.invitationChanges.value;
  useEffect(() => {
    let current = true;
    const asked = search.trim() && `&search=${encodeURIComponent(search.trim())}`;
    const path = `conferences/${encodeURIComponent(desk.model.id)}/invitable?limit=50${asked}`;
    const timer = setTimeout(
      () => get(path).then(({ items }) => current && setFound(items), (problem) => current && setError(problem)),
      asked ? 250 : 0, // while somebody types
    );
    return () => {
      current = false;
      clearTimeout(timer);
    };
  }, [desk, search, changes]);
  if (!found.length && !error) return null;
  return html`<section aria-label=${t("invitable")}>
    <h3>${t("invitable")}</h3>
    <p class="quiet">${t("invitable.explain")}</p>
    <${Problem} error=${error} />
    <ul class="pick-list">
      ${found.map(
        (one) =>
          html`<li key=${one.bridge}>
            <button
              type="button"
              disabled=${busy.value.has(`invite:${one.bridge}`)}
              onClick=${() => desk.actions.invite(one)}
            >
              ${one.name}<small>${one.unit_name}</small>
            </button>
          </li>`,
      )}
    </ul>
  </section>`;
}

/**
 * Where an invited room is: on that conference's roster, or in another conference that has it.
 * @param {any} one
 * @returns {string[]}
 */
function whereabouts(one) {
  const words = [];
  if (one.status === "accepted" && one.presence) words.push(t(`state.${one.presence}`));
  if (one.held_by)
    words.push(
      one.held_by_unit_name
        ? t("invitation.held-of", { conference: one.held_by_name, unit: one.held_by_unit_name })
        : t("invitation.held", { conference: one.held_by_name }),
    );
  if (one.conflict) words.push(t(`conflict.is.${one.conflict}`));
  if (one.status === "accepted" && !one.presence && !one.conflict) words.push(t("invitation.off"));
  return words;
}

/** What conferences elsewhere ask of one's own rooms. */
const received = signal(/** @type {any[]} */ ([]));

/** Read them anew: at first, and when an event says that one has changed. */
export async function readReceived() {
  try {
    received.value = (await get("invitations")).items;
  } catch (error) {
    showError(error);
  }
}

/** Whether there is anything that may have changed with a room of one's own. */
export const hasReceived = () => received.peek().length > 0;

/** Says no more than it is asked for: nothing where nobody invites. */
export function Received() {
  if (!received.value.length) return null;
  return html`<section class="card" aria-label=${t("received")}>
    <h2>${t("received")}</h2>
    <ul class="convening-rows">
      ${received.value.map((one) => html`<${ReceivedRow} key=${`${one.conference} ${one.bridge}`} one=${one} />`)}
    </ul>
  </section>`;
}

/** @param {{one: any}} props */
function ReceivedRow({ one }) {
  const [under, setUnder] = useState(false);
  const open = one.status === "open";
  const may = session.value?.role !== "observer";
  const answer = (/** @type {string} */ said) => async () => {
    setUnder(true);
    const path = `conferences/${encodeURIComponent(one.conference)}/invitations/${encodeURIComponent(one.bridge)}/answer`;
    try {
      await send("POST", path, { answer: said });
      show({ tone: "good", text: t(`done.invitation.${said}`, { name: one.name }) });
      await readReceived();
    } catch (error) {
      await readReceived();
      const gone = !received
        .peek()
        .some(({ conference, bridge }) => conference === one.conference && bridge === one.bridge);
      if (gone && error instanceof ApiError && error.kind === "conflict")
        show({ tone: "bad", text: t("received.gone", { conference: one.conference_name, room: one.name }) });
      else showError(error);
    }
    setUnder(false);
  };
  const asks = [
    one.conference_unit_name,
    t("list.since", { time: dayAndClock(one.conference_started_at) }),
    one.by,
    one.note,
  ];
  const stands = [!open && t("invitation.is.accepted"), ...whereabouts(one)];
  const waits = open || one.conflict;
  return html`<li class=${waits ? "called" : "joined"}>
    <${Icon} name=${open ? "phone" : waits ? "clock" : "check"} />
    <span class="convening-name">
      <b>${t("received.asks", { conference: one.conference_name, room: one.name })}</b>
      <span class="quiet">${asks.filter(Boolean).join(" · ")}</span>
      ${stands.some(Boolean) && html`<span class="quiet">${stands.filter(Boolean).join(" · ")}</span>`}
    </span>
    ${
      open &&
      html`<button
        type="button"
        class="small primary"
        disabled=${!may || under}
        aria-label=${t("invitation.accept-one", { room: one.name, conference: one.conference_name })}
        onClick=${answer("accept")}
      >
        ${t("invitation.accept")}
      </button>`
    }
    <button
      type="button"
      class="small"
      disabled=${!may || under}
      aria-label=${t(open ? "invitation.decline-one" : "invitation.leave-one", { room: one.name, conference: one.conference_name })}
      onClick=${answer("decline")}
    >
      ${t(open ? "invitation.decline" : "invitation.leave")}
    </button>
  </li>`;
}

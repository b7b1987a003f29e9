// @ts-check
// Says that the event stream is down, since when what is shown may be old, and when it is tried again.

import { html, useEffect, useState } from "../shared/base.js";
import { Countdown } from "../shared/controls.js";
import { Icon } from "../shared/icons.js";
import { clockSeconds, t } from "../shared/i18n.js";

/** @param {{link: import("../shared/events.js").Link, retry: () => void}} props */
export function LinkBanner({ link, retry }) {
  const [late, setLate] = useState(false);
  const down = link.state === "waiting" || (link.state === "connecting" && link.attempt > 0);
  useEffect(() => {
    setLate(false);
    if (link.state !== "connecting" || link.attempt > 0) return undefined;
    const timer = setTimeout(() => setLate(true), 4000);
    return () => clearTimeout(timer);
  }, [link.state, link.attempt]);
  if (link.state === "stopped") {
    return html`<div class="banner bad" role="alert">
      <${Icon} name="warning" />
      <p>${t("link.refused")}</p>
    </div>`;
  }
  if (!down && !late) return null;
  return html`<div class="banner bad" role="alert">
    <${Icon} name="lost" />
    <p>
      <b>${link.since ? t("link.lost-since", { time: clockSeconds(link.since) }) : t("link.lost")}</b>
      <span>${t("link.old")}</span>
      <span
        >${link.state === "waiting" ? html`<${Countdown} text="link.again" until=${link.retryAt} />` : t("link.trying")}</span
      >
    </p>
    <button type="button" class="small" onClick=${retry}>
      <${Icon} name="refresh" />${t("link.now")}
    </button>
  </div>`;
}

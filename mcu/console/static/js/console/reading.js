// @ts-check
// What a panel shows of its conference: read once, and again whenever an event says it has changed.

import { useEffect, useState } from "../shared/base.js";
import { get } from "../shared/api.js";

/** Events come in bursts, as when a province joins: what they change is read once for many. */
const READ_AFTER_MS = 300;

/**
 * What is found under a part of the conference's address; the last of it where reading failed.
 * @param {import("./conference.js").Desk} desk
 * @param {string} part
 * @param {number} changes counts what events have told
 * @param {boolean} [wanted]
 * @returns {{found: any, error: any}} `found` is null before the first answer
 */
export function useReading(desk, part, changes, wanted = true) {
  const [found, setFound] = useState(/** @type {any} */ (null));
  const [error, setError] = useState(/** @type {any} */ (null));
  useEffect(() => {
    if (!wanted) return undefined;
    let current = true;
    const read = async () => {
      try {
        const answer = await get(`conferences/${encodeURIComponent(desk.model.id)}/${part}`);
        if (!current) return;
        setFound(answer);
        setError(null);
      } catch (problem) {
        if (current) setError(problem);
      }
    };
    const timer = setTimeout(read, found ? READ_AFTER_MS : 0);
    return () => {
      current = false;
      clearTimeout(timer);
    };
  }, [desk, part, changes, wanted]);
  return { found: wanted ? found : null, error };
}

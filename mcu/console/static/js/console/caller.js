// @ts-check
// A caller by SIP as people name it: by name and number, not by the address that its device sends.

/** A number as it is read out: 0912345678 is 0912 345 678. @param {string} user */
function inGroups(user) {
  const found = /^(\+84)?(\d{7,15})$/.exec(user.replace(/[-.()]/g, ""));
  if (!found) return user;
  const groups = [];
  let rest = found[2];
  while (rest.length > 4) {
    groups.unshift(rest.slice(-3));
    rest = rest.slice(0, -3);
  }
  return [found[1], rest, ...groups].filter(Boolean).join(" ");
}

/** What stands before the host in an address, without escapes. @param {string} address */
function userOf(address) {
  const [, user = ""] = /^[a-z]+:([^@;?]*)@/i.exec(address) ?? /^tel:([^;?]*)/i.exec(address) ?? [];
  try {
    return decodeURIComponent(user);
  } catch {
    return user;
  }
}

/**
 * @param {{name: string, address: string, source: string}} caller
 * @returns {{name: string, number: string, host: string}} `number` empty where it says no more than
 *   the name; `host`: where it calls from, without the port
 */
export function callerWords({ name, address, source }) {
  const number = inGroups(userOf(address));
  const host = source.replace(/:\d+$/, "").replace(/^\[|\]$/g, "");
  // Whoever gives no name is called by its address.
  const isAddress = !name || address.slice(address.indexOf(":") + 1).startsWith(name);
  const shown = isAddress ? number || host : inGroups(name);
  return { name: shown, number: number === shown ? "" : number, host };
}

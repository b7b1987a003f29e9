// @ts-check
// What both pages need of WebRTC: codec order, the SDP exchange over HTTP, ICE restart.

import { request } from "./api.js";

const H264 = "video/h264";
const VP8 = "video/vp8";
const GOODBYE_MS = 1000;

/**
 * Put H.264 first (constrained baseline, packetization mode 1 before the rest), then VP8, then
 * everything else, so that retransmission and the like stay offered.
 * @param {RTCRtpTransceiver} transceiver
 */
export function preferH264(transceiver) {
  const codecs = RTCRtpReceiver.getCapabilities?.("video")?.codecs ?? [];
  if (!codecs.length || !transceiver.setCodecPreferences) return;
  const rank = (/** @type {any} */ codec) => {
    const type = codec.mimeType.toLowerCase();
    const fmtp = (codec.sdpFmtpLine ?? "").toLowerCase();
    if (type === VP8) return 3;
    if (type !== H264) return 4;
    if (!fmtp.includes("packetization-mode=1")) return 2;
    return fmtp.includes("profile-level-id=42e0") ? 0 : 1;
  };
  const ordered = codecs.map((codec, index) => ({ codec, index }));
  ordered.sort((a, b) => rank(a.codec) - rank(b.codec) || a.index - b.index);
  transceiver.setCodecPreferences(ordered.map((entry) => entry.codec));
}

/**
 * Offer, POST, answer (RFC 9725 in the small: the server is ICE-lite, so nothing trickles).
 * @param {RTCPeerConnection} peer with its transceivers added
 * @param {string} address where the offer goes
 * @param {AbortSignal} [signal]
 * @returns {Promise<string>} the address of the leg that was made
 */
export async function exchange(peer, address, signal) {
  await peer.setLocalDescription(await peer.createOffer());
  const response = await request(address, {
    method: "POST",
    body: peer.localDescription?.sdp ?? "",
    type: "application/sdp",
    signal,
  });
  const leg = response.headers.get("Location") ?? "";
  const answer = await response.text();
  if (peer.signalingState === "closed") {
    await leave(leg); // closed while the answer was on its way: do not leave a leg behind
    throw new DOMException("closed", "AbortError");
  }
  await peer.setRemoteDescription({ type: "answer", sdp: answer });
  return leg;
}

/** Leave a leg; it may be gone already. @param {string} leg */
export async function leave(leg) {
  if (!leg) return;
  await request(legPath(leg), { method: "DELETE" }).catch((error) => {
    if (error.status !== 404 && error.status !== 0) throw error;
  });
}

/**
 * Leave a leg and close its connection, in this order: a closed connection says goodbye by itself,
 * and the leg would be gone before it is left. A server that does not answer is not waited for.
 * @param {RTCPeerConnection} peer @param {string} leg empty: there is none, or it is gone already
 */
export async function hangUp(peer, leg) {
  if (!leg) {
    peer.close();
    return;
  }
  const timer = setTimeout(() => peer.close(), GOODBYE_MS);
  try {
    await leave(leg);
  } catch (error) {
    console.warn("leg not left:", error); // the server notices its silence
  } finally {
    clearTimeout(timer);
    peer.close();
  }
}

/** Only the path of a Location, whatever host a proxy wrote into it. @param {string} leg */
export const legPath = (leg) => new URL(leg, location.href).pathname;

/** @param {string} leg */
export const legId = (leg) => legPath(leg).split("/").pop() ?? "";

/**
 * Restart ICE over the leg's address (RFC 9725 section 4.3.2): new credentials go as an SDP
 * fragment, the server's come back the same way and replace those in its answer.
 * @param {RTCPeerConnection} peer @param {string} leg @param {AbortSignal} [signal]
 */
export async function restartIce(peer, leg, signal) {
  const answer = peer.remoteDescription?.sdp ?? "";
  await peer.setLocalDescription(await peer.createOffer({ iceRestart: true }));
  const offer = peer.localDescription?.sdp ?? "";
  try {
    const response = await request(legPath(leg), {
      method: "PATCH",
      body: iceFragment(offer),
      type: "application/trickle-ice-sdpfrag",
      headers: { "If-Match": "*" },
      signal,
    });
    const fragment = await response.text();
    await peer.setRemoteDescription({ type: "answer", sdp: withFragment(answer, fragment) });
  } catch (error) {
    if (peer.signalingState === "have-local-offer") {
      await peer.setLocalDescription({ type: "rollback" });
    }
    throw error;
  }
}

/** The lines of an offer that an ICE restart needs. @param {string} sdp */
export function iceFragment(sdp) {
  const lines = sdp.split(/\r?\n/);
  const first = (/** @type {string} */ prefix) => lines.find((line) => line.startsWith(prefix));
  const wanted = [
    first("a=ice-options:"),
    first("a=group:BUNDLE"),
    first("a=ice-ufrag:"),
    first("a=ice-pwd:"),
    first("m="),
    first("a=mid:"),
  ];
  return `${wanted.filter(Boolean).join("\r\n")}\r\n`;
}

/**
 * The answer with the credentials and candidates of a fragment.
 * @param {string} answer @param {string} fragment
 */
export function withFragment(answer, fragment) {
  const given = fragment.split(/\r?\n/);
  const credential = (/** @type {string} */ name) => given.find((line) => line.startsWith(name));
  const candidates = given.filter((line) => line.startsWith("a=candidate:"));
  const out = [];
  for (const line of answer.split(/\r?\n/)) {
    if (line.startsWith("a=candidate:") && candidates.length) continue;
    if (line === "a=end-of-candidates" && candidates.length) continue;
    if (line.startsWith("a=ice-ufrag:")) out.push(credential("a=ice-ufrag:") ?? line);
    else if (line.startsWith("a=ice-pwd:")) {
      out.push(credential("a=ice-pwd:") ?? line);
      if (insideMedia(out)) out.push(...candidates);
    } else out.push(line);
  }
  return out.join("\r\n");
}

/** @param {string[]} lines */
const insideMedia = (lines) => lines.some((line) => line.startsWith("m="));

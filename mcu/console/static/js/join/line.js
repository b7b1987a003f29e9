// @ts-check
// How good the line is, from two readings of the browser's statistics.

/**
 * @typedef {{at: number, lost: number, packets: number, bytesIn: number, jitterMs: number,
 *   tripMs: number | null, sentLoss: number, fpsIn: number | null, fpsOut: number | null,
 *   widthOut: number | null, heightOut: number | null, bytesOut: number}} Reading
 * @typedef {{grade: "good" | "fair" | "poor", lossPercent: number, jitterMs: number,
 *   tripMs: number | null, fpsIn: number | null, fpsOut: number | null, silent: boolean,
 *   kbitIn: number, kbitOut: number, widthOut: number | null, heightOut: number | null}} Line
 */

/** One reading of a peer connection. @param {RTCStatsReport} report @param {number} now ms */
export function read(report, now) {
  /** @type {Reading} */
  const reading = {
    at: now,
    lost: 0,
    packets: 0,
    bytesIn: 0,
    jitterMs: 0,
    tripMs: null,
    sentLoss: 0,
    fpsIn: null,
    fpsOut: null,
    widthOut: null,
    heightOut: null,
    bytesOut: 0,
  };
  report.forEach((entry) => {
    if (entry.type === "inbound-rtp") {
      reading.lost += Math.max(0, entry.packetsLost ?? 0);
      reading.packets += entry.packetsReceived ?? 0;
      reading.bytesIn += entry.bytesReceived ?? 0;
      reading.jitterMs = Math.max(reading.jitterMs, (entry.jitter ?? 0) * 1000);
      if (entry.kind === "video") reading.fpsIn = entry.framesPerSecond ?? 0;
    } else if (entry.type === "remote-inbound-rtp") {
      reading.sentLoss = Math.max(reading.sentLoss, entry.fractionLost ?? 0);
      reading.jitterMs = Math.max(reading.jitterMs, (entry.jitter ?? 0) * 1000);
      if (entry.roundTripTime) reading.tripMs = entry.roundTripTime * 1000;
    } else if (entry.type === "outbound-rtp") {
      reading.bytesOut += entry.bytesSent ?? 0;
      if (entry.kind === "video" && reading.widthOut === null) {
        reading.fpsOut = entry.framesPerSecond ?? 0;
        reading.widthOut = entry.frameWidth ?? null;
        reading.heightOut = entry.frameHeight ?? null;
      }
    } else if (entry.type === "candidate-pair" && entry.nominated && entry.currentRoundTripTime) {
      reading.tripMs ??= entry.currentRoundTripTime * 1000;
    }
  });
  return reading;
}

/** The line between two readings. @param {Reading} before @param {Reading} now @returns {Line} */
export function between(before, now) {
  const packets = now.packets - before.packets;
  const lost = Math.max(0, now.lost - before.lost);
  const received = packets + lost > 0 ? lost / (packets + lost) : 0;
  const loss = 100 * Math.max(received, now.sentLoss);
  const silent = packets <= 0;
  const seconds = Math.max(0.001, (now.at - before.at) / 1000);
  const trip = now.tripMs ?? 0;
  const poor = silent || loss > 5 || trip > 600 || now.jitterMs > 80;
  const fair = loss > 1 || trip > 250 || now.jitterMs > 30;
  return {
    grade: poor ? "poor" : fair ? "fair" : "good",
    lossPercent: loss,
    jitterMs: now.jitterMs,
    tripMs: now.tripMs,
    silent,
    fpsIn: now.fpsIn,
    fpsOut: now.fpsOut,
    widthOut: now.widthOut,
    heightOut: now.heightOut,
    kbitIn: ((now.bytesIn - before.bytesIn) * 8) / seconds / 1000,
    kbitOut: ((now.bytesOut - before.bytesOut) * 8) / seconds / 1000,
  };
}

// @ts-check
// When to try again: fast at first, then slower, with jitter so that 145 rooms that lost the same
// server do not all come back in the same moment.

export class Backoff {
  /** @param {{first?: number, most?: number, random?: () => number}} [options] in ms */
  constructor({ first = 500, most = 20_000, random = Math.random } = {}) {
    this.first = first;
    this.most = most;
    this.random = random;
    this.attempt = 0;
  }

  /** The next delay in ms: doubled each time up to `most`, then half of it fixed, half random. */
  next() {
    const ceiling = Math.min(this.most, this.first * 2 ** this.attempt);
    this.attempt += 1;
    return ceiling / 2 + (this.random() * ceiling) / 2;
  }

  reset() {
    this.attempt = 0;
  }
}

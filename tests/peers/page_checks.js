// What somebody at the screen could not read or reach, in words; run in a page.
(foreign) => {
  const faults = [];
  // What fades in is judged as it will be.
  for (const each of document.getAnimations())
    if (each.effect.getComputedTiming().endTime !== Infinity) each.finish();
  const modal = document.querySelector("dialog[open]");
  const seen = (element) =>
    element.checkVisibility({ opacityProperty: true, visibilityProperty: true }) &&
    (!modal || modal.contains(element));
  const name = (element) =>
    `${element.localName}.${element.className || ""} ${JSON.stringify((element.ariaLabel || element.textContent).trim().slice(0, 60))}`;

  const { scrollWidth, clientWidth } = document.documentElement;
  if (scrollWidth > clientWidth) faults.push(`wider than the window: ${scrollWidth} px`);
  for (const element of document.querySelectorAll("button, a[href], input, select, textarea")) {
    const box = element.getBoundingClientRect();
    if (!seen(element) || !box.width || getComputedStyle(element).clipPath !== "none") continue;
    if (box.left < -1 || box.right > innerWidth + 1) faults.push(`beside the window: ${name(element)}`);
    if (element.localName === "button" && element.scrollWidth > element.clientWidth + 1)
      faults.push(`cut off: ${name(element)}`);
  }

  const rgba = (text) => {
    const parts = /^rgba?\(([^)]+)\)$/.exec(text)?.[1].split(/[ ,/]+/).map(Number);
    return parts && { rgb: parts.slice(0, 3), alpha: parts[3] ?? 1 };
  };
  const over = (top, alpha, below) => top.map((value, at) => alpha * value + (1 - alpha) * below[at]);
  const luminance = (rgb) => {
    const [r, g, b] = rgb.map((value) => {
      const part = value / 255;
      return part <= 0.03928 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  /** What stands behind a text; null over pictures, of which nothing can be said. */
  const ground = (element) => {
    const layers = [];
    for (let each = element; each; each = each.parentElement) {
      if (each.matches(".stage, .thumb, .wall-tile")) return null;
      const style = getComputedStyle(each);
      if (style.backgroundImage !== "none") return null;
      const colour = rgba(style.backgroundColor);
      if (!colour) return null;
      layers.push(colour);
      if (colour.alpha === 1) break;
      if (each.localName === "dialog") break;
    }
    return layers.reduceRight((below, { rgb, alpha }) => over(rgb, alpha, below), [11, 16, 22]);
  };

  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    const text = texts.currentNode.data.trim();
    const element = texts.currentNode.parentElement;
    if (!text || !seen(element) || element.closest("script, noscript, .unseen")) continue;
    if (foreign.includes(text)) faults.push(`another language: ${name(element)}`);
    if (element.closest(":disabled, option")) continue;
    const behind = ground(element);
    const style = getComputedStyle(element);
    const front = rgba(style.color);
    if (!behind || !front) continue;
    let alpha = front.alpha;
    for (let each = element; each; each = each.parentElement)
      alpha *= Number(getComputedStyle(each).opacity);
    const [one, two] = [luminance(over(front.rgb, alpha, behind)), luminance(behind)];
    const ratio = (Math.max(one, two) + 0.05) / (Math.min(one, two) + 0.05);
    const px = parseFloat(style.fontSize);
    const large = px >= 24 || (px >= 18.66 && Number(style.fontWeight) >= 600);
    if (ratio < (large ? 3 : 4.5)) faults.push(`contrast ${ratio.toFixed(2)}: ${name(element)}`);
  }
  return [...new Set(faults)];
}

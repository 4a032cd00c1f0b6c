/* What scripts/check_site.py runs in a page. Each function returns a list of what is wrong, in words. */

const classOf = (e) => e.tagName.toLowerCase() + (typeof e.className === "string" && e.className ? "." + e.className : "");
const isShown = (e) => e.offsetParent !== null;

function setTheme(theme) {
  document.documentElement.dataset.theme = theme;
  document.documentElement.dataset.mode = theme;
}

function missing() {
  const wrong = [];
  for (const img of document.images)
    if (isShown(img) && img.loading !== "lazy" && img.naturalWidth === 0) wrong.push(`picture not there: ${img.src}`);
  for (const e of document.querySelectorAll(".math"))
    if (!e.querySelector("mjx-container")) wrong.push(`formula not rendered: ${e.textContent.slice(0, 40)}`);
  for (const e of document.querySelectorAll("mjx-merror")) wrong.push(`formula with an error: ${e.textContent}`);
  return wrong;
}

function tooWide() {
  const width = document.documentElement.clientWidth;
  const total = document.documentElement.scrollWidth;
  if (total <= width) return [];
  const scrolls = (e) => e.closest(".highlight, .output, .pst-scrollable-table-container") !== null;
  const causes = [...document.querySelectorAll("article *")].filter(
    (e) => e.getBoundingClientRect().right > width + 1 && !scrolls(e),
  );
  return [`${total} pixels wide: ${causes.slice(0, 3).map(classOf).join(", ")}`];
}

/* Relative luminance and contrast are those of WCAG 2. */
function luminance(color) {
  const channel = (value) => (value <= 10 ? value / 255 / 12.92 : ((value / 255 + 0.055) / 1.055) ** 2.4);
  return 0.2126 * channel(color[0]) + 0.7152 * channel(color[1]) + 0.0722 * channel(color[2]);
}

function numbers(color) {
  const found = color.match(/[\d.]+/g).map(Number);
  return found.length < 4 ? [...found, 1] : found;
}

function groundOf(element) {
  for (let one = element; one; one = one.parentElement) {
    const color = numbers(getComputedStyle(one).backgroundColor);
    if (color[3] > 0.5) return color;
  }
  return [255, 255, 255, 1];
}

/* One text of each kind (element, class, class of its parent) is measured; drawings of estimators are scikit-learn's. */
function unreadable(theme, least) {
  setTheme(theme);
  const wrong = [];
  const seen = new Set();
  const walker = document.createTreeWalker(document.querySelector("main"), NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const e = walker.currentNode.parentElement;
    const text = walker.currentNode.textContent.trim();
    const kind = `${classOf(e)} in ${classOf(e.parentElement)}`;
    if (!text || seen.has(kind) || !isShown(e) || e.closest("mjx-assistive-mml, script, style, svg, .sk-top-container")) continue;
    seen.add(kind);
    const style = getComputedStyle(e);
    if (style.visibility === "hidden" || style.opacity === "0") continue;
    const both = [luminance(numbers(style.color)), luminance(groundOf(e))];
    const contrast = (Math.max(...both) + 0.05) / (Math.min(...both) + 0.05);
    if (contrast < least) wrong.push(`contrast ${contrast.toFixed(1)}: "${text.slice(0, 30)}", ${kind}`);
  }
  return wrong;
}


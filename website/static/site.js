/* The sidebar shows where you are, also when you come from a link in the text. */
window.addEventListener("load", () => {
  const sidebar = document.querySelector(".bd-sidebar-primary");
  const here = [...document.querySelectorAll(".bd-sidebar-primary .current > a")].pop();
  if (!sidebar || !here) return;
  const seen = sidebar.getBoundingClientRect();
  const place = here.getBoundingClientRect();
  if (place.top < seen.top || place.bottom > seen.bottom)
    sidebar.scrollTop += place.top - seen.top - sidebar.clientHeight / 2;
});

/* Search shows the text of a page, not its buttons and its table of contents. */
document.addEventListener("DOMContentLoaded", () => {
  if (typeof Search === "undefined" || !Search.htmlToText) return;
  const original = Search.htmlToText;
  Search.htmlToText = (html, anchor) => {
    const page = new DOMParser().parseFromString(html, "text/html");
    const article = page.querySelector("article.bd-article");
    return original(article ? `<div role="main">${article.innerHTML}</div>` : html, anchor);
  };
});

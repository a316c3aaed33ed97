// The list of sections marks the one that is read, and keeps it in sight.
"use strict";
explorer.start("contents", () => {
  const list = document.querySelector("nav ol");
  const links = list ? [...list.querySelectorAll("a")] : [];
  const headings = links.map((link) => document.getElementById(decodeURIComponent(link.hash.slice(1))));
  let marked = null;

  function mark() {
    const passed = headings.filter((heading) => heading && heading.getBoundingClientRect().top < 120).length;
    const link = links[Math.max(0, passed - 1)];
    if (link === marked || !link) return;
    if (marked) marked.removeAttribute("aria-current");
    link.setAttribute("aria-current", "true");
    marked = link;
    const nav = list.closest("nav");
    if (nav.scrollHeight > nav.clientHeight) nav.scrollTop = link.offsetTop - nav.clientHeight / 2;
  }

  if (links.length) {
    document.addEventListener("scroll", () => requestAnimationFrame(mark), { passive: true });
    mark();
  }
});

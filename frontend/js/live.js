// Desks that refresh themselves: htmx fetches the page again, this decides when that may be shown.
//
// Nothing moves under a reader who types, has the focus, a selection or a dialog here; a hidden tab asks for nothing;
// without an answer the page says since when it is old.

import { fill, readJson } from "./_kit.js"

const texts = readJson("live-texts")
const SWAPPED = "#main, #dock, #top-nav, #page-sub"
const HELD_AFTER = 60000
let refreshed = Date.now()

const region = () => document.querySelector("[data-live]")

function isInUse() {
  if (document.querySelector("dialog[open]")) return true
  const active = document.activeElement
  if (active?.matches("input, textarea, select, [contenteditable]")) return true
  // The focus of a keyboard; a press of the mouse leaves one behind that nobody looks for.
  if (active?.closest(SWAPPED) && active !== region() && active.matches(":focus-visible")) return true
  const selection = getSelection()
  return Boolean(selection && !selection.isCollapsed && region().contains(selection.anchorNode))
}

function say(words) {
  const bar = document.getElementById("live-bar")
  const text = words && region() ? fill(words, { time: region().dataset.at }) : ""
  if (bar.textContent !== text) bar.textContent = text
  bar.hidden = !text
}

/** What a reader opened or scrolled is so again after the swap: folds by their order, tables by theirs. */
function keep() {
  const folds = [...region().querySelectorAll("details")].map((fold) => fold.open)
  const scrolls = [...region().querySelectorAll("[role=region]")].map((box) => box.scrollLeft)
  const top = window.scrollY
  return () => {
    for (const [index, fold] of [...region().querySelectorAll("details")].entries()) if (folds[index]) fold.open = true
    for (const [index, box] of [...region().querySelectorAll("[role=region]")].entries()) {
      if (scrolls[index] !== undefined) box.scrollLeft = scrolls[index]
    }
    window.scrollTo(window.scrollX, top)
  }
}

let restore = () => {}
const isOurs = (event) => region() !== null && event.detail.elt === region()

document.addEventListener("htmx:beforeRequest", (event) => {
  if (!isOurs(event)) return
  if (document.hidden || isInUse()) event.preventDefault()
  if (!document.hidden && isInUse() && Date.now() - refreshed > HELD_AFTER) say(texts.held)
})

document.addEventListener("htmx:beforeSwap", (event) => {
  if (!isOurs(event)) return
  const { xhr } = event.detail
  // An answer from elsewhere is the sign-in page.
  const isThisPage = new URL(xhr.responseURL, location.href).pathname === location.pathname
  if (!isThisPage) say(texts.signed_out)
  if (!isThisPage || isInUse()) event.detail.shouldSwap = false
  if (event.detail.shouldSwap) restore = keep()
})

document.addEventListener("htmx:afterSwap", () => {
  // The page may have come back without a part that refreshes: a day that is over by now, a role that ended.
  if (!region()) return
  refreshed = Date.now()
  say("")
  restore()
  restore = () => {}
  const news = document.getElementById("live-news")
  if (news.dataset.last !== undefined && news.dataset.last !== region().dataset.news) {
    news.textContent = region().dataset.news
  }
  news.dataset.last = region().dataset.news
})

for (const name of ["htmx:sendError", "htmx:timeout"]) document.addEventListener(name, () => say(texts.stale))
document.addEventListener("htmx:responseError", (event) => {
  say(event.detail.xhr.status === 401 ? texts.signed_out : texts.stale)
})

// Whoever comes back to the tab sees the present at once.
document.addEventListener("visibilitychange", () => {
  if (!document.hidden && Date.now() - refreshed > 30000) region()?.dispatchEvent(new Event("refresh"))
})
document.getElementById("live-news").dataset.last = region().dataset.news

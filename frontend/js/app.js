// On every page: countdowns, dialogs, focus of error summaries, print, the search key.

import { countdownWords, readJson } from "./_kit.js"

const texts = readJson("kit-texts")
// When each countdown came: with the page, or with a refresh of it.
const came = new WeakMap()

/** Countdowns run from the server's (or the demo's) moment plus the time since they came. */
function tick() {
  for (const element of document.querySelectorAll("time[data-deadline]")) {
    if (!came.has(element)) came.set(element, Date.now())
    const deadline = Date.parse(element.dataset.deadline)
    const now = Date.parse(element.dataset.now) + Date.now() - came.get(element)
    const words = countdownWords(texts, deadline, now, element.dataset.style)
    if (element.textContent !== words) element.textContent = words
    if (deadline < now) element.dataset.state = "now"
  }
}

tick()
setInterval(tick, 5000)
document.addEventListener("htmx:afterSwap", tick)

document.addEventListener("click", (event) => {
  const target = event.target instanceof Element ? event.target : null
  const opener = target?.closest("[data-dialog]")
  if (opener) document.getElementById(opener.dataset.dialog).showModal()
  if (target?.closest("[data-close]")) target.closest("dialog").close()
  if (target?.closest("[data-print]")) window.print()
})

// A second press on a slow line must not send twice; the page that answers replaces this one.
document.addEventListener("submit", (event) => {
  const form = event.target
  if (form.method !== "post") return
  if (form.dataset.sent) event.preventDefault()
  else form.dataset.sent = "1"
})

window.addEventListener("pageshow", () => {
  for (const form of document.querySelectorAll("form[data-sent]")) delete form.dataset.sent
})

// Long work on the server: what it says of itself, every two seconds, and the page anew once it is done.
const work = document.querySelector("[data-poll]")
if (work) {
  const bar = work.querySelector("progress")
  const words = work.querySelector("[data-poll-words]")
  const ask = async () => {
    const answer = await fetch(work.dataset.poll, { headers: { Accept: "application/json" } }).catch(() => null)
    if (answer?.ok) {
      const state = await answer.json()
      if (!state.at_work) return location.reload()
      if (words.textContent !== state.words) words.textContent = state.words
      bar.max = state.of
      bar.value = state.done
    }
    setTimeout(ask, 2000)
  }
  setTimeout(ask, 1000)
}

document.querySelector("[data-focus]")?.focus()

// "/" leads to the search field, as on the pages of officers everywhere; never from inside a field.
document.addEventListener("keydown", (event) => {
  if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey) return
  if (event.target instanceof Element && event.target.closest("input, textarea, select, dialog")) return
  const search = document.querySelector(".x-search input, input[type=search]")
  if (search && search.offsetParent !== null) {
    event.preventDefault()
    search.focus()
  }
})

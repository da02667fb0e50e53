// The class check: fetch the roster, draw the grid, send what was tapped.
//
// Nothing of a child is kept on the device; what was tapped lives in this page until the server has it.
// One attempt has one client id: sending it again, by button or when the network is back, never counts twice.

import { countdownWords, fill, icon, make, readJson } from "./_kit.js"
import { ClassCheck, Clock, newId } from "./_check_model.js"
import { Sheet } from "./_check_sheet.js"

const texts = readJson("class-check-texts")
const timeTexts = readJson("kit-texts")
const byId = (id) => document.getElementById(id)
const root = byId("check")
const grid = byId("check-grid")
const submitButton = byId("check-submit")
const errorBar = byId("check-errors")
const toast = byId("check-toast")

const KIND_ICONS = {
  absent_ill: icon("bed"),
  absent_other: icon("briefcase"),
  late: icon("alarm"),
  symptoms: icon("stethoscope"),
  recovered: icon("heart-check"),
}
const HOLD_MS = 550
const PATIENCE_MS = 20000

let check, clock, sheet
let attempt = null // { signature, body }: what is being sent or could not be sent
let lastFinding = null
let isSending = false
let isLeaving = false
let wasToday = false // the page was opened for the day of its opening
let askedOn = null // the day on which it was asked whether to go on with an older one
const cells = new Map()

// --- loading

async function load() {
  grid.replaceChildren(...Array.from({ length: 40 }, () => make("li", { className: "x-seat-blank" })))
  const askedAt = Date.now()
  const answer = await ask(root.dataset.rosterUrl)
  if (!answer) return showInstead("cloud-off", texts.load_failed, "", load)
  const roster = answer.body
  if (!answer.ok || !roster) {
    return showInstead("lock", texts.load_refused, roster?.detail ?? texts.signed_out, () => location.reload())
  }
  check = new ClassCheck(roster)
  clock = new Clock(roster, askedAt, Date.now())
  if (!check.pupils.size) return showInstead("users", texts.empty_title, texts.empty_text, () => location.reload())
  start()
}

/**
 * { ok, status, body }, or null if no whole answer came: no network, no patience left, cut off on its way, the
 * server's own fault. The body is null if it is something else than JSON (a sign-in page, a proxy's error).
 */
async function ask(url, options = {}) {
  const headers = { Accept: "application/json", ...options.headers }
  try {
    // Old browsers have no such signal; there the network's own limit counts.
    const signal = AbortSignal.timeout?.(PATIENCE_MS)
    const response = await fetch(url, { cache: "no-store", ...options, headers, signal })
    if (response.status >= 500) return null
    const isJson = /json/.test(response.headers.get("Content-Type") ?? "")
    return { ok: response.ok, status: response.status, body: isJson ? await response.json() : null }
  } catch {
    return null
  }
}

function showInstead(name, title, text, retry) {
  const button = make("button", { type: "button", className: "btn", textContent: texts.retry })
  button.addEventListener("click", () => {
    box.remove()
    for (const element of [grid, byId("check-hint")]) element.hidden = false
    retry()
  })
  const words = make("div", {}, make("p", { className: "x-empty-title", textContent: title }))
  if (text) words.append(make("p", { className: "x-second", textContent: text }))
  words.append(button)
  const box = make("div", { className: "x-empty", role: "alert" }, icon(name, "lg"), words)
  for (const element of [grid, byId("check-hint"), byId("check-dock")]) element.hidden = true
  root.append(box)
}

function start() {
  sheet = new Sheet({ check, clock, texts, onChange: changed, onClear: offerUndo, onClose: closed })
  wasToday = check.roster.day === clock.today()
  byId("check-dock").hidden = false
  draw()
  setInterval(drawClock, 5000)
}

function draw() {
  const { roster } = check
  const by = roster.deadline ? ` · ${fill(texts.by, { time: roster.deadline_label })}` : ""
  byId("check-sub").textContent = roster.day_label + by
  if (roster.session) {
    byId("check-hint").textContent = fill(texts.correction_hint, { time: roster.session.at, by: roster.session.by })
  }
  grid.replaceChildren(...roster.pupils.map(pupilItem))
  grid.setAttribute("aria-busy", "false")
  roster.pupils.forEach(drawPupil)
  drawCounts()
  drawClock()
}

function drawClock() {
  const { deadline, session } = check.roster
  const place = byId("check-clock")
  const show = (state, name, words) => {
    if (place.dataset.words === words) return
    place.dataset.words = words
    place.className = `x-state x-state-${state}`
    place.replaceChildren(icon(name), words)
  }
  if (session) return show("done", "circle-check", fill(texts.sent, { time: session.at }))
  if (!deadline) return
  const [end, now] = [Date.parse(deadline), clock.now()]
  const style = Math.abs(end - now) < 3600000 ? "words" : "clock"
  show(end < now ? "now" : "due", end < now ? "alert-circle" : "clock-hour-4", countdownWords(timeTexts, end, now, style))
}

// --- the grid

function pupilItem(pupil) {
  const cell = make("button", { type: "button", className: "x-seat", id: `pupil-${pupil.id}` })
  cells.set(pupil.id, cell)
  cell.addEventListener("click", () => {
    if (cell.dataset.held) delete cell.dataset.held
    else sheet.open(pupil, cell)
  })
  repeatOnHold(cell, pupil)
  return make("li", {}, cell)
}

/** Holding a cell repeats the last kind, with undo; a shortcut beside the tap, for three children with one cough. */
function repeatOnHold(cell, pupil) {
  let timer
  const stop = () => clearTimeout(timer)
  cell.addEventListener("pointerdown", () => {
    delete cell.dataset.held
    timer = setTimeout(() => {
      if (!lastFinding) return
      cell.dataset.held = "1"
      const before = check.set(pupil.id, { ...lastFinding, symptoms: [...lastFinding.symptoms] })
      changed(pupil)
      showToast(fill(texts.repeated, { name: pupil.name }), () => restore(pupil, before))
    }, HOLD_MS)
  })
  for (const event of ["pointerup", "pointercancel", "pointerleave", "pointermove"]) {
    cell.addEventListener(event, (moved) => {
      if (event !== "pointermove" || Math.abs(moved.movementX) + Math.abs(moved.movementY) > 6) stop()
    })
  }
  cell.addEventListener("contextmenu", (event) => {
    if (cell.dataset.held) event.preventDefault()
  })
}

function drawPupil(pupil) {
  const cell = cells.get(pupil.id)
  const finding = check.finding(pupil.id)
  const long = [...pupil.name].length
  const name = make("span", { className: "x-seat-name", textContent: pupil.name })
  if (long === 4) name.classList.add("x-seat-long")
  if (long > 4) name.classList.add("x-seat-wrap")
  cell.replaceChildren(make("span", { className: "x-seat-number", textContent: pupil.number }), name)
  if (finding) cell.dataset.state = check.state(finding)
  else delete cell.dataset.state
  cell.removeAttribute("aria-invalid")
  cell.append(...what(pupil, finding))
  cell.setAttribute("aria-label", [`${pupil.number} ${pupil.name}`.trim(), ...spoken(pupil, finding)].join(texts.list_join))
}

function changed(pupil) {
  drawPupil(pupil)
  drawCounts()
  if (errorBar.hidden) return
  if (errorBar.dataset.about === "entries" && !check.incomplete().length) errorBar.hidden = true
  if (errorBar.dataset.about === "standing") showStanding()
}

function what(pupil, finding) {
  if (!finding) {
    if (!pupil.file) return []
    const words = fill(texts.cell_file, { n: pupil.file.day_n })
    const sign = icon("history")
    sign.classList.add("x-seat-corner")
    return [sign, make("span", { className: "x-seat-what x-seat-ask" }, make("span", { textContent: words }))]
  }
  const labels = check.symptomLabels(finding)
  let [first, sign] = [texts[`cell_${finding.status}`], KIND_ICONS[finding.status].cloneNode(true)]
  if (finding.status === "symptoms" && labels.length) {
    const code = check.roster.symptoms.find((symptom) => finding.symptoms.includes(symptom.code))
    sign = icon(code.icon)
    first = labels.length > 1 ? fill(texts.cell_more, { first: labels[0], n: labels.length - 1 }) : labels[0]
  }
  const line = make("span", { className: "x-seat-what" }, sign, make("span", { textContent: first }))
  if (!finding.announced) return [line]
  sign.classList.add("x-seat-corner")
  line.append(make("span", { className: "x-seat-known", textContent: texts.cell_reported }))
  return [sign, line]
}

function findingWords(finding) {
  return finding ? [texts[`name_${finding.status}`], ...check.symptomLabels(finding)] : [texts.well]
}

function spoken(pupil, finding) {
  const words = findingWords(finding)
  if (finding?.announced) words.push(texts.name_reported)
  if (pupil.file) words.push(fill(texts.name_file, { date: sheet.dateWords(pupil.file.since), n: pupil.file.day_n }))
  return words
}

function drawCounts() {
  const counts = check.counts()
  const row = (key, name, extra = "") =>
    make("div", { className: extra }, make("dt", {}, name && icon(name), texts[key]), make("dd", { textContent: counts[key] }))
  const rows = [row("expected"), row("present"), row("ill", "bed", "x-push"), row("other", "briefcase"), row("unwell", "stethoscope")]
  if (counts.late) rows.push(row("late", "alarm"))
  if (counts.recovered) rows.push(row("recovered", "heart-check"))
  byId("check-counts").classList.toggle("x-many", rows.length > 5)
  byId("check-counts").replaceChildren(...rows)
  drawSubmit(counts)
}

function drawSubmit({ well, noted, back } = check.counts()) {
  const isCorrection = Boolean(check.roster.session)
  const nothing = isCorrection && !check.isChanged()
  const key = `${isCorrection ? "correct" : "submit"}_${noted ? "some" : "all"}${back ? "_back" : ""}`
  const words = isSending ? texts.sending : nothing ? texts.correct_none : fill(texts[key], { n: well, m: noted, k: back })
  submitButton.disabled = isSending || nothing
  submitButton.replaceChildren(icon("check", "lg"), words)
}

grid.addEventListener("keydown", (event) => {
  const columns = getComputedStyle(grid).gridTemplateColumns.split(" ").length
  const step = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -columns, ArrowDown: columns }[event.key]
  if (!step) return
  const seen = [...grid.querySelectorAll("li:not([hidden]) > .x-seat")]
  const next = seen[seen.indexOf(document.activeElement) + step]
  if (next) {
    event.preventDefault()
    next.focus()
  }
})

// --- the sheet and undo

function closed(pupil) {
  const finding = check.finding(pupil.id)
  if (finding && !check.lacks(finding) && !finding.announced) lastFinding = finding
  closeSearch()
  cells.get(pupil.id).focus()
}

function restore(pupil, finding) {
  check.set(pupil.id, finding)
  changed(pupil)
  cells.get(pupil.id).focus()
}

function offerUndo(pupil, before) {
  showToast(fill(texts.cleared, { name: pupil.name }), () => restore(pupil, before))
}

let toastTimer
function showToast(words, undo) {
  const button = make("button", { type: "button", textContent: texts.undo })
  button.addEventListener("click", () => {
    toast.hidden = true
    undo()
  })
  toast.replaceChildren(make("span", { textContent: words }), button)
  toast.hidden = false
  clearTimeout(toastTimer)
  const hide = () => {
    // Not while somebody is about to press it.
    if (toast.matches(":hover, :focus-within")) toastTimer = setTimeout(hide, 2000)
    else toast.hidden = true
  }
  toastTimer = setTimeout(hide, 10000)
}

// --- search

const searchBox = byId("check-search")
const query = byId("check-query")
const searchButton = byId("check-search-open")

function showSearch(isOpen) {
  searchBox.hidden = !isOpen
  searchButton.setAttribute("aria-expanded", String(isOpen))
}

function closeSearch() {
  query.value = ""
  filter()
  showSearch(false)
}

function filter() {
  const found = new Set(check.search(query.value).map((pupil) => pupil.id))
  for (const [id, cell] of cells) cell.parentElement.hidden = !found.has(id)
  const words = found.size ? fill(texts.found, { n: found.size }) : texts.nobody_found
  const hint = byId("check-found")
  hint.textContent = query.value.trim() ? words : ""
  // How many were found is seen; that nobody was must be said.
  hint.classList.toggle("x-visually-hidden", found.size > 0)
  query.setCustomValidity(found.size ? "" : words)
}

searchButton.addEventListener("click", () => {
  if (!check) return
  if (searchBox.hidden) {
    showSearch(true)
    query.focus()
  } else closeSearch()
})
query.addEventListener("input", filter)
query.addEventListener("keydown", (event) => {
  if (event.key === "Escape") {
    closeSearch()
    searchButton.focus()
  }
  if (event.key === "Enter" && query.value.trim()) {
    const [first] = check.search(query.value)
    if (first) sheet.open(first, cells.get(first.id))
  }
})

// --- sending

function currentAttempt() {
  const { day, session } = check.roster
  const signature = JSON.stringify(check.entries())
  // What could not be sent is sent again as it was, with its id and the time of the first tap.
  if (attempt?.signature === signature) return attempt
  const body = {
    client_id: newId(),
    day,
    tapped_at: clock.tap(),
    clock_offset_ms: clock.offset,
    base_version: session?.version ?? 0,
    findings: check.entries(),
  }
  return { signature, at: body.tapped_at.slice(11, 16), body: JSON.stringify(body) }
}

async function send() {
  if (isSending) return
  const incomplete = check.incomplete()
  if (incomplete.length) {
    return showErrors(
      texts.incomplete,
      incomplete.map((pupil) => ({ pupil, words: texts[`incomplete_${check.lacks(check.finding(pupil.id))}`] })),
    )
  }
  attempt = currentAttempt()
  isSending = true
  errorBar.hidden = true
  drawSubmit()
  const answer = await ask(check.roster.session?.submit_url ?? root.dataset.submitUrl, {
    method: "POST",
    headers: { "Content-Type": "application/json", "X-CSRFToken": csrfToken() },
    body: attempt.body,
  })
  // Somebody was faster: what stands is fetched before anything can be sent again.
  const standing = answer?.status === 409 ? await ask(rosterOfThisDay()) : null
  isSending = false
  drawSubmit()
  if (!answer) return notSent()
  if (answer.status === 409) return standing?.ok && standing.body ? takeOver(standing.body) : notSent()
  answered(answer.status, answer.body)
}

/** The roster of the day that stands on this page, also after midnight. */
function rosterOfThisDay() {
  const url = new URL(root.dataset.rosterUrl, location.href)
  url.searchParams.set("day", check.roster.day)
  return url
}

function answered(status, answer) {
  if (answer?.next) {
    const next = new URL(answer.next, location.href)
    if (next.origin !== location.origin) throw new Error(`the answer leads elsewhere: ${next.origin}`)
    isLeaving = true
    submitButton.disabled = true
    return location.assign(next)
  }
  // Only what was read and refused is over; not being signed in says nothing about what was sent before.
  const isOver = status === 422
  if (isOver) attempt = null
  const retry = isOver ? [] : [{ words: texts.retry, act: send }]
  if (!answer) return showErrors(texts.signed_out, [], [], { acts: retry })
  const lines = (answer.errors ?? []).map((error) => ({
    pupil: check.pupils.get(error.person),
    words: [error.message, error.remedy].filter(Boolean).join(" "),
  }))
  showErrors(texts.refused, lines, [answer.detail, answer.lifts], { acts: retry })
}

function notSent() {
  showErrors(fill(texts.unsent, { time: attempt.at }), [], [texts.unsent_once], { acts: [{ words: texts.retry, act: send }] })
}

/** Go on from what stands meanwhile; what was tapped here stays and goes as a correction. */
function takeOver(roster) {
  if (sheet.dialog.open) sheet.dialog.close()
  attempt = null
  check = check.onTopOf(roster)
  sheet.check = check
  toast.hidden = true
  cells.clear()
  draw()
  closeSearch()
  showStanding()
}

function showStanding() {
  const { session } = check.roster
  const lines = check.differences().map((pupil) => {
    const [yours, theirs] = [check.finding(pupil.id), check.standing(pupil.id)].map((f) => findingWords(f).join(texts.list_join))
    return { pupil, words: fill(texts.standing_line, { yours, theirs }) }
  })
  const by = session ? fill(texts.correction_hint, { time: session.at, by: session.by }) : ""
  const title = lines.length ? texts.standing_other : texts.standing_same
  showErrors(title, lines, [by], { about: "standing" })
}

/**
 * The bar above the button: what is wrong; each line leads to its cell. It is about "entries" (goes when they are
 * mended), "standing" (what differs from what a colleague sent; follows the entries), "sending" or "day".
 */
function showErrors(title, lines, more = [], { acts = [], about = lines.length ? "entries" : "sending" } = {}) {
  errorBar.dataset.about = about
  const items = lines.map(({ pupil, words }) => {
    if (!pupil) return make("li", { textContent: words })
    const cell = cells.get(pupil.id)
    if (about === "entries") cell.setAttribute("aria-invalid", "true")
    const link = make("button", { type: "button", textContent: `${pupil.number} ${pupil.name}: ${words}` })
    link.addEventListener("click", () => {
      cell.scrollIntoView({ block: "center" })
      sheet.open(pupil, cell)
    })
    return make("li", {}, link)
  })
  errorBar.replaceChildren(make("h2", {}, icon("alert-circle"), title))
  errorBar.append(...more.filter(Boolean).map((words) => make("p", { textContent: words })))
  if (items.length) errorBar.append(make("ul", {}, ...items))
  for (const { words, act } of acts) {
    const button = make("button", { type: "button", className: "btn" }, icon("refresh"), words)
    button.addEventListener("click", act)
    errorBar.append(button)
  }
  errorBar.hidden = false
  if (!sheet.dialog.open) errorBar.focus()
}

function csrfToken() {
  const cookie = document.cookie.match(/(?:^|;\s*)(?:__Host-|__Secure-)?csrftoken=([^;]+)/)
  return cookie ? cookie[1] : document.querySelector("[name=csrfmiddlewaretoken]").value
}

submitButton.addEventListener("click", send)
window.addEventListener("online", () => {
  if (attempt && !isSending && !isLeaving && !errorBar.hidden) send()
})
window.addEventListener("beforeunload", (event) => {
  if (check && !isLeaving && check.isChanged()) event.preventDefault()
})
// Back from the page that followed: what stands here is from before the submit.
window.addEventListener("pageshow", (event) => {
  if (event.persisted && isLeaving) location.reload()
  else noticeNewDay()
})
document.addEventListener("visibilitychange", noticeNewDay)

/** A page left open overnight still shows yesterday: go on to today, or ask if something was tapped. */
function noticeNewDay() {
  if (document.hidden || !sheet || !wasToday || isSending || isLeaving) return
  const today = clock.today()
  if (today === check.roster.day || today === askedOn) return
  if (!check.isChanged()) return openToday()
  askedOn = today
  const title = fill(texts.other_day, { day: check.roster.day_label })
  showErrors(title, [], [texts.other_day_send], { acts: [{ words: texts.other_day_drop, act: openToday }], about: "day" })
}

/** The address without its day is the check of today. */
function openToday() {
  isLeaving = true
  location.replace(location.pathname)
}

load()

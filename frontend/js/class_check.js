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

let check, clock, sheet
let attempt = null // { signature, body }: what is being sent or could not be sent
let lastFinding = null
let isSending = false
let isLeaving = false
const cells = new Map()

// --- loading

async function load() {
  grid.replaceChildren(...Array.from({ length: 40 }, () => make("li", { className: "x-seat-blank" })))
  const askedAt = Date.now()
  let response
  try {
    response = await fetch(root.dataset.rosterUrl, { cache: "no-store", headers: { Accept: "application/json" } })
  } catch {
    return showInstead("cloud-off", texts.load_failed, "", load)
  }
  if (response.status >= 500) return showInstead("cloud-off", texts.load_failed, "", load)
  const roster = await json(response)
  if (!response.ok || !roster) {
    return showInstead("lock", texts.load_refused, roster?.detail ?? texts.signed_out, () => location.reload())
  }
  check = new ClassCheck(roster)
  clock = new Clock(roster, askedAt, Date.now())
  if (!check.pupils.size) return showInstead("users", texts.empty_title, texts.empty_text, () => location.reload())
  start()
}

/** The body as JSON, or null if it is something else (a sign-in page, a proxy's error). */
async function json(response) {
  return /json/.test(response.headers.get("Content-Type") ?? "") ? response.json() : null
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
  const { roster } = check
  byId("check-dock").hidden = false
  const by = roster.deadline ? ` · ${fill(texts.by, { time: roster.deadline_label })}` : ""
  byId("check-sub").textContent = roster.day_label + by
  if (roster.session) {
    byId("check-hint").textContent = fill(texts.correction_hint, { time: roster.session.at, by: roster.session.by })
  }
  sheet = new Sheet({ check, clock, texts, onChange: changed, onClear: offerUndo, onClose: closed })
  grid.replaceChildren(...roster.pupils.map(pupilItem))
  grid.setAttribute("aria-busy", "false")
  roster.pupils.forEach(drawPupil)
  drawCounts()
  drawClock()
  setInterval(drawClock, 5000)
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
  if (errorBar.dataset.about === "entries" && !check.incomplete().length) errorBar.hidden = true
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

function spoken(pupil, finding) {
  const words = finding ? [texts[`name_${finding.status}`], ...check.symptomLabels(finding)] : [texts.well]
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

function drawSubmit({ well, noted } = check.counts()) {
  const isCorrection = Boolean(check.roster.session)
  const nothing = isCorrection && !check.isChanged()
  const key = `${isCorrection ? "correct" : "submit"}_${noted ? "some" : "all"}`
  const words = isSending ? texts.sending : nothing ? texts.correct_none : fill(texts[key], { n: well, m: noted })
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
  byId("check-found").textContent = query.value.trim() ? words : ""
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
  let response
  try {
    response = await fetch(check.roster.session?.submit_url ?? root.dataset.submitUrl, {
      method: "POST",
      headers: { "Content-Type": "application/json", Accept: "application/json", "X-CSRFToken": csrfToken() },
      body: attempt.body,
    })
  } catch {
    return notSent()
  } finally {
    isSending = false
    drawSubmit()
  }
  await answered(response)
}

async function answered(response) {
  if (response.status >= 500) return notSent()
  const answer = await json(response)
  if (response.ok && answer?.next) {
    const next = new URL(answer.next, location.href)
    if (next.origin !== location.origin) throw new Error(`the answer leads elsewhere: ${next.origin}`)
    isLeaving = true
    submitButton.disabled = true
    return location.assign(next)
  }
  attempt = null
  if (!answer) return showErrors(texts.signed_out, [])
  const lines = (answer.errors ?? []).map((error) => ({
    pupil: check.pupils.get(error.person),
    words: [error.message, error.remedy].filter(Boolean).join(" "),
  }))
  showErrors(texts.refused, lines, [answer.detail, answer.lifts], response.status === 409 ? texts.reload : "")
}

function notSent() {
  showErrors(fill(texts.unsent, { time: attempt.at }), [], [texts.unsent_once], "", texts.retry)
}

/** The bar above the button: what is wrong; each line leads to its cell. */
function showErrors(title, lines, more = [], reload = "", retry = "") {
  errorBar.dataset.about = lines.length ? "entries" : "sending"
  const items = lines.map(({ pupil, words }) => {
    if (!pupil) return make("li", { textContent: words })
    const cell = cells.get(pupil.id)
    cell.setAttribute("aria-invalid", "true")
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
  for (const [words, act] of [[reload, () => location.reload()], [retry, send]]) {
    if (!words) continue
    const button = make("button", { type: "button", className: "btn" }, icon("refresh"), words)
    button.addEventListener("click", act)
    errorBar.append(button)
  }
  errorBar.hidden = false
  errorBar.focus()
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
})

load()

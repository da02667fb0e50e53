// The bottom sheet for one pupil. What is chosen counts at once: closing it in any way keeps it.

import { fill, icon, make } from "./_kit.js"
import { ILLNESS } from "./_check_model.js"

const OFFERED_DAYS = 4
const DAY_MS = 86400000
// The oldest first day of an illness that the server takes (screening/policies.py).
const OLDEST_ONSET_DAYS = 365

export class Sheet {
  constructor({ check, clock, texts, onChange, onClear, onClose }) {
    Object.assign(this, { check, clock, texts, onChange, onClear })
    this.dialog = document.getElementById("check-sheet")
    this.panel = document.getElementById("sheet-panel")
    this.spot = document.getElementById("sheet-spot")
    this.grid = document.getElementById("check-grid")
    this.save = document.getElementById("sheet-save")
    this.clear = document.getElementById("sheet-clear")
    this.illness = document.getElementById("sheet-illness")
    this.symptoms = document.getElementById("sheet-symptoms")
    this.since = document.getElementById("sheet-since")
    this.sincePart = document.getElementById("sheet-since-part")
    this.nothing = document.getElementById("sheet-nothing")
    this.kinds = [...this.dialog.querySelectorAll("[data-status]")]

    this.symptoms.append(...check.roster.symptoms.map((symptom) => this.#symptomButton(symptom)))
    for (const kind of this.kinds) kind.addEventListener("click", () => this.#chooseKind(kind.dataset.status))
    this.save.addEventListener("click", () => this.dialog.close())
    this.clear.addEventListener("click", () => this.#clearFinding())
    document.getElementById("sheet-close").addEventListener("click", () => this.dialog.close())
    this.dialog.addEventListener("click", (event) => {
      if (event.target === this.dialog) this.dialog.close()
    })
    this.dialog.addEventListener("close", () => {
      this.grid.style.marginBottom = ""
      window.scrollTo(0, this.scrollBefore)
      onClose(this.pupil)
    })
    this.#closeOnSwipeDown()
    window.addEventListener("resize", () => this.dialog.open && this.#place())
  }

  open(pupil, cell) {
    Object.assign(this, { pupil, cell, anotherDay: false, scrollBefore: window.scrollY })
    const name = document.getElementById("sheet-name")
    name.replaceChildren(make("span", { textContent: pupil.number }), ` ${pupil.name}`)
    document.getElementById("sheet-known").textContent = this.#known(pupil)
    this.dialog.showModal()
    this.panel.scrollTop = 0
    this.#widenLastSymptom()
    this.#draw()
    this.#place()
    name.focus()
  }

  get finding() {
    return this.check.finding(this.pupil.id)
  }

  #known({ file, preset }) {
    if (file) return fill(this.texts.known_file, { date: this.dateWords(file.since), n: file.day_n })
    return preset ? fill(this.texts.known_preset, { label: preset.label }) : this.texts.known_none
  }

  dateWords(day) {
    const [, month, date] = day.split("-").map(Number)
    return fill(this.texts.date, { month, day: date })
  }

  #symptomButton({ code, label, icon: name }) {
    const button = make("button", { type: "button" }, icon(name, "lg"), make("span", { textContent: label }))
    button.dataset.code = code
    button.addEventListener("click", () => this.#toggleSymptom(code))
    return button
  }

  /** The last symptom ("other") fills its line, whatever the number of columns. */
  #widenLastSymptom() {
    const columns = getComputedStyle(this.symptoms).gridTemplateColumns.split(" ").length
    const before = this.symptoms.children.length - 1
    this.symptoms.lastElementChild.style.gridColumn = `span ${columns - (before % columns)}`
  }

  #set(finding) {
    this.check.set(this.pupil.id, finding)
    this.onChange(this.pupil)
    this.#draw()
  }

  #chooseKind(status) {
    this.anotherDay = false
    this.#set(this.check.withStatus(this.pupil.id, status))
  }

  /** A symptom tapped first means: at school and unwell. */
  #toggleSymptom(code) {
    const finding = this.finding ?? { status: "symptoms", symptoms: [], onset: null }
    const chosen = finding.symptoms.includes(code)
    const symptoms = chosen ? finding.symptoms.filter((other) => other !== code) : [...finding.symptoms, code]
    this.#set({ ...finding, symptoms, announced: false })
  }

  #setOnset(onset) {
    this.#set({ ...this.finding, onset, announced: false })
  }

  #clearFinding() {
    const before = this.check.set(this.pupil.id, null)
    this.onChange(this.pupil)
    this.dialog.close()
    if (before) this.onClear(this.pupil, before)
  }

  #draw() {
    const { finding } = this
    const ill = finding !== null && ILLNESS.includes(finding.status)
    for (const kind of this.kinds) kind.setAttribute("aria-pressed", String(kind.dataset.status === finding?.status))
    this.illness.toggleAttribute("data-off", finding !== null && !ill)
    this.sincePart.toggleAttribute("data-off", !ill)
    this.nothing.toggleAttribute("data-off", finding === null || ill)
    for (const button of this.symptoms.children) {
      button.setAttribute("aria-pressed", String(ill && finding.symptoms.includes(button.dataset.code)))
    }
    this.#drawSince(ill ? finding : this.check.withStatus(this.pupil.id, "symptoms"))
    this.clear.hidden = finding === null
    this.#drawSave(finding)
  }

  #drawSave(finding) {
    this.save.textContent = this.#saveWords(finding)
    this.save.disabled = finding !== null && this.check.lacks(finding) !== null
  }

  #saveWords(finding) {
    if (!finding) return this.texts.save_none
    const lacks = this.check.lacks(finding)
    if (lacks === "symptoms") return this.texts.save_symptoms
    if (lacks === "since") return this.texts.save_since
    if (!ILLNESS.includes(finding.status) || !finding.symptoms.length) return this.texts[`save_${finding.status}`]
    const symptoms = this.check.symptomLabels(finding).join(this.texts.list_join)
    return fill(this.texts[`save_${finding.status}_with`], { symptoms })
  }

  /** Since when: today, yesterday, the days off before, the open file's day, or another one. */
  #drawSince(finding) {
    const { day } = this.check.roster
    const onset = finding.onset ?? day
    const focused = this.since.contains(document.activeElement) ? document.activeElement.dataset.day : undefined
    const days = this.check.onsetDays(finding.status).slice(0, OFFERED_DAYS)
    const filed = this.pupil.file?.since
    if (filed && !days.includes(filed) && !(finding.status === "recovered" && filed >= day)) days.push(filed)
    const other = this.anotherDay || !days.includes(onset)
    const buttons = days.map((offered) => {
      const button = make("button", { type: "button", textContent: this.#dayWords(offered, filed) })
      button.dataset.day = offered
      button.setAttribute("aria-pressed", String(!other && offered === onset))
      button.addEventListener("click", () => {
        this.anotherDay = false
        this.#setOnset(offered)
      })
      return button
    })
    this.since.replaceChildren(...buttons, other ? this.#dayField(onset) : this.#anotherDayButton())
    if (focused) this.since.querySelector(`[data-day="${focused}"]`)?.focus()
  }

  #dayWords(offered, filed) {
    const { day } = this.check.roster
    const age = Math.round((Date.parse(day) - Date.parse(offered)) / DAY_MS)
    const isToday = day === this.clock.today()
    if (offered === filed && age > 1) return fill(this.texts.since_file, { date: this.dateWords(offered) })
    if (isToday && age === 0) return this.texts.since_today
    if (isToday && age === 1) return this.texts.since_yesterday
    if (age < 7) return this.texts[`weekday_${new Date(offered).getUTCDay()}`]
    return this.dateWords(offered)
  }

  #anotherDayButton() {
    const button = make("button", { type: "button", textContent: this.texts.since_other, "aria-pressed": "false" })
    button.addEventListener("click", () => {
      this.anotherDay = true
      this.#draw()
      this.since.querySelector("input").focus()
    })
    return button
  }

  #dayField(onset) {
    const { day } = this.check.roster
    const daysBefore = (days) => new Date(Date.parse(day) - days * DAY_MS).toISOString().slice(0, 10)
    const [first, last] = [daysBefore(OLDEST_ONSET_DAYS), daysBefore(this.finding.status === "recovered" ? 1 : 0)]
    const field = make("input", { type: "date", className: "form-control", min: first, max: last, value: onset })
    field.setAttribute("aria-labelledby", "sheet-since-label")
    // Typed by keyboard, every part of the date is a change: the field stays as it is until it is left.
    field.addEventListener("change", () => {
      if (!field.value || !field.validity.valid) return
      this.check.set(this.pupil.id, { ...this.finding, onset: field.value, announced: false })
      this.onChange(this.pupil)
      this.#drawSave(this.finding)
    })
    // An empty day or one outside the range is not taken over; the field shows again what counts.
    const settle = () => {
      const counts = this.finding?.onset ?? onset
      if (field.value !== counts) field.value = counts
    }
    field.addEventListener("blur", settle)
    field.addEventListener("keydown", (event) => {
      if (event.key === "Enter") settle()
    })
    return field
  }

  /** The chosen cell stays in view above the sheet, lit through the veil. */
  #place() {
    const top = this.panel.offsetTop
    this.grid.style.marginBottom = `${this.panel.offsetHeight}px`
    const cell = this.cell.getBoundingClientRect()
    const head = document.querySelector(".x-head").getBoundingClientRect().bottom
    if (cell.bottom > top - 14) window.scrollBy(0, cell.bottom - top + 14)
    else if (cell.top < head + 8) window.scrollBy(0, cell.top - head - 8)
    const seen = this.cell.getBoundingClientRect()
    // On a very small screen there is no room above the sheet: then the veil has no hole.
    this.spot.toggleAttribute("data-nowhere", seen.top < head || seen.bottom > top)
    Object.assign(this.spot.style, {
      left: `${seen.left - 4}px`,
      top: `${seen.top - 4}px`,
      width: `${seen.width + 8}px`,
      height: `${seen.height + 8}px`,
    })
  }

  #closeOnSwipeDown() {
    let from = null
    this.panel.addEventListener("touchstart", (event) => {
      from = this.panel.scrollTop === 0 ? event.touches[0].clientY : null
    }, { passive: true })
    this.panel.addEventListener("touchend", (event) => {
      if (from !== null && event.changedTouches[0].clientY - from > 80) this.dialog.close()
    }, { passive: true })
  }
}

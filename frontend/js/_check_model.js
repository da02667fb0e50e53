// The class check without its page: who has which finding, what is still missing, and what is sent.
//
// A finding: { status, symptoms: [codes], onset: "YYYY-MM-DD" or null, announced: a leave filled it in }.
// Onset null is the day of the check. Nobody's finding is ever sent as "normal": normal is no entry.

export const ILLNESS = ["absent_ill", "symptoms", "recovered"]
export const FEVER = "fever"

export class ClassCheck {
  constructor(roster) {
    this.roster = roster
    this.pupils = new Map(roster.pupils.map((pupil) => [pupil.id, pupil]))
    this.symptoms = new Map(roster.symptoms.map((symptom) => [symptom.code, symptom]))
    this.findings = new Map()
    this.touched = new Set()
    for (const pupil of roster.pupils) {
      const finding = this.#known(pupil)
      if (finding) this.findings.set(pupil.id, finding)
    }
    this.loaded = JSON.stringify(this.entries())
  }

  /** What stands before any tap: in a correction what was sent, else an announced leave. */
  #known(pupil) {
    if (pupil.finding) return { ...pupil.finding, announced: false }
    if (pupil.preset && !this.roster.session) {
      return { status: pupil.preset.status, symptoms: [], onset: null, announced: true }
    }
    return null
  }

  finding(id) {
    return this.findings.get(id) ?? null
  }

  /** Sets or (with null) clears a finding; returns what stood before, for undo. */
  set(id, finding) {
    const before = this.finding(id)
    this.touched.add(id)
    if (finding) this.findings.set(id, finding)
    else this.findings.delete(id)
    return before
  }

  /**
   * The check on top of what stands meanwhile: whoever was touched here keeps what was tapped (well again counts too),
   * all others are as the new roster says, so that nothing a colleague noted is wiped by not having been seen.
   */
  onTopOf(roster) {
    const merged = new ClassCheck(roster)
    for (const id of this.touched) if (merged.pupils.has(id)) merged.set(id, this.finding(id))
    return merged
  }

  /** Pupils whose finding here is not the one that stands, in the order of the list. */
  differences() {
    const sent = (finding) => JSON.stringify(finding && this.#entry(null, finding))
    return this.roster.pupils.filter((pupil) => sent(this.finding(pupil.id)) !== sent(this.#known(pupil)))
  }

  /** What stands for a pupil by the roster, or null for well. */
  standing(id) {
    return this.#known(this.pupils.get(id))
  }

  /** The finding when `status` is chosen for a pupil: symptoms and onset chosen so far, or those of the open file. */
  withStatus(id, status) {
    const { file } = this.pupils.get(id)
    const before = this.finding(id) ?? { symptoms: [], onset: null }
    let { symptoms, onset } = before
    if (ILLNESS.includes(status)) {
      if (!symptoms.length && file) symptoms = [...file.symptoms]
      if (onset === null && file) onset = file.since
      if (status === "recovered" && (onset === null || onset >= this.roster.day)) {
        onset = this.onsetDays("recovered")[0] ?? null
      }
    }
    return { status, symptoms, onset, announced: false }
  }

  /** The days offered as onset, newest first; an illness that is over began before the day of the check. */
  onsetDays(status) {
    return this.roster.school_days_since.filter((day) => status !== "recovered" || day < this.roster.day)
  }

  /** What a finding still lacks: "symptoms", "since", or null when it may be sent. */
  lacks(finding) {
    if (finding.status === "symptoms" && !finding.symptoms.length) return "symptoms"
    if (finding.status === "recovered" && finding.onset === null) return "since"
    return null
  }

  incomplete() {
    return this.roster.pupils.filter((pupil) => this.findings.has(pupil.id) && this.lacks(this.finding(pupil.id)))
  }

  /** Symptoms in the vocabulary's order, as labels. */
  symptomLabels(finding) {
    return this.roster.symptoms.filter((s) => finding.symptoms.includes(s.code)).map((symptom) => symptom.label)
  }

  /** now, due, done, na: what a finding means for the class teacher's page. */
  state(finding) {
    if (finding.status === "symptoms") return finding.symptoms.includes(FEVER) ? "now" : "due"
    return { absent_ill: "due", absent_other: "na", late: "na", recovered: "done" }[finding.status]
  }

  counts() {
    const of = (status) => [...this.findings.values()].filter((finding) => finding.status === status).length
    const [ill, other] = [of("absent_ill"), of("absent_other")]
    return {
      expected: this.pupils.size,
      present: this.pupils.size - ill - other,
      ill,
      other,
      late: of("late"),
      unwell: of("symptoms"),
      recovered: of("recovered"),
      noted: this.findings.size,
      well: this.pupils.size - this.findings.size,
      back: this.roster.pupils.filter((pupil) => pupil.file && !this.findings.has(pupil.id)).length,
    }
  }

  /** What is sent, in the order of the list. */
  entries() {
    const entries = []
    for (const [id] of this.pupils) {
      const finding = this.finding(id)
      if (finding) entries.push(this.#entry(id, finding))
    }
    return entries
  }

  #entry(person, finding) {
    const ill = ILLNESS.includes(finding.status)
    return {
      person,
      status: finding.status,
      symptoms: ill ? this.roster.symptoms.map((s) => s.code).filter((code) => finding.symptoms.includes(code)) : [],
      onset: ill && finding.onset !== this.roster.day ? finding.onset : null,
    }
  }

  isChanged() {
    return JSON.stringify(this.entries()) !== this.loaded
  }

  /** Pupils found by number, part of the name, pinyin or its initials. */
  search(query) {
    const wanted = query.trim().toLowerCase().replaceAll(/\s+/g, "")
    return this.roster.pupils.filter((pupil) => {
      if (!wanted) return true
      if (/^\d+$/.test(wanted)) return Number(pupil.number) === Number(wanted) || pupil.number.startsWith(wanted)
      return (
        pupil.name.toLowerCase().includes(wanted) ||
        pupil.initials.toLowerCase().startsWith(wanted) ||
        pupil.pinyin.toLowerCase().replaceAll(/[^a-z]/g, "").includes(wanted)
      )
    })
  }
}

/** The server's time, and the device's as it is to be reported. In a demo the device follows the server's clock. */
export class Clock {
  constructor(roster, askedAt, answeredAt) {
    this.server = Date.parse(roster.server_now)
    this.answeredAt = answeredAt
    this.isDemo = roster.demo_clock
    this.offset = this.isDemo ? 0 : Math.round((askedAt + answeredAt) / 2 - this.server)
  }

  /** Milliseconds by the server's clock. */
  now() {
    return this.server + Date.now() - this.answeredAt
  }

  /** The moment of a tap by the device's own clock, ISO 8601 in China's zone; the server knows the offset. */
  tap() {
    const at = this.isDemo ? this.now() : Date.now()
    return new Date(at + 8 * 3600 * 1000).toISOString().replace("Z", "+08:00")
  }

  /** The civil day in China. */
  today() {
    return new Date(this.now() + 8 * 3600 * 1000).toISOString().slice(0, 10)
  }
}

/** A random id (UUID 4); works without the secure context that crypto.randomUUID asks for. */
export function newId() {
  const bytes = crypto.getRandomValues(new Uint8Array(16))
  bytes[6] = (bytes[6] & 0x0f) | 0x40
  bytes[8] = (bytes[8] & 0x3f) | 0x80
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("")
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-")
}

// Run in the page by tests/browser/inspection.py: what is wrong with it, each fault as one line of text.
({ minTarget, language, data, english }) => {
  const faults = []
  const visible = (element) => {
    if (!element.checkVisibility({ opacityProperty: true, visibilityProperty: true })) return false
    const box = element.getBoundingClientRect()
    return box.width > 1 && box.height > 1
  }
  const name = (element) => {
    const text = (element.getAttribute("aria-label") || element.textContent || element.name || "").trim().replace(/\s+/g, " ")
    return `<${element.tagName.toLowerCase()}${element.className ? ` class="${element.getAttribute("class")}"` : ""}> ${text.slice(0, 40)}`
  }

  // --- nothing sticks out to the side ---
  const root = document.documentElement
  if (root.scrollWidth > root.clientWidth) {
    const scrolls = (element) => {
      for (let at = element.parentElement; at && at !== document.body; at = at.parentElement) {
        if (["auto", "scroll", "hidden", "clip"].includes(getComputedStyle(at).overflowX)) return true
      }
      return false
    }
    const wide = [...document.body.querySelectorAll("*")].filter(
      (element) => visible(element) && element.getBoundingClientRect().right > root.clientWidth + 1 && !scrolls(element),
    )
    faults.push(`page is ${root.scrollWidth} px wide in a window of ${root.clientWidth} px`)
    for (const element of wide.slice(0, 5)) {
      faults.push(`reaches to ${Math.round(element.getBoundingClientRect().right)} px: ${name(element)}`)
    }
  }

  // --- every control can be hit with a thumb ---
  if (minTarget) {
    const controls = "a[href], button, input:not([type=hidden]), select, textarea, summary, [role=button], [role=tab]"
    for (const element of document.querySelectorAll(controls)) {
      if (!visible(element) || element.disabled || element.closest("dialog:not([open])")) continue
      const area = element.labels?.[0]?.contains(element) ? element.labels[0] : element
      area.scrollIntoView({ block: "center", inline: "center" })
      const box = area.getBoundingClientRect()
      // A link in a running sentence is exempt (WCAG 2.5.8, inline).
      const around = element.parentElement
      const inSentence = element.tagName === "A" && getComputedStyle(element).display === "inline" &&
        around.textContent.trim().length > element.textContent.trim().length
      if (inSentence || element.classList.contains("x-skip")) continue
      if (box.width >= minTarget - 0.5 && box.height >= minTarget - 0.5) continue
      // The area may be larger than the box: a stretched link answers for its whole row.
      const x = box.left + box.width / 2
      const y = box.top + box.height / 2
      const reach = minTarget / 2 - 1
      const hits = [[x - reach, y], [x + reach, y], [x, y - reach], [x, y + reach]].every(([left, top]) => {
        const hit = document.elementFromPoint(left, top)
        return hit && (area.contains(hit) || hit.contains(area) && getComputedStyle(area, "::after").position === "absolute")
      })
      if (!hits) faults.push(`${Math.round(box.width)} × ${Math.round(box.height)} px is too small to hit: ${name(element)}`)
    }
    window.scrollTo(0, 0)
  }

  // --- no text of the other language ---
  const foreign = (text) => {
    let rest = text
    for (const known of data) rest = rest.replaceAll(known, " ")
    // Codes of rules and figures are for the telephone: norm-2006-3-in-1-day, screening.absent_ill.
    rest = rest.replace(/\b[a-z0-9]+([-_.][a-z0-9]+)+\b/g, " ")
    if (language === "en") return /[\u3400-\u9fff\u3001\u3002\uff00-\uffef]/.test(rest)
    if (english.includes(rest.trim())) return true
    return /[A-Za-z]{3,}/.test(rest.replace(/\b(English|Xiaodun|API|OpenAPI|JSON|CSV|csv|Excel|xlsx|xls|HTTPS|TLS|Python|SQLite|PostgreSQL|WS)\b/g, " "))
  }
  const own = language === "en" ? "en" : "zh-hans"
  const otherLanguage = (element) => {
    const marked = element.closest("[lang]")
    return marked !== root && marked.lang.toLowerCase() !== own
  }
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT)
  while (walker.nextNode()) {
    const node = walker.currentNode
    const element = node.parentElement
    if (!node.data.trim() || element.closest("script, style, code, template, noscript") || otherLanguage(element)) continue
    if (foreign(node.data)) faults.push(`not in ${language}: “${node.data.trim().slice(0, 60)}” in ${name(element).slice(0, 60)}`)
  }
  for (const element of document.querySelectorAll("[title], [aria-label], [placeholder], [alt]")) {
    for (const attribute of ["title", "aria-label", "placeholder", "alt"]) {
      const text = element.getAttribute(attribute)
      if (text && foreign(text) && !otherLanguage(element)) faults.push(`not in ${language}: ${attribute}="${text.slice(0, 60)}"`)
    }
  }
  if (foreign(document.title)) faults.push(`not in ${language}: title “${document.title}”`)
  if (root.lang.toLowerCase() !== own) faults.push(`html lang is ${root.lang}`)

  // --- one heading on top ---
  const headings = document.querySelectorAll("h1").length
  if (headings !== 1) faults.push(`${headings} h1 elements`)
  return [...new Set(faults)]
}

// What every script shares: the words of the page, icons, and a clock that follows the server, not the device.

/** The JSON of a script block made by {% texts %} or json_script. */
export function readJson(id) {
  return JSON.parse(document.getElementById(id).textContent)
}

/** Fills {name} in a text of the catalogue. */
export function fill(text, values) {
  return text.replace(/\{(\w+)\}/g, (_, name) => values[name])
}

/** Words of a length of time in minutes; the same rule as `duration` in templatetags/kit.py. */
export function durationWords(texts, minutes) {
  if (minutes >= 2880) return fill(texts.days, { d: Math.floor(minutes / 1440), h: Math.floor((minutes % 1440) / 60) })
  if (minutes >= 60) return fill(texts.hours, { h: Math.floor(minutes / 60), m: minutes % 60 })
  return minutes ? fill(texts.minutes, { m: minutes }) : texts.moment
}

/** Words of the time from `now` to `deadline` (milliseconds); `style` "words" or "clock". */
export function countdownWords(texts, deadline, now, style = "words") {
  const minutes = Math.floor(Math.abs(deadline - now) / 60000)
  const two = (number) => String(number).padStart(2, "0")
  const time =
    style === "clock" && minutes < 2880
      ? `${two(Math.floor(minutes / 60))}:${two(minutes % 60)}`
      : durationWords(texts, minutes)
  return fill(deadline < now ? texts.over : texts.left, { time })
}

/** An element with properties, attributes (names with a hyphen) and children; text is always text, never markup. */
export function make(tag, properties = {}, ...children) {
  const element = document.createElement(tag)
  for (const [name, value] of Object.entries(properties)) {
    if (name.includes("-") || name === "role") element.setAttribute(name, value)
    else element[name] = value
  }
  element.append(...children.filter((child) => child !== null && child !== undefined))
  return element
}

const SVG = "http://www.w3.org/2000/svg"

/** A decorative icon of the sprite. */
export function icon(name, size = "") {
  const svg = document.createElementNS(SVG, "svg")
  svg.setAttribute("class", size ? `x-icon x-icon-${size}` : "x-icon")
  svg.setAttribute("aria-hidden", "true")
  const use = document.createElementNS(SVG, "use")
  use.setAttribute("href", `${document.documentElement.dataset.icons}#${name}`)
  svg.append(use)
  return svg
}

// Bundles the browser assets into src/xiaodun/static/vendor. Called by tools/hatch_build.py.
//
// phone.css  Tabler as used by the pages on kit/base_phone.html, and our layer: what a class teacher's phone loads.
// desk.css   Tabler as used by all pages, and our layer with the dense parts. A page loads one of the two.
// app.js     countdowns, dialogs, messages, keys: on every page.  class_check.js  the class page.
// icons.svg  exactly the icons that templates, Python, YAML and scripts name, and those of icons.txt.
//
// Names of classes put together at run time ("x-state-" + value) are safe: our own layer is never purged.

import { build, transform } from "esbuild"
import { copyFile, glob, mkdir, readFile, readdir, writeFile } from "node:fs/promises"
import { dirname, join, relative } from "node:path"
import { fileURLToPath } from "node:url"
import { gzipSync } from "node:zlib"
import { PurgeCSS } from "purgecss"

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const here = join(root, "frontend")
const source = join(root, "src/xiaodun")
const out = join(source, "static/vendor")
// Browsers of the last five years, and with them the built-in browser of the chat apps that schools use.
const target = ["chrome92", "safari15", "firefox91"]

async function files(pattern) {
  const found = []
  for await (const path of glob(pattern, { cwd: root })) {
    if (!/(^|\/)(tests|static|node_modules)\//.test(path)) found.push(join(root, path))
  }
  return found.sort()
}

const text = new Map()
async function read(path) {
  if (!text.has(path)) text.set(path, await readFile(path, "utf8"))
  return text.get(path)
}

/** Templates by the name under which Django finds them, e.g. "kit/base.html". */
async function templatesByName() {
  const names = new Map()
  for (const path of await files("src/xiaodun/*/templates/**/*.html")) {
    names.set(path.split("/templates/").slice(1).join("/templates/"), path)
  }
  return names
}

/** The pages that reach `base` by extends, with all they include; an include by variable is not followed. */
async function reachedFrom(base, names) {
  const links = new Map()
  for (const [name, path] of names) {
    const found = (await read(path)).matchAll(/{%-?\s*(extends|include)\s+["']([^"']+)["']/g)
    links.set(name, [...found].map((match) => ({ kind: match[1], to: match[2] })))
  }
  const stands = (name) => name === base || links.get(name).some((l) => l.kind === "extends" && names.has(l.to) && stands(l.to))
  const reached = new Set()
  const walk = (name) => {
    if (!names.has(name) || reached.has(name)) return
    reached.add(name)
    links.get(name).forEach((link) => walk(link.to))
  }
  for (const name of names.keys()) if (name.startsWith("kit/parts/") || stands(name)) walk(name)
  return [...reached].map((name) => names.get(name))
}

async function css(name, templates) {
  const scripts = await files("frontend/js/*.js")
  const python = [...(await files("src/xiaodun/*/templatetags/*.py")), ...(await files("src/xiaodun/*/forms.py"))]
  const own = await build({ entryPoints: [join(here, "css", name)], bundle: true, write: false, target })
  const layer = own.outputFiles[0].text
  const [purged] = await new PurgeCSS().purge({
    content: [...templates, ...scripts, ...python],
    css: [{ raw: await readFile(join(root, "node_modules/@tabler/core/dist/css/tabler.min.css"), "utf8") }],
    variables: true,
    keyframes: true,
    fontFace: true,
    safelist: {
      standard: ["html", "body", "was-validated", "is-invalid", "show", "active", "disabled"],
      variables: [...new Set(layer.match(/--tblr-[\w-]+/g) ?? [])],
    },
  })
  const { code } = await transform(`${purged.css}\n${layer}`, { loader: "css", minify: true, target })
  await writeFile(join(out, name), code)
}

async function js() {
  await build({
    entryPoints: (await files("frontend/js/*.js")).filter((path) => !path.split("/").pop().startsWith("_")),
    outdir: out, bundle: true, minify: true, format: "esm", target, legalComments: "none", logLevel: "warning",
  })
}

async function icons() {
  const outline = join(root, "node_modules/@tabler/icons/icons/outline")
  const used = new Map()
  const note = (name, path) => used.set(name, used.get(name) ?? relative(root, path))
  const patterns = [
    [await files("src/xiaodun/*/templates/**/*.html"), [/{%\s*icon\s+["']([\w-]+)["']/g, /\b\w*icon=["']([\w-]+)["']/g]],
    [await files("src/xiaodun/**/*.py"), [/\b\w*icon["']?\s*[=:]\s*["']([\w-]+)["']/g]],
    [await files("src/xiaodun/**/*.yaml"), [/\bicon:\s*["']?([\w-]+)/g]],
    [await files("frontend/js/*.js"), [/\bicon\(["']([\w-]+)["']/g]],
    [await files("frontend/icons.txt"), [/^([\w-]+)$/gm]],
  ]
  // Where Python or a script handles icons, every literal that is the name of one is taken: names also travel as
  // plain arguments and in tables. A few too many cost 200 bytes each; one too few is an empty place on a page.
  const known = new Set((await readdir(outline)).map((file) => file.replace(/\.svg$/, "")))
  for (const path of [...(await files("src/xiaodun/**/*.py")), ...(await files("frontend/js/*.js"))]) {
    const code = await read(path)
    if (!/icon/i.test(code)) continue
    for (const match of code.matchAll(/"([a-z0-9-]+)"/g)) if (known.has(match[1])) note(match[1], path)
  }
  for (const [paths, expressions] of patterns) {
    for (const path of paths) {
      for (const expression of expressions) for (const match of (await read(path)).matchAll(expression)) note(match[1], path)
    }
  }
  const symbols = []
  for (const name of [...used.keys()].sort()) {
    let svg
    try {
      svg = await readFile(join(outline, `${name}.svg`), "utf8")
    } catch (error) {
      throw new Error(`${used.get(name)}: Tabler has no icon "${name}" (${error.code})`)
    }
    const shapes = [...svg.matchAll(/<(path|circle|rect|line|polyline|ellipse)[^>]*>/g)].map((match) => match[0].replace(/\s+/g, " "))
    const drawn = shapes.filter((shape) => !shape.includes('stroke="none"'))
    symbols.push(`<symbol id="${name}" viewBox="0 0 24 24">${drawn.join("")}</symbol>`)
  }
  await writeFile(join(out, "icons.svg"), `<svg xmlns="http://www.w3.org/2000/svg">\n${symbols.join("\n")}\n</svg>\n`)
  return used.size
}

async function licences() {
  const version = async (name) => JSON.parse(await readFile(join(root, "node_modules", name, "package.json"), "utf8")).version
  const tabler = await readFile(join(root, "node_modules/@tabler/core/dist/css/tabler.css"), "utf8")
  const icons = await readFile(join(root, "node_modules/@tabler/icons/LICENSE"), "utf8")
  // Tabler's package states its copyright in the head of its style sheets and names the licence (MIT), whose words
  // are those of the icons' licence below their own copyright line.
  const heads = [...tabler.matchAll(/\/\*!([^]*?)\*\//g)].map((match) => match[1].replace(/^\s*\*? ?/gm, "").trim())
  const terms = icons.slice(icons.indexOf("Permission is hereby granted"))
  const parts = [
    `phone.css, desk.css: @tabler/core ${await version("@tabler/core")} (MIT), which contains Bootstrap (MIT)\n\n${heads.join("\n\n")}\n\nBootstrap: Copyright 2011-2025 The Bootstrap Authors\n\n${terms.trim()}`,
    `icons.svg: @tabler/icons ${await version("@tabler/icons")}\n\n${icons.trim()}`,
  ]
  await writeFile(join(out, "LICENSES.txt"), `The files in this folder contain parts of:\n\n${parts.join("\n\n----\n\n")}\n`)
  await copyFile(join(here, "favicon.svg"), join(out, "favicon.svg"))
}

await mkdir(out, { recursive: true })
const names = await templatesByName()
await css("phone.css", await reachedFrom("kit/base_phone.html", names))
await css("desk.css", [...names.values()])
await js()
const count = await icons()
await licences()
for await (const path of glob("*", { cwd: out })) {
  const bytes = await readFile(join(out, path))
  console.log(`${path.padEnd(20)} ${String(bytes.length).padStart(7)} B ${String(gzipSync(bytes).length).padStart(7)} B gzip`)
}
console.log(`${count} icons`)

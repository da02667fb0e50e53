// Asks the browser for a passkey and sends its answer with the form of the page.
//
// The options come as JSON of the WebAuthn specification. Browsers turn it into bytes by themselves only since 2024,
// so it is done here.

import { readJson } from "./_kit.js"

const form = document.querySelector("form[data-passkey]")
const error = form.querySelector("[data-passkey-error]")
const texts = readJson("passkey-texts")

function bytes(text) {
  const plain = atob(text.replaceAll("-", "+").replaceAll("_", "/"))
  return Uint8Array.from(plain, (character) => character.charCodeAt(0))
}

function text(buffer) {
  const plain = String.fromCharCode(...new Uint8Array(buffer))
  return btoa(plain).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "")
}

function withBytes(options) {
  const descriptors = (list) => (list ?? []).map((each) => ({ ...each, id: bytes(each.id) }))
  const made = { ...options, challenge: bytes(options.challenge) }
  if (options.user) made.user = { ...options.user, id: bytes(options.user.id) }
  if (options.excludeCredentials) made.excludeCredentials = descriptors(options.excludeCredentials)
  if (options.allowCredentials) made.allowCredentials = descriptors(options.allowCredentials)
  return made
}

function asJson(credential) {
  const response = {}
  for (const name of ["clientDataJSON", "attestationObject", "authenticatorData", "signature", "userHandle"]) {
    if (credential.response[name]) response[name] = text(credential.response[name])
  }
  return JSON.stringify({
    id: credential.id, rawId: text(credential.rawId), type: credential.type, response, clientExtensionResults: {},
  })
}

function complain(message) {
  error.textContent = message
  error.hidden = false
}

async function start() {
  error.hidden = true
  if (!window.PublicKeyCredential) return complain(texts.none)
  const name = form.elements.name
  if (name && !name.value.trim()) return form.requestSubmit()
  try {
    const publicKey = withBytes(readJson("passkey-options").publicKey)
    const credential = await navigator.credentials[form.dataset.passkey]({ publicKey })
    form.elements.credential.value = asJson(credential)
  } catch {
    return complain(texts.failed)
  }
  form.requestSubmit()
}

form.querySelector("[data-passkey-start]").addEventListener("click", start)

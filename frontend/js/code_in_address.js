// The code of a slip comes after "#" in the address, which browsers send to no server: into the field with it, and
// out of the address, so that it stays in no history.

const field = document.querySelector("#id_code")
const code = decodeURIComponent(location.hash.slice(1))
if (field && /^[0-9A-Za-z-]{1,40}$/.test(code)) {
  field.value = code
  history.replaceState(null, "", location.pathname)
}

// Shows and hides a password. The button is hidden until this runs: without scripts it could do nothing.

for (const button of document.querySelectorAll("[data-shows]")) {
  const field = document.getElementById(button.dataset.shows)
  button.hidden = false
  button.addEventListener("click", () => {
    const shown = field.type === "password"
    field.type = shown ? "text" : "password"
    button.setAttribute("aria-pressed", String(shown))
  })
  // A password manager and the browser's history should see a password, not a text.
  field.form.addEventListener("submit", () => (field.type = "password"))
}

import { readJson } from "./_kit.js"

readJson("class-check-texts")

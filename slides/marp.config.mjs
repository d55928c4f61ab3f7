// Pictures go into the built files as they are, so that a deck is one file and needs no network.
import { readFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"

const here = dirname(fileURLToPath(import.meta.url))

const inline = (md) => {
  const draw = md.renderer.rules.image
  md.renderer.rules.image = (tokens, index, ...rest) => {
    const source = tokens[index].attrGet("src")
    if (source.endsWith(".svg")) {
      const picture = readFileSync(join(here, source)).toString("base64")
      tokens[index].attrSet("src", `data:image/svg+xml;base64,${picture}`)
    }
    return draw(tokens, index, ...rest)
  }
}

export default {
  inputDir: here,
  output: join(here, "dist"),
  themeSet: [join(here, "theme.css")],
  allowLocalFiles: false,
  html: true,
  options: { math: "mathjax", emoji: { shortcode: false, unicode: false } },
  engine: ({ marp }) => marp.use(inline),
}

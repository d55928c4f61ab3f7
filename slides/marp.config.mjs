// A built deck is one file that needs no network: its pictures and its fonts go into it.
import { readFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"

const here = dirname(fileURLToPath(import.meta.url))
const FONTS = ["noto-sans-kr/wght.css", "inconsolata/wght.css"]
const TYPES = { jpg: "image/jpeg", png: "image/png", svg: "image/svg+xml", woff2: "font/woff2" }

const dataUrl = (path) => {
  const type = TYPES[path.split(".").pop()]
  if (!type) throw new Error(`${path}: a picture is ${Object.keys(TYPES).join(", ")}`)
  return `data:${type};base64,${readFileSync(path).toString("base64")}`
}

const pictures = ({ renderer: { rules } }) => {
  const draw = rules.image
  rules.image = (tokens, index, ...rest) => {
    const source = tokens[index].attrGet("src")
    const isDone = source.startsWith("data:") // such as a logo, from the second slide on
    if (!isDone) tokens[index].attrSet("src", dataUrl(join(here, source)))
    return draw(tokens, index, ...rest)
  }
}

// HTML files lie side by side and lead to one another; a PDF may lie anywhere.
const links = ({ renderer: { rules } }) => {
  rules.link_open = (tokens, index, options, env, renderer) => {
    const target = tokens[index].attrGet("href")
    if (target.endsWith(".md")) {
      const html = [["href", target.replace(/md$/, "html")]]
      tokens[index].attrs = process.argv.includes("--pdf") ? [] : html
    }
    return renderer.renderToken(tokens, index, options)
  }
}

// Fontsource cuts a font into many files. A deck gets those that hold one of its letters.
const fontFaces = (text) => {
  const used = [...new Set(text)].map((letter) => letter.codePointAt(0))
  const isNeeded = (face) =>
    [...face.matchAll(/U\+([0-9a-f]+)(?:-([0-9a-f]+))?/gi)].some(([, first, last = first]) =>
      used.some((code) => parseInt(first, 16) <= code && code <= parseInt(last, 16)),
    )
  return FONTS.flatMap((font) => {
    const file = join(here, "node_modules/@fontsource-variable", font)
    const faces = readFileSync(file, "utf8").match(/@font-face {.*?}/gs).filter(isNeeded)
    return faces.map((face) =>
      face.replace(/url\((.*?)\)/, (_, path) => `url(${dataUrl(join(dirname(file), path))})`),
    )
  })
}

const withFonts = (marp) => {
  const render = marp.render.bind(marp)
  marp.render = (text, ...rest) => {
    const { css, ...built } = render(text, ...rest)
    return { ...built, css: [css, ...fontFaces(text)].join("\n") }
  }
  return marp
}

export default {
  inputDir: here,
  output: join(here, "dist"),
  themeSet: [join(here, "theme.css")],
  allowLocalFiles: false,
  html: true,
  options: { math: "mathjax", emoji: { shortcode: false, unicode: false } },
  engine: ({ marp }) => withFonts(marp.use(pictures).use(links)),
}

// Measures a deck that is open in a browser, in pixels of slides that are 1,280 wide.
async () => {
  const all = (selector, within = document) => [...within.querySelectorAll(selector)]
  const brief = (text) => text.trim().replace(/\s+/g, " ").slice(0, 40)
  const body = (slide) => all(":scope > :not(h2, header, footer)", slide)

  await Promise.allSettled([document.fonts.ready, ...all("img").map((image) => image.decode())])
  await new Promise((done) => setTimeout(done, 200)) // in which Marp fits the code

  const outside = (slide) => {
    const place = slide.getBoundingClientRect()
    const padding = (side) => parseFloat(getComputedStyle(slide)[`padding-${side}`])
    const title = slide.querySelector(":scope > h2")?.getBoundingClientRect()
    const footer = slide.querySelector(":scope > footer")?.getBoundingClientRect()
    const isOutside = (part) => {
      const { left, right, top, bottom } = part.getBoundingClientRect()
      const over = [
        place.left + padding("left") - left,
        right - place.right + padding("right"),
        (title?.bottom ?? place.top + padding("top")) - top,
        bottom - (footer?.top ?? place.bottom - padding("bottom")),
      ]
      return right > left && Math.max(...over) > 1
    }
    const seen = ":not(mjx-assistive-mml, mjx-assistive-mml *)"
    return body(slide)
      .flatMap((part) => [part, ...all(seen, part)])
      .filter(isOutside)
      .map((part) => `${part.tagName}: ${brief(part.textContent || part.alt || "")}`)
  }

  const bottom = (slide) => {
    const place = slide.getBoundingClientRect()
    const bottoms = body(slide).map((part) => part.getBoundingClientRect().bottom)
    return (Math.max(...bottoms) - place.top) / place.height
  }

  // Marp shrinks code that is too wide, so a font's size is not what one sees.
  const letters = (slide, selector) =>
    all(selector, slide).map((part) => {
      const shown = part.getBoundingClientRect().width / part.offsetWidth
      return [parseFloat(getComputedStyle(part).fontSize) * shown, brief(part.textContent)]
    })

  // matplotlib draws letters as paths of size 100, and scales each text.
  const labels = (slide) =>
    all("img[src^='data:image/svg']", slide).map((picture) => {
      const source = atob(picture.src.split(",")[1])
      const svg = new DOMParser().parseFromString(source, "image/svg+xml")
      const [, , width, height] = svg.documentElement.getAttribute("viewBox").split(" ")
      const place = picture.getBoundingClientRect()
      const shown = Math.min(place.width / width, place.height / height)
      const scales = all("g[transform]", svg)
        .map((text) => /scale\((\S+) -/.exec(text.getAttribute("transform")))
        .filter(Boolean)
      return [Math.min(...scales.map(([, scale]) => 100 * scale)) * shown, picture.alt]
    })

  const loaded = [...document.fonts].filter((font) => font.status === "loaded")
  return {
    lang: document.documentElement.lang,
    fonts: loaded.map((font) => font.family),
    links: all("section a").map((link) => link.getAttribute("href")),
    slides: all("section").map((slide) => ({
      title: brief(slide.querySelector("h1, h2").textContent),
      classes: [...slide.classList],
      outside: outside(slide),
      bottom: bottom(slide),
      text: letters(slide, "h2, p, li, th, td"),
      code: letters(slide, "[is=marp-pre] code"),
      labels: labels(slide),
    })),
  }
}

// A convolution to play with: pure functions first, then the page that shows them.
"use strict";

function outputSize(size, kernel, padding, stride) {
  return Math.max(0, Math.floor((size + 2 * padding - kernel) / stride) + 1);
}

/** Return a grid of numbers, made by a function of row and column. */
function makeGrid(height, width, value) {
  const line = (row) => Array.from({ length: width }, (_, column) => value(row, column));
  return Array.from({ length: height }, (_, row) => line(row));
}

/** Lay zeros around a grid. */
function pad(grid, padding) {
  const [height, width] = [grid.length + 2 * padding, grid[0].length + 2 * padding];
  return makeGrid(height, width, (row, column) => grid[row - padding]?.[column - padding] ?? 0);
}

/** Return the window that belongs to a place of the output. */
function windowAt(grid, size, stride, row, column) {
  return makeGrid(size, size, (r, c) => grid[row * stride + r][column * stride + c]);
}

const times = (a, b) => a.map((line, row) => line.map((value, column) => value * b[row][column]));
const total = (grid) => grid.flat().reduce((sum, value) => sum + value, 0);

/** Slide a square kernel over a grid, as Keras does: multiply, add up, move on. */
function convolve(grid, kernel, padding, stride) {
  const [padded, size] = [pad(grid, padding), kernel.length];
  const height = outputSize(grid.length, size, padding, stride);
  const width = outputSize(grid[0].length, size, padding, stride);
  return makeGrid(height, width, (row, column) =>
    total(times(windowAt(padded, size, stride, row, column), kernel)),
  );
}

/** Reduce a map by windows of 2 × 2, which do not overlap, to their "max" or "mean". */
function pool(map, kind) {
  return makeGrid(map.length >> 1, (map[0] ?? []).length >> 1, (row, column) => {
    const four = windowAt(map, 2, 2, row, column);
    return kind === "max" ? Math.max(...four.flat()) : total(four) / 4;
  });
}

/** Return how many pixels a side one number sees, after each of some equal layers. */
function receptiveFields(layers, kernel, stride, pooled) {
  const fields = [];
  let [field, jump] = [1, 1]; // how far neighbours are apart, in pixels
  for (let layer = 0; layer < layers; layer += 1) {
    field += (kernel - 1) * jump;
    jump *= stride;
    if (pooled) {
      field += jump;
      jump *= 2;
    }
    fields.push(field);
  }
  return fields;
}

/** Read what somebody typed, such as "−2", "0,5" or "1/9"; NaN if it is no number. */
function toNumber(text) {
  const [above, below = 1] = text.replace("−", "-").replace(",", ".").split("/");
  const number = text.trim() === "" ? 0 : Number(above) / Number(below);
  return Number.isFinite(number) ? number : NaN;
}

const picture = (text) => text.split(" ").map((row) => [...row]);
const PICTURES = {
  "a handwritten five": picture(
    "00760000 00899800 00798610 00699400 00024940 00002950 00327920 00599600",
  ),
  "an edge": picture("00009999 00009999 00009999 00009999 00009999 00009999 00009999 00009999"),
  "a cat's eye": picture(
    "777666567756 788877677757 887666678758 753442236768 954663123688 955751133378 " +
      "875640144279 685652454269 567566542159 656764333248 666678875338 666667775435",
  ),
};
const KERNELS = {
  "Sobel, left to right": ["-1 0 1", "-2 0 2", "-1 0 1"],
  "Sobel, top to bottom": ["-1 -2 -1", "0 0 0", "1 2 1"],
  "blur, 3 × 3": Array(3).fill("1/9 1/9 1/9"),
  "blur, 5 × 5": Array(5).fill("1/25 1/25 1/25 1/25 1/25"),
  sharpen: ["0 -1 0", "-1 5 -1", "0 -1 0"],
  identity: ["0 0 0", "0 1 0", "0 0 0"],
};
const OWN = "your own";
const PAGE = `
  <div class="controls">
    <label>picture <select name="picture"></select></label>
    <label>kernel <select name="named"></select></label>
    <label>padding <select name="padding"><option value="0">none (valid)</option>
      <option value="1">1 pixel</option><option value="2">2 pixels</option></select></label>
    <label>stride <select name="stride"></select></label>
    <label>pooling <select name="pooling"></select></label>
  </div>
  <div class="grids">
    <figure data-part="input"><figcaption>input</figcaption><table></table></figure>
    <figure data-part="kernel"><figcaption>kernel</figcaption><table></table></figure>
    <figure data-part="output" tabindex="0"><figcaption>output</figcaption><table></table></figure>
    <figure data-part="pooled"><figcaption>after pooling</figcaption><table></table></figure>
  </div>
  <div class="controls">
    <button type="button" name="back">◀ back</button>
    <button type="button" name="play">play</button>
    <button type="button" name="next">next ▶</button>
    <label class="wide">place <input type="range" name="place" min="0" value="0"></label>
  </div>
  <p role="status" data-part="status"></p>
  <div class="grids equation">
    <figure data-part="window"><figcaption>window</figcaption><table></table></figure>
    <span>×</span>
    <figure data-part="times"><figcaption>kernel</figcaption><table></table></figure>
    <span>=</span>
    <figure data-part="products"><figcaption>products</figcaption><table></table></figure>
    <span>sum <b data-part="sum"></b></span>
  </div>
  <p data-part="size"></p>
  <table class="fields"><tbody>
    <tr><th scope="row" data-part="layers"></th></tr>
    <tr><th scope="row">pixels that one number sees</th></tr>
  </tbody></table>`;

/** Write a number with at most some digits behind the point. */
function written(value, digits = 2) {
  return `${Number(value.toFixed(digits))}`.replace("-", "−");
}

class Stepper {
  constructor(root) {
    this.root = root;
    this.step = 0;
    this.timer = null;
    root.innerHTML = PAGE;
    this.choose("picture", [...Object.keys(PICTURES), OWN]);
    this.choose("named", [...Object.keys(KERNELS), OWN]);
    this.choose("stride", [1, 2, 3]);
    this.choose("pooling", ["none", "max", "mean"]);
    this.input = Object.values(PICTURES)[0];
    this.kernel = Object.values(KERNELS)[0].map((row) => row.split(" "));
    this.drawTyped();
    root.addEventListener("change", (event) => this.changed(event.target));
    root.addEventListener("input", (event) => this.typed(event.target));
    root.addEventListener("keydown", (event) => this.pressed(event));
    root.addEventListener("focusin", (event) => this.focused(event.target));
    this.part("output").addEventListener("click", (event) => {
      const cell = event.target.closest("td");
      if (cell) this.move(this.placeOf(cell));
    });
    this.named("back").addEventListener("click", () => this.move(this.step - 1));
    this.named("next").addEventListener("click", () => this.move(this.step + 1));
    this.named("play").addEventListener("click", () => this.play(this.timer === null));
    this.show();
  }

  named(name) {
    return this.root.querySelector(`[name="${name}"]`);
  }

  part(name) {
    return this.root.querySelector(`[data-part="${name}"]`);
  }

  choose(name, values) {
    this.named(name).innerHTML = values.map((value) => `<option>${value}</option>`).join("");
  }

  /** Fill a part with a table; each cell is what a function of number, row and column returns. */
  draw(name, grid, cell) {
    const lines = grid.map(
      (line, row) => `<tr>${line.map((value, column) => cell(value, row, column)).join("")}</tr>`,
    );
    this.part(name).querySelector("table").innerHTML = `<tbody>${lines.join("")}</tbody>`;
    this.part(name).style.setProperty("--columns", grid[0]?.length ?? 1);
  }

  /** Draw the two tables that one can type into; only one cell of each is reached by Tab. */
  drawTyped() {
    const box = (name, value, row, column) =>
      `<td><input inputmode="text" autocomplete="off" value="${String(value).replace(/[&"<]/g, "?")}"
        aria-invalid="${Number.isNaN(toNumber(String(value)))}"
        tabindex="${row || column ? -1 : 0}" data-row="${row}" data-column="${column}"
        aria-label="${name}, row ${row + 1}, column ${column + 1}"></td>`;
    const padding = Number(this.named("padding").value);
    const around = makeGrid(this.input.length + 2 * padding, this.input.length + 2 * padding,
      (row, column) => this.input[row - padding]?.[column - padding]);
    this.draw("input", around, (value, row, column) =>
      value === undefined
        ? '<td class="padding">0</td>'
        : box("input", value, row - padding, column - padding),
    );
    this.draw("kernel", this.kernel, (value, row, column) => box("kernel", value, row, column));
  }

  read(name) {
    const rows = [...this.part(name).querySelectorAll("tr")];
    const lines = rows.map((row) => [...row.querySelectorAll("input")].map((box) => box.value));
    return lines.filter((line) => line.length > 0);
  }

  changed(target) {
    if (target.tagName !== "SELECT") return;
    if (target.name === "picture") this.input = PICTURES[target.value] ?? this.input;
    if (target.name === "named" && target.value !== OWN)
      this.kernel = KERNELS[target.value].map((row) => row.split(" "));
    this.drawTyped();
    this.restart();
  }

  typed(target) {
    if (target.name === "place") this.move(Number(target.value));
    if (!target.dataset.row) return;
    target.setAttribute("aria-invalid", Number.isNaN(toNumber(target.value)));
    [this.input, this.kernel] = [this.read("input"), this.read("kernel")];
    const name = target.closest("figure").dataset.part === "input" ? "picture" : "named";
    this.named(name).value = OWN;
    this.show();
  }

  /** Begin again, unless the whole output was to be seen: then it stays so. */
  restart() {
    const complete = this.step > 0 && this.step === this.last;
    this.play(false);
    this.step = complete ? Infinity : 0;
    this.show();
  }

  /** Move with the arrow keys: from cell to cell where one types, from place to place elsewhere. */
  pressed(event) {
    const moves = { ArrowRight: [0, 1], ArrowLeft: [0, -1], ArrowDown: [1, 0], ArrowUp: [-1, 0] };
    const [down, right] = moves[event.key] ?? [];
    const { row, column } = event.target.dataset;
    if (down === undefined) return;
    if (row !== undefined) {
      const place = `[data-row="${Number(row) + down}"][data-column="${Number(column) + right}"]`;
      event.target.closest("figure").querySelector(place)?.focus();
    } else if (event.target === this.part("output")) {
      const next = this.step + right + down * this.output[0].length;
      if (next >= 0 && next <= this.last) this.move(next);
    } else return;
    event.preventDefault();
  }

  focused(target) {
    if (!target.dataset.row) return;
    target.closest("table").querySelectorAll("input").forEach((box) => (box.tabIndex = -1));
    target.tabIndex = 0;
    target.select();
  }

  get last() {
    return this.output.flat().length - 1;
  }

  placeOf(cell) {
    return [...this.part("output").querySelectorAll("td")].indexOf(cell);
  }

  move(step) {
    this.step = step;
    if (step >= this.last) this.play(false);
    this.show();
  }

  play(on) {
    clearInterval(this.timer);
    const calm = window.matchMedia("(prefers-reduced-motion: reduce)").matches;
    this.timer = on ? setInterval(() => this.move(this.step + 1), calm ? 1500 : 500) : null;
    this.named("play").textContent = on ? "pause" : "play";
    this.part("status").setAttribute("aria-live", on ? "off" : "polite");
    if (on && this.step === this.last) this.move(0);
  }

  /** Compute everything anew, and show it. */
  show() {
    const numbers = (grid) => grid.map((line) => line.map((text) => toNumber(text) || 0));
    const [input, kernel] = [numbers(this.input), numbers(this.kernel)];
    const [padding, stride] = ["padding", "stride"].map((name) => Number(this.named(name).value));
    const pooling = this.named("pooling").value;
    this.output = convolve(input, kernel, padding, stride);
    const width = this.output[0].length;
    this.step = Math.max(0, Math.min(this.step, this.last));
    const [row, column] = [Math.floor(this.step / width), this.step % width];
    this.mark(row * stride, column * stride, kernel.length);
    this.showSum(windowAt(pad(input, padding), kernel.length, stride, row, column), kernel);
    this.part("status").textContent =
      `Place ${this.step + 1} of ${this.last + 1}: row ${row + 1}, column ${column + 1}. ` +
      `The products add up to ${written(this.output[row][column])}.`;
    this.drawMap("output", this.output, (r, c) => r * width + c, [row, column]);
    this.part("pooled").hidden = pooling === "none";
    const lastOfFour = (r, c) => (2 * r + 1) * width + 2 * c + 1;
    this.drawMap("pooled", pool(this.output, pooling), lastOfFour, [row >> 1, column >> 1]);
    this.named("place").max = this.last;
    this.named("place").value = this.step;
    this.showSizes(input.length, kernel.length, padding, stride, pooling !== "none");
  }

  /** Frame the window in the input, whose cells are as bright as their numbers. */
  mark(top, left, size) {
    this.part("input").querySelectorAll("tr").forEach((line, row) => {
      line.querySelectorAll("td").forEach((cell, column) => {
        const value = toNumber(cell.firstElementChild?.value ?? "0") || 0;
        const [down, right] = [row - top, column - left];
        cell.classList.toggle("inside", down >= 0 && down < size && right >= 0 && right < size);
        cell.classList.toggle("bright", value > 4);
        cell.style.setProperty("--grey", Math.round(Math.min(9, Math.max(0, value)) * 28));
      });
    });
  }

  showSum(part, kernel) {
    const products = times(part, kernel);
    const cell = (value) => `<td>${written(value)}</td>`;
    this.draw("window", part, cell);
    this.draw("times", this.kernel, (text) => `<td>${text.replace("-", "−")}</td>`);
    this.draw("products", products, cell);
    this.part("sum").textContent = written(total(products));
  }

  /** Draw a map as far as it has been computed: orange above 0, blue below. */
  drawMap(name, map, when, [row, column]) {
    const most = Math.max(1e-9, ...map.flat().map(Math.abs));
    this.draw(name, map, (value, r, c) => {
      const here = r === row && c === column ? "inside" : "";
      if (when(r, c) > this.step) return `<td class="${here}"></td>`;
      const strength = Math.round((Math.abs(value) / most) * 45);
      const colour = value < 0 ? "#0072b2" : "#d55e00";
      return `<td class="${here}" style="--strength: ${strength}%; --colour: ${colour}">
        ${written(value, Math.abs(value) < 10 ? 1 : 0)}</td>`;
    });
  }

  showSizes(input, kernel, padding, stride, pooled) {
    const size = outputSize(input, kernel, padding, stride);
    const half = pooled ? ` Pooling leaves ⌊${size} / 2⌋ = ${size >> 1}.` : "";
    this.part("size").textContent =
      `Size of the output: ⌊(input + 2 · padding − kernel) / stride⌋ + 1 = ` +
      `⌊(${input} + 2 · ${padding} − ${kernel}) / ${stride}⌋ + 1 = ${size}.${half}`;
    const fields = receptiveFields(4, kernel, stride, pooled);
    this.part("layers").textContent = `layers like this one${pooled ? ", each with pooling" : ""}`;
    const [above, below] = this.root.querySelectorAll(".fields tr");
    [above, below].forEach((line) => line.querySelectorAll("td").forEach((cell) => cell.remove()));
    fields.forEach((field, layer) => {
      above.insertCell().textContent = layer + 1;
      below.insertCell().textContent = `${field} × ${field}`;
    });
  }
}

document.querySelectorAll(".stepper").forEach((root) => new Stepper(root));

// <heat-map data="{rows, columns, count, grid, weights}" label picture>: what each token looked at.
// Weights are a byte each, row by row, in base64; 255 is `most`. With a picture and a grid they are laid over it.
"use strict";
(() => {
  const ROW = 24; // px
  const WIDEST = 34;
  const NAMED = 9; // px that a column needs to be labelled

  function html(name, className, ...children) {
    const element = document.createElement(name);
    if (className) element.className = className;
    element.append(...children);
    return element;
  }

  const shown = (token) => (token.trim() ? token : "␣");

  class HeatMap extends HTMLElement {
    connectedCallback() {
      const given = JSON.parse(this.getAttribute("data"));
      this.tokens = given.rows;
      this.sources = given.columns;
      this.count = given.count;
      this.grid = given.grid;
      const bytes = Uint8Array.from(atob(given.weights), (sign) => sign.charCodeAt(0));
      this.weights = this.tokens.map((_, row) => bytes.subarray(row * this.count, (row + 1) * this.count));
      this.most = given.most;
      this.said = html("p", "said");
      this.said.setAttribute("aria-live", "polite");
      const picture = this.getAttribute("picture");
      if (picture && this.grid) this.overPicture(picture);
      else this.asMatrix();
      this.redraw = () => this.draw();
      document.addEventListener("seqloom:theme", this.redraw);
      this.dark = matchMedia("(prefers-color-scheme: dark)");
      this.dark.addEventListener("change", this.redraw);
      this.watcher = new ResizeObserver(this.redraw);
      this.watcher.observe(this);
    }

    disconnectedCallback() {
      this.watcher?.disconnect();
      this.dark?.removeEventListener("change", this.redraw);
      document.removeEventListener("seqloom:theme", this.redraw);
    }

    draw() {
      if (this.over) this.drawOver();
      else this.drawMatrix();
    }

    // A context that draws in CSS pixels, sharp on any screen.
    context(canvas, width, height) {
      const scale = devicePixelRatio || 1;
      canvas.width = Math.round(width * scale);
      canvas.height = Math.round(height * scale);
      canvas.style.width = `${width}px`;
      canvas.style.height = `${height}px`;
      const context = canvas.getContext("2d");
      context.scale(scale, scale);
      return context;
    }

    // As a matrix --------------------------------------------------------------------------------------

    asMatrix() {
      this.at = null;
      this.canvas = html("canvas");
      this.stage = html("div", "stage", this.canvas);
      this.stage.tabIndex = 0;
      this.stage.setAttribute("role", "img");
      this.stage.setAttribute("aria-label", `${this.getAttribute("label")}. ${this.inWords()}`);
      this.stage.addEventListener("pointermove", (event) => this.point(event));
      this.stage.addEventListener("pointerdown", (event) => this.point(event));
      this.stage.addEventListener("pointerleave", () => this.choose(null));
      this.stage.addEventListener("blur", () => this.choose(null));
      this.stage.addEventListener("keydown", (event) => this.press(event));
      this.said.textContent = this.usual();
      this.replaceChildren(html("div", "scroll", this.stage), this.said);
    }

    weight(row, column) {
      return (this.weights[row][column] / 255) * this.most;
    }

    source(column) {
      return this.sources ? shown(this.sources[column]) : `position ${column}`;
    }

    usual() {
      return `Strongest: ${this.most.toFixed(2)}. Point at a cell, or use the arrow keys.`;
    }

    inWords() {
      const parts = this.tokens.slice(0, 20).map((token, row) => {
        const weights = this.weights[row];
        return `${shown(token)}: ${this.source(weights.indexOf(Math.max(...weights)))}`;
      });
      return `Each token with what it looked at most: ${parts.join(", ")}`;
    }

    drawMatrix() {
      const room = this.clientWidth - 2;
      if (room <= 0) return;
      const style = getComputedStyle(this);
      const font = `12px ${style.fontFamily}`;
      const rule = document.createElement("canvas").getContext("2d");
      rule.font = font;
      const long = (tokens) => Math.ceil(Math.max(0, ...tokens.map((token) => rule.measureText(shown(token)).width)));
      const left = Math.min(long(this.tokens), 140) + 12;
      let cell = Math.min(WIDEST, (room - left - 30) / this.count);
      if (this.sources && this.count <= 80) cell = Math.max(cell, NAMED + 5); // it may be scrolled
      const isNamed = Boolean(this.sources) && cell >= NAMED;
      const top = isNamed ? Math.min(Math.ceil(long(this.sources) * 0.82), 110) + 16 : 24;
      this.shape = { left, top, cell };
      const width = Math.ceil(left + cell * this.count + (isNamed ? 40 : 6));
      const height = top + ROW * this.tokens.length + 4;
      const context = this.context(this.canvas, width, height);
      context.font = font;
      context.textBaseline = "middle";
      this.drawLabels(context, style, isNamed, width);
      this.drawCells(context, style);
    }

    drawLabels(context, style, isNamed, width) {
      const { left, top, cell } = this.shape;
      const ink = style.getPropertyValue("--ink"), muted = style.getPropertyValue("--muted");
      context.textAlign = "right";
      this.tokens.forEach((token, row) => {
        context.fillStyle = this.at && this.at[0] === row ? ink : muted;
        context.fillText(shown(token), left - 8, top + ROW * (row + 0.5), left - 8);
      });
      context.textAlign = "left";
      if (isNamed) {
        for (let column = 0; column < this.count; column++) {
          context.save();
          context.fillStyle = this.at && this.at[1] === column ? ink : muted;
          context.translate(left + cell * (column + 0.5), top - 7);
          context.rotate(-Math.PI / 3.4);
          context.fillText(shown(this.sources[column]), 0, 0, 120);
          context.restore();
        }
      } else {
        context.fillStyle = muted;
        context.fillText("0", left, top - 10);
        context.textAlign = "right";
        context.fillText(`${this.count - 1}`, Math.min(width, left + cell * this.count), top - 10);
        context.textAlign = "center";
        if (cell * this.count > 120) context.fillText("position in the source", left + (cell * this.count) / 2, top - 10);
      }
    }

    drawCells(context, style) {
      const { left, top, cell } = this.shape;
      const gap = cell >= 8 ? 1.5 : 0;
      const scale = devicePixelRatio || 1;
      context.fillStyle = style.getPropertyValue("--cell");
      context.fillRect(left, top, cell * this.count, ROW * this.tokens.length);
      context.fillStyle = style.getPropertyValue("--accent");
      this.weights.forEach((weights, row) => {
        for (let column = 0; column < this.count; column++) {
          context.globalAlpha = (weights[column] / 255) ** 0.75;
          const from = Math.round((left + cell * column) * scale) / scale; // on whole pixels: no seams
          const to = Math.round((left + cell * (column + 1)) * scale) / scale;
          context.fillRect(from, top + ROW * row, Math.max(to - from - gap, 1 / scale), ROW - 1.5);
        }
      });
      context.globalAlpha = 1;
      if (this.at) {
        context.strokeStyle = style.getPropertyValue("--ink");
        context.lineWidth = 1.5;
        context.strokeRect(left + cell * this.at[1] - 0.5, top + ROW * this.at[0] - 0.5, Math.max(cell, 3), ROW);
      }
    }

    point(event) {
      const box = this.canvas.getBoundingClientRect();
      const { left, top, cell } = this.shape;
      const column = Math.floor((event.clientX - box.left - left) / cell);
      const row = Math.floor((event.clientY - box.top - top) / ROW);
      const isIn = row >= 0 && row < this.tokens.length && column >= 0 && column < this.count;
      this.choose(isIn ? [row, column] : null);
    }

    press(event) {
      const moves = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] };
      if (event.key === "Escape") this.choose(null);
      if (!(event.key in moves) || event.ctrlKey || event.metaKey || event.altKey) return;
      event.preventDefault();
      const [down, right] = moves[event.key];
      const [row, column] = this.at || [0, 0];
      const kept = (value, end) => Math.min(end - 1, Math.max(0, value));
      this.choose(this.at ? [kept(row + down, this.tokens.length), kept(column + right, this.count)] : [0, 0]);
    }

    choose(at) {
      if (String(at) === String(this.at)) return;
      this.at = at;
      if (at) {
        const [row, column] = at;
        this.said.textContent = `${shown(this.tokens[row])} → ${this.source(column)}: ${this.weight(row, column).toFixed(2)}`;
      } else this.said.textContent = this.usual();
      this.drawMatrix();
    }

    // Over a picture -------------------------------------------------------------------------------------

    overPicture(address) {
      this.over = html("canvas");
      this.image = html("img");
      this.image.src = address;
      this.image.alt = "";
      this.image.addEventListener("load", () => this.draw());
      this.row = null;
      const words = this.tokens.map((token, row) => {
        const word = html("button", "word", shown(token));
        word.type = "button";
        word.setAttribute("aria-pressed", "false");
        for (const name of ["pointerenter", "focus", "click"]) word.addEventListener(name, () => this.look(row));
        return word;
      });
      this.words = html("div", "words", ...words);
      this.words.setAttribute("role", "group");
      this.words.setAttribute("aria-label", this.getAttribute("label"));
      this.said.textContent = "Choose a word to see where it looked.";
      this.replaceChildren(html("div", "looked", this.image, this.over), this.words, this.said);
    }

    look(row) {
      this.row = row;
      [...this.words.children].forEach((word, place) => word.setAttribute("aria-pressed", String(place === row)));
      const most = Math.max(...this.weights[row]);
      const place = this.weights[row].indexOf(most);
      const [rows, columns] = this.grid;
      this.said.textContent =
        `${shown(this.tokens[row])}: most (${this.weight(row, place).toFixed(2)}) at row ${Math.floor(place / columns) + 1} of ${rows}, ` +
        `column ${(place % columns) + 1} of ${columns}`;
      this.draw();
    }

    drawOver() {
      const width = this.image.clientWidth, height = this.image.clientHeight;
      if (!width || !height) return;
      const context = this.context(this.over, width, height);
      context.clearRect(0, 0, width, height);
      if (this.row === null) return;
      const weights = this.weights[this.row];
      const most = Math.max(1, ...weights);
      const [rows, columns] = this.grid;
      const small = document.createElement("canvas"); // a pixel a cell; drawing it larger makes it smooth
      small.width = columns;
      small.height = rows;
      const cells = small.getContext("2d");
      const veil = cells.createImageData(columns, rows);
      for (let cell = 0; cell < rows * columns; cell++) veil.data[4 * cell + 3] = 175 * (1 - weights[cell] / most);
      cells.putImageData(veil, 0, 0);
      context.imageSmoothingQuality = "high";
      context.drawImage(small, 0, 0, width, height);
    }
  }

  customElements.define("heat-map", HeatMap);
})();

// <line-chart data="{title, form, curves: [{name, points: [[x, y], …]}]}">: curves over steps, drawn as SVG.
// It draws itself anew when `data` or its width changes, and keeps what the reader points at meanwhile.
"use strict";
(() => {
  const HEIGHT = 190;
  const EDGE = { top: 10, right: 14, bottom: 26 };
  const DIGIT = 6.7; // width of a digit in a label, in px
  const SVG = "http://www.w3.org/2000/svg";
  const THIN = "\u202f";

  const grouped = (value) => String(value).replace(/\B(?=(\d{3})+$)/g, THIN);
  const plain = (value, digits = 4) => {
    if (value === 0) return "0";
    const size = Math.abs(value);
    if (size >= 1e6 || size < 1e-3) return value.toExponential(2).replace("e+", "e");
    if (size >= 1000) return grouped(Math.round(value));
    return String(Number(value.toPrecision(digits)));
  };
  const FORMS = {
    plain,
    small: (value) => (value === 0 ? "0" : Math.abs(value) >= 1e-4 ? String(Number(value.toPrecision(3))) : value.toExponential(1)),
    whole: (value) => (Math.abs(value) >= 1000 ? grouped(Math.round(value)) : plain(value)),
    percent: (value) => `${plain(100 * value, 3)}%`,
    size: (value) => `${plain(value / 1024 ** power(value), 3)} ${["B", "KiB", "MiB", "GiB", "TiB"][power(value)]}`,
  };
  const power = (bytes) => Math.min(4, Math.max(0, Math.floor(Math.log2(Math.abs(bytes) || 1) / 10)));

  function made(name, attributes = {}, ...children) {
    const element = document.createElementNS(SVG, name);
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
    element.append(...children);
    return element;
  }

  function html(name, className, ...children) {
    const element = document.createElement(name);
    if (className) element.className = className;
    element.append(...children);
    return element;
  }

  // Round numbers within a range, at most `wanted` of them.
  function ticks(low, high, wanted) {
    const rough = (high - low) / wanted;
    const ten = 10 ** Math.floor(Math.log10(rough));
    const step = [1, 2, 2.5, 5, 10].find((by) => by * ten >= rough) * ten;
    const found = [];
    for (let count = Math.ceil(low / step - 1e-9); count * step <= high + step * 1e-9; count++) found.push(count * step);
    return found.map((value) => Number(value.toPrecision(12)));
  }

  // The same of bytes: round in the unit that they are written in.
  function sizeTicks(low, high, wanted) {
    const unit = 1024 ** power(high);
    return ticks(low / unit, high / unit, wanted).map((value) => value * unit);
  }

  function logTicks(low, high) {
    const found = [];
    const from = Math.floor(Math.log10(low));
    const to = Math.ceil(Math.log10(high));
    const within = to - from > 4 ? [1] : to - from > 2 ? [1, 3] : [1, 2, 5];
    const every = Math.max(1, Math.ceil((to - from) / 6));
    for (let power = from; power <= to; power += every)
      for (const by of within) if (by * 10 ** power >= low && by * 10 ** power <= high) found.push(by * 10 ** power);
    return found.length > 1 ? found : [low, high];
  }

  class LineChart extends HTMLElement {
    static observedAttributes = ["data"];

    connectedCallback() {
      if (!this.plot) this.build();
      this.watcher = new ResizeObserver(() => this.draw());
      this.watcher.observe(this.plot);
      this.draw();
    }

    disconnectedCallback() {
      this.watcher?.disconnect();
    }

    attributeChangedCallback() {
      if (this.plot) this.draw();
    }

    build() {
      this.at = null; // the step pointed at
      this.isLog = false;
      this.heading = html("h3");
      this.newest = html("span", "newest");
      this.log = html("button", "log", "log");
      this.log.type = "button";
      this.log.setAttribute("aria-pressed", "false");
      this.log.addEventListener("click", () => {
        this.isLog = !this.isLog;
        this.log.setAttribute("aria-pressed", String(this.isLog));
        this.draw();
      });
      this.legend = html("ul", "legend");
      this.plot = html("div", "plot");
      this.plot.tabIndex = 0;
      this.plot.setAttribute("role", "slider");
      this.plot.addEventListener("pointermove", (event) => this.point(event));
      this.plot.addEventListener("pointerdown", (event) => this.point(event));
      this.plot.addEventListener("pointerleave", () => this.show(null));
      this.plot.addEventListener("blur", () => this.show(null));
      this.plot.addEventListener("keydown", (event) => this.press(event));
      this.tip = html("div", "tip");
      this.tip.hidden = true;
      this.replaceChildren(html("header", "", this.heading, this.newest, this.log), this.plot, this.legend);
    }

    draw() {
      const width = this.plot.clientWidth;
      if (!width) return;
      const text = this.getAttribute("data");
      if (text !== this.text) {
        this.text = text;
        this.chart = JSON.parse(text);
        this.steps = [...new Set(this.chart.curves.flatMap((curve) => curve.points.map(([x]) => x)))].sort((a, b) => a - b);
        this.head();
      }
      const { chart } = this;
      this.say = FORMS[chart.form] || plain;
      const values = chart.curves.flatMap((curve) => curve.points.map(([, y]) => y));
      const canLog = ["plain", "small"].includes(chart.form) && values.length > 0 && values.every((value) => value > 0) && Math.max(...values) > Math.min(...values);
      this.log.hidden = !canLog;
      const isLog = this.isLog && canLog;
      const [low, high] = this.range(values, isLog);
      const marks = isLog ? logTicks(low, high) : (chart.form === "size" ? sizeTicks : ticks)(low, high, 5);
      const labels = marks.map((mark) => this.say(mark));
      const left = Math.max(28, Math.ceil(DIGIT * Math.max(...labels.map((label) => label.length))) + 12);
      const first = this.steps[0] ?? 0;
      const last = this.steps.at(-1) ?? 1;
      const inner = Math.max(1, width - left - EDGE.right);
      this.x = (step) => left + (last > first ? (step - first) / (last - first) : 0.5) * inner;
      const share = isLog
        ? (value) => (Math.log(value) - Math.log(low)) / (Math.log(high) - Math.log(low))
        : (value) => (value - low) / (high - low);
      this.y = (value) => HEIGHT - EDGE.bottom - share(value) * (HEIGHT - EDGE.top - EDGE.bottom);
      const svg = made("svg", { width, height: HEIGHT, "aria-hidden": "true" });
      marks.forEach((mark, place) => {
        const y = this.y(mark);
        svg.append(made("line", { class: "grid", x1: left, x2: width - EDGE.right, y1: y, y2: y }));
        svg.append(made("text", { class: "tick", x: left - 8, y: y + 4, "text-anchor": "end" }, labels[place]));
      });
      this.drawSteps(svg, first, last, width, inner);
      chart.curves.forEach((curve, place) => this.drawCurve(svg, curve, place % 8));
      this.cross = made("line", { class: "cross", y1: EDGE.top, y2: HEIGHT - EDGE.bottom, visibility: "hidden" });
      this.dots = chart.curves.map((_, place) => made("circle", { class: `dot c${place % 8}`, r: 4, visibility: "hidden" }));
      svg.append(this.cross, ...this.dots);
      this.plot.replaceChildren(svg, this.tip);
      this.show(this.at);
    }

    head() {
      const { chart } = this;
      const single = chart.curves.length === 1 && chart.curves[0].points.length > 0;
      const say = FORMS[chart.form] || plain;
      this.heading.textContent = chart.title;
      this.newest.textContent = single ? say(chart.curves[0].points.at(-1)[1]) : "";
      this.legend.hidden = chart.curves.length < 2;
      this.legend.replaceChildren(
        ...chart.curves.map((curve, place) => {
          const line = made("svg", { width: 26, height: 8, "aria-hidden": "true" },
            made("line", { class: `curve c${place % 8}`, x1: 1, y1: 4, x2: 25, y2: 4 }));
          return html("li", "", line, curve.name);
        }),
      );
      const parts = chart.curves.filter((curve) => curve.points.length).map((curve) => {
        const values = curve.points.map(([, y]) => y);
        return `${curve.name}: ${say(values.at(-1))} at step ${curve.points.at(-1)[0]}, lowest ${say(Math.min(...values))}, highest ${say(Math.max(...values))}`;
      });
      this.plot.setAttribute("aria-label", `${chart.title}. ${parts.join("; ")}`);
      this.plot.setAttribute("aria-valuemin", this.steps[0] ?? 0);
      this.plot.setAttribute("aria-valuemax", this.steps.at(-1) ?? 0);
    }

    range(values, isLog) {
      if (!values.length) return [0, 1];
      let low = Infinity, high = -Infinity;
      for (const value of values) {
        if (value < low) low = value;
        if (value > high) high = value;
      }
      if (low === high) return low === 0 ? [0, 1] : low > 0 ? [0, 2 * low] : [2 * low, 0];
      if (isLog) return [low, high];
      const room = 0.06 * (high - low);
      return [low >= 0 && low < 0.35 * high ? 0 : low - room, high + room];
    }

    drawSteps(svg, first, last, width, inner) {
      const widest = DIGIT * (grouped(Math.round(last)).length + 3);
      const marks = last > first ? ticks(first, last, Math.max(2, Math.min(7, Math.floor(inner / widest)))) : [first];
      for (const mark of marks.filter(Number.isInteger)) {
        const x = this.x(mark);
        const anchor = x > width - EDGE.right - widest / 3 ? "end" : "middle";
        svg.append(made("line", { class: "mark", x1: x, x2: x, y1: HEIGHT - EDGE.bottom, y2: HEIGHT - EDGE.bottom + 4 }));
        svg.append(made("text", { class: "tick", x: anchor === "end" ? width - 2 : x, y: HEIGHT - 7, "text-anchor": anchor }, grouped(mark)));
      }
      const y = HEIGHT - EDGE.bottom;
      svg.append(made("line", { class: "axis", x1: this.x(first), x2: this.x(last), y1: y, y2: y }));
    }

    drawCurve(svg, curve, colour) {
      const points = curve.points.map(([x, y]) => `${this.x(x).toFixed(1)} ${this.y(y).toFixed(1)}`);
      if (points.length > 1) svg.append(made("path", { class: `curve c${colour}`, d: `M${points.join("L")}` }));
      if (points.length && points.length <= 12)
        for (const [x, y] of curve.points) svg.append(made("circle", { class: `spot c${colour}`, cx: this.x(x), cy: this.y(y), r: 2.5 }));
    }

    point(event) {
      const x = event.clientX - this.plot.getBoundingClientRect().left;
      let best = null;
      for (const step of this.steps) if (best === null || Math.abs(this.x(step) - x) < Math.abs(this.x(best) - x)) best = step;
      this.show(best);
    }

    press(event) {
      const count = this.steps.length;
      if (!count || event.ctrlKey || event.metaKey || event.altKey) return;
      const here = this.at === null ? count : this.steps.indexOf(this.at);
      const far = Math.max(1, Math.round(count / 10));
      const moves = {
        ArrowLeft: here - 1, ArrowDown: here - 1, ArrowRight: here + 1, ArrowUp: here + 1,
        PageDown: here - far, PageUp: here + far, Home: 0, End: count - 1,
      };
      if (event.key === "Escape") this.show(null);
      else if (event.key in moves) {
        event.preventDefault();
        this.show(this.steps[Math.min(count - 1, Math.max(0, moves[event.key]))]);
      }
    }

    // Shows what the curves are at a step, each at its nearest point; nothing for null.
    show(step) {
      this.at = step;
      if (!this.cross) return;
      const isOff = step === null || !this.steps.length;
      this.cross.setAttribute("visibility", isOff ? "hidden" : "visible");
      this.tip.hidden = isOff;
      if (isOff) {
        for (const dot of this.dots) dot.setAttribute("visibility", "hidden");
        this.plot.removeAttribute("aria-valuetext");
        this.plot.setAttribute("aria-valuenow", this.steps.at(-1) ?? 0);
        return;
      }
      const x = this.x(step);
      this.cross.setAttribute("x1", x);
      this.cross.setAttribute("x2", x);
      const near = this.chart.curves.map((curve) =>
        curve.points.reduce((best, point) => (best && Math.abs(best[0] - step) <= Math.abs(point[0] - step) ? best : point), null));
      near.forEach((point, place) => {
        const dot = this.dots[place];
        dot.setAttribute("visibility", point ? "visible" : "hidden");
        if (point) dot.setAttribute("cx", this.x(point[0])), dot.setAttribute("cy", this.y(point[1]));
      });
      const lines = this.chart.curves.flatMap((curve, place) => (near[place] ? [[curve.name, this.say(near[place][1]), place]] : []));
      this.tip.replaceChildren(
        html("b", "", `step ${grouped(step)}`),
        ...lines.map(([name, value, place]) => html("span", `c${place % 8}`, html("i"), `${lines.length > 1 ? `${name} ` : ""}${value}`)),
      );
      const width = this.plot.clientWidth;
      const isRight = x > width / 2;
      this.tip.style.left = isRight ? "auto" : `${x + 12}px`;
      this.tip.style.right = isRight ? `${width - x + 12}px` : "auto";
      this.tip.style.maxWidth = `${Math.max(x, width - x) - 14}px`;
      this.plot.setAttribute("aria-valuenow", step);
      this.plot.setAttribute("aria-valuetext", `step ${step}: ${lines.map(([name, value]) => `${name} ${value}`).join(", ")}`);
    }
  }

  customElements.define("line-chart", LineChart);
})();

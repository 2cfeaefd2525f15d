"use strict";
(() => {
  const { report: r, thumbnails } = JSON.parse(document.getElementById("data").textContent);
  const $ = (id) => document.getElementById(id);

  // Elements. Text becomes text nodes only; nothing here turns a string into markup.
  const build = (node, attributes, children) => {
    for (const [name, value] of Object.entries(attributes)) {
      if (value !== null && value !== undefined) node.setAttribute(name, value);
    }
    node.append(...children.filter((child) => child !== null && child !== undefined));
    return node;
  };
  const el = (tag, attributes = {}, ...children) => build(document.createElement(tag), attributes, children);
  const svg = (tag, attributes = {}, ...children) =>
    build(document.createElementNS("http://www.w3.org/2000/svg", tag), attributes, children);
  const coloured = (node, colour) => {
    node.style.background = colour;
    node.style.borderColor = colour;
    return node;
  };

  // Numbers as people read them.
  const count = (n) => n.toLocaleString("en-US");
  const digits = (n) => n >= 100 ? count(Math.round(n)) : String(Number(n.toFixed(n >= 10 ? 1 : 2)));
  const plural = (n, one, many = `${one}s`) => `${count(n)} ${n === 1 ? one : many}`;
  const pad = (n) => String(n).padStart(2, "0");
  const span = (s) => {
    if (s < 1) return [String(Math.round(s * 1000)), "ms"];
    if (s < 120) return [digits(s), "s"];
    const [h, m] = [Math.floor(s / 3600), Math.floor((s % 3600) / 60)];
    return h > 0 ? [`${h} h ${pad(m)}`, "min"] : [`${m} min ${pad(Math.floor(s % 60))}`, "s"];
  };
  const time = (s) => span(s).join(" ");
  const clock = (s, decimals = 1) => {
    if (r.wall_s < 120) return `${s.toFixed(decimals)} s`;
    const whole = Math.floor(s);
    const [h, m] = [Math.floor(whole / 3600), Math.floor((whole % 3600) / 60)];
    return h > 0 ? `${h}:${pad(m)}:${pad(whole % 60)}` : `${m}:${pad(whole % 60)}`;
  };
  const UNITS = ["B", "KiB", "MiB", "GiB", "TiB"];
  const size = (bytes) => {
    const power = bytes > 0 ? Math.min(Math.floor(Math.log2(bytes) / 10), UNITS.length - 1) : 0;
    return [digits(bytes / 1024 ** power), UNITS[power]];
  };
  const decimals = (step) => (Number.isInteger(step) ? 0 : Number.isInteger(Math.round(step * 1000) / 100) ? 1 : 2);
  const short = (n, step) =>
    n >= 1e6 ? `${digits(n / 1e6)}M` : n >= 1e4 ? `${digits(n / 1e3)}k` : n >= 1000 ? count(n) : n.toFixed(decimals(step));
  const isWeb = (url) => /^https?:\/\//i.test(url);
  const address = (url, attributes = {}) => {
    if (!url) return null;
    return isWeb(url) ? el("a", { ...attributes, href: url, rel: "noreferrer noopener" }, url) : el("span", attributes, url);
  };

  // The verdict.
  const OUTCOMES = [
    ["succeeded", "var(--good)"], ["failed", "var(--bad)"], ["expired", "var(--warn)"],
    ["rejected", "var(--law)"], ["cancelled", "var(--idle)"], ["lost", "var(--ink)"],
  ];
  const verdict = () => {
    const all = r.succeeded === r.submitted;
    const tone = r.lost > 0 || r.task_panics > 0 || (r.submitted > 0 && r.succeeded === 0) ? "bad" : all ? "good" : "warn";
    const headline = $("headline");
    headline.className = tone;
    if (r.submitted === 0) headline.append("No jobs were submitted");
    else headline.append(el("em", {}, `${count(r.succeeded)} of ${count(r.submitted)}`), ` ${r.submitted === 1 ? "job" : "jobs"} succeeded`);
    document.title = `${headline.textContent} – Plimsoll`;
    const parts = [el("span", r.lost > 0 ? { class: "bad" } : {}, `${count(r.lost)} lost${r.lost > 0 ? ", which is a bug" : ""}`)];
    for (const [name] of OUTCOMES.slice(1, -1)) if (r[name] > 0) parts.push(`${count(r[name])} ${name}`);
    if (r.task_panics > 0) parts.push(el("span", { class: "bad" }, `${plural(r.task_panics, "task")} panicked, which is a bug`));
    if (r.breaker_trips > 0) parts.push(`breakers opened ${r.breaker_trips === 1 ? "once" : `${count(r.breaker_trips)} times`}`);
    parts.forEach((part, i) => $("sub").append(...(i > 0 ? [" · ", part] : [part])));
    const present = OUTCOMES.filter(([name]) => r[name] > 0);
    for (const [name, colour] of present) {
      const piece = coloured(el("i", { title: `${name}: ${count(r[name])}` }), colour);
      piece.style.flexGrow = r[name];
      $("bar").append(piece);
      const share = (r[name] / r.submitted) * 100;
      const percent = share === 100 ? "100" : share > 99.9 ? ">99.9" : share < 0.1 ? "<0.1" : share.toFixed(1);
      $("outcomes").append(el("li", {}, coloured(el("i"), colour), el("b", {}, count(r[name])), ` ${name}, ${percent} %`));
    }
    $("bar").setAttribute("aria-label", present.map(([name]) => `${count(r[name])} ${name}`).join(", ") || "no jobs");
    const begun = r.started_at.replace("T", " ").replace(/(\.\d+)?(Z|\+00:00)$/, " UTC");
    $("origin").append([begun, r.browser, `driver ${r.driver}`].filter(Boolean).join(" · "));
  };

  // Key figures.
  const WAITS = {
    creation_limit: "the limit on creations",
    active_limit: "the limit on active contexts",
    pressure: "pressure on the machine",
    memory: "memory promised to other contexts",
    memory_unknown: "memory without a reading",
    breaker: "an open breaker",
    no_browser: "no browser with room",
    held_back: "the pause before another attempt",
  };
  const tiles = () => {
    const none = ["–", ""];
    const latency = (ms) => (ms === null ? none : span(ms / 1000));
    const memory = r.peak_memory_bytes;
    const ran = r.succeeded + r.failed;
    const tile = (label, [value, unit], note, tone) =>
      $("tiles").append(el("div", {}, el("dt", {}, label),
        el("dd", { class: tone }, value, unit ? el("small", {}, ` ${unit}`) : null), el("p", {}, note ?? "")));
    tile("Wall time", span(r.wall_s), "from start to last outcome");
    tile("Throughput", [digits(r.jobs_per_s), "jobs/s"], "succeeded or failed");
    tile("Latency p50", latency(r.latency_ms.p50), "half of the jobs were quicker");
    tile("Latency p95", latency(r.latency_ms.p95), "19 of 20 jobs were quicker");
    tile("Latency p99", latency(r.latency_ms.p99), "99 of 100 jobs were quicker");
    tile("Creation p95", latency(r.creation_ms.p95), "19 of 20 contexts were there sooner");
    tile("Peak contexts", [count(r.peak_active), ""], `at most ${count(r.peak_creating)} being created`);
    tile("Peak memory", memory === null ? none : size(memory),
      memory === null ? "no sensor could tell" : r.peak_active > 0 ? `${size(memory / r.peak_active).join(" ")} a context` : "");
    tile("Supervisor CPU", span(r.supervisor_cpu_s), ran > 0 ? `${digits((r.supervisor_cpu_s * 1000) / ran)} ms a job` : "");
    tile("Attempts", [count(r.attempts), ""], r.retried > 0 ? `${plural(r.retried, "job")} tried again` : "none repeated");
    tile("Browser restarts", [count(r.browser_restarts), ""],
      `${plural(r.breaker_trips, "breaker trip")}`, r.browser_restarts + r.breaker_trips > 0 ? "warn" : null);
    const drivers = Object.entries(r.drivers);
    const fate = ({ ended, succeeded, fell_back }) =>
      `${plural(ended, "job")}, ${succeeded === ended ? "all" : count(succeeded)} succeeded` + (fell_back > 0 ? `, ${count(fell_back)} went on to another driver` : "");
    $("drivers").hidden = drivers.length < 2;
    $("drivers").append(`By driver: ${drivers.map(([name, of]) => `${name} ${fate(of)}`).join("; ")}.`);
    const waits = r.waits.filter(({ share }) => share >= 0.005);
    $("waits").hidden = waits.length === 0;
    waits.forEach(({ reason, share, last }, i) =>
      $("waits").append(i > 0 ? "; " : "Why jobs waited, by share of the run: ", el("span", { title: last }, `${WAITS[reason] ?? reason} ${Math.round(share * 100)} %`)));
    if (waits.length > 0) $("waits").append(".");
    const { dialogs, popups, downloads } = r.incidents;
    const tried = [[dialogs, "dialog", "answered"], [popups, "popup", "closed"], [downloads, "download", "refused"]];
    const told = tried.filter(([n]) => n > 0).map(([n, what, how]) => `${plural(n, what)} ${how}`);
    $("incidents").hidden = told.length === 0;
    $("incidents").append(`By rule, without holding up a job: ${told.join(", ")}.`);
  };

  // Charts: all share one time axis and one cursor.
  const c = r.curves;
  const charts = [];
  const KINDS = { limit: "var(--law)", pressure: "var(--warn)", breaker: "var(--bad)", browser: "var(--teal)" };
  const highest = (values) => values.reduce((top, v) => (v !== null && v > top ? v : top), 0);
  // The next round step for about `parts` parts of `range`.
  const step = (range, parts, base) => {
    const rough = range / parts;
    const power = base ** Math.floor(Math.log(rough) / Math.log(base));
    const rounds = base === 10 ? [1, 2, 2.5, 5, 10] : [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024];
    return rounds.find((n) => n * power >= rough * 0.999) * power;
  };
  const timeStep = (range, parts) =>
    [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 21600, 43200]
      .find((s) => s >= range / parts) ?? Math.ceil(range / parts / 86400) * 86400;
  const nearest = (t) => {
    let [low, high] = [0, c.at_s.length - 1];
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if (c.at_s[middle] < t) low = middle; else high = middle;
    }
    return t - c.at_s[low] < c.at_s[high] - t ? low : high;
  };
  // How fast a count rose around each point: the slope over a twentieth of the run.
  const rate = (values) => {
    const half = Math.max((c.at_s.at(-1) - c.at_s[0]) / 40, 0.001);
    let [from, to] = [0, 0];
    return c.at_s.map((t) => {
      while (from + 1 < c.at_s.length && c.at_s[from + 1] <= t - half) from += 1;
      while (to + 1 < c.at_s.length && c.at_s[to] < t + half) to += 1;
      const elapsed = c.at_s[to] - c.at_s[from];
      return elapsed > 0 ? (values[to] - values[from]) / elapsed : 0;
    });
  };

  const chart = ({ title, series, format, tick, base = 10, least = 0, whole = false, events = [], hint }) => {
    const readout = el("span", {}, hint);
    const aside = events.length > 0 ? el("p", { class: "aside" }) : null;
    const values = series.map(() => el("b"));
    const asides = series.map(() => el("span"));
    const overall = (s) => format(s.last ? s.values.findLast((v) => v !== null) ?? 0 : highest(s.values));
    const legend = el("ul", { class: "legend" }, ...series.map((s, i) =>
      el("li", {}, coloured(el("i", { class: s.fill ? "" : "line" }), s.colour), s.label, " ", asides[i], values[i])));
    const spoken = series.map((s) => `${s.label} ${s.aside}${overall(s)}`).join(", ");
    const plot = svg("svg", { role: "img", tabindex: "0", "aria-label": `${title} over ${time(r.wall_s)}: ${spoken}. Arrow keys read it point by point.` });
    const card = el("div", { class: whole ? "card chart whole" : "card chart" }, el("h3", {}, title, readout), legend, plot, aside);
    $("charts").append(card);

    const margin = { left: 46, right: whole ? 26 : 10, top: 10, bottom: 24 };
    const height = whole ? 250 : 180;
    const first = c.at_s[0];
    const reach = Math.max(c.at_s.at(-1) - first, 0.001);
    const top = highest(series.filter((s) => !s.beyond).flatMap((s) => s.values)) || 1;
    const yStep = Math.max(step(top, whole ? 5 : 4, base), least);
    const yMax = Math.ceil((top / yStep) * 0.9999) * yStep;
    let width = 0;
    const x = (t) => margin.left + ((t - first) / reach) * (width - margin.left - margin.right);
    const y = (v) => margin.top + (1 - v / yMax) * (height - margin.top - margin.bottom);
    const cursor = svg("g", { visibility: "hidden" });

    // A curve breaks where a value is missing; `stairs` holds each value until the next.
    const runs = (values) => {
      const all = [];
      values.forEach((v, i) => {
        if (v === null) return;
        if (i === 0 || values[i - 1] === null) all.push([]);
        all.at(-1).push(i);
      });
      return all;
    };
    const at = (s, i) => `${x(c.at_s[i]).toFixed(1)} ${y(s.values[i]).toFixed(1)}`;
    const stroke = (s, run) => run.map((i, n) => (n === 0 ? `M${at(s, i)}` : s.stairs ? at(s, i).replace(/(.*) (.*)/, "H$1V$2") : `L${at(s, i)}`)).join("");
    const area = (s, run) => `${stroke(s, run)}V${y(0)}H${x(c.at_s[run[0]])}Z`;
    const draw = () => {
      width = Math.max(plot.clientWidth, 200);
      legend.style.minHeight = "";
      plot.setAttribute("viewBox", `0 0 ${width} ${height}`);
      plot.style.height = `${height}px`;
      const parts = [];
      for (let v = 0; v <= yMax * 1.001; v += yStep) {
        parts.push(svg("path", { class: v === 0 ? "axis" : "grid", d: `M${margin.left} ${y(v)}H${width - margin.right}` }),
          svg("text", { x: margin.left - 8, y: y(v) + 4, "text-anchor": "end" }, tick(v, yStep, yMax)));
      }
      const tStep = timeStep(reach, width / 95);
      for (let t = Math.ceil(first / tStep) * tStep; t <= first + reach * 1.0001; t += tStep) {
        const at = x(t);
        const anchor = at > width - 30 ? "end" : "middle";
        parts.push(svg("path", { class: "axis", d: `M${at} ${y(0)}v4` }),
          svg("text", { x: anchor === "end" ? width - margin.right : at, y: height - 6, "text-anchor": anchor }, tStep < 3600 ? clock(t, decimals(tStep)) : `${Math.round(t / 3600)} h`));
      }
      for (const event of events) {
        parts.push(svg("path", { class: "event", stroke: KINDS[event.kind], d: `M${x(event.at_s)} ${y(0)}v-7` }));
      }
      for (const s of series) {
        if (s.fill) parts.push(...runs(s.values).map((run) => svg("path", { d: area(s, run), fill: s.colour, "fill-opacity": ".15" })));
      }
      for (const s of series) {
        if (s.beyond) continue;
        parts.push(...runs(s.values).map((run) => svg("path", { class: "stroke", stroke: s.colour, d: stroke(s, run) })));
        const end = s.values.at(-1);
        if (s.stairs && end !== null) {
          const [cx, cy] = [width - margin.right + 12, y(end)];
          parts.push(svg("circle", { class: "load", stroke: s.colour, cx, cy, r: 6 }), svg("path", { class: "stroke", stroke: s.colour, d: `M${cx - 12} ${cy}h24` }));
        }
      }
      plot.replaceChildren(...parts, cursor);
    };

    const rest = () => {
      cursor.setAttribute("visibility", "hidden");
      readout.textContent = hint;
      series.forEach((s, i) => { [asides[i].textContent, values[i].textContent] = [s.aside, overall(s)]; });
      if (aside) aside.textContent = `Marks on the axis: ${plural(events.length, "change")}, listed below.`;
    };
    const show = (i) => {
      // Shorter texts must not make the card jump under the pointer.
      legend.style.minHeight = `${legend.offsetHeight}px`;
      const at = c.at_s[i];
      const dots = series.filter((s) => !s.beyond && s.values[i] !== null)
        .map((s) => svg("circle", { cx: x(at), cy: y(s.values[i]), r: 3.2, fill: s.colour }));
      cursor.replaceChildren(svg("path", { class: "cursor", d: `M${x(at)} ${margin.top}V${y(0)}` }), ...dots);
      cursor.setAttribute("visibility", "visible");
      readout.textContent = `at ${clock(at)}`;
      series.forEach((s, n) => { asides[n].textContent = ""; values[n].textContent = s.values[i] === null ? "–" : format(s.values[i]); });
      if (aside) {
        const near = events.filter((event) => Math.abs(x(event.at_s) - x(at)) < 5);
        aside.textContent = near.map((event) => `${clock(event.at_s)} ${event.kind}: ${event.text}`).join(" · ");
      }
    };
    const point = (event) => {
      const box = plot.getBoundingClientRect();
      const share = (event.clientX - box.left - margin.left) / (box.width - margin.left - margin.right);
      move(nearest(first + Math.min(Math.max(share, 0), 1) * reach));
    };
    plot.addEventListener("pointermove", point);
    plot.addEventListener("pointerdown", point);
    plot.addEventListener("pointerleave", () => move(null));
    plot.addEventListener("blur", () => move(null));
    plot.addEventListener("keydown", (event) => {
      const end = c.at_s.length - 1;
      const to = { ArrowLeft: Math.max((place ?? end + 1) - 1, 0), ArrowRight: Math.min((place ?? -1) + 1, end), Home: 0, End: end, Escape: null }[event.key];
      if (to === undefined) return;
      event.preventDefault();
      move(to);
      $("spoken").textContent = to === null ? "" : `${readout.textContent}: ${series.map((s, i) => `${s.label} ${values[i].textContent}`).join(", ")}`;
    });
    charts.push({ draw, show, rest });
    draw();
    rest();
    new ResizeObserver(() => { if (plot.clientWidth !== width) draw(); }).observe(card);
  };
  let place = null;
  const move = (to) => {
    place = to;
    for (const each of charts) if (to === null) each.rest(); else each.show(to);
  };

  const curves = () => {
    if (c.at_s.length < 2) {
      $("charts").append(el("p", { class: "card whole chart" }, "The run was over too soon for curves."));
      return;
    }
    const whole = (n) => count(Math.round(n));
    // A limit far above what was ever used would press the curve flat: it is then named, not drawn.
    const limit = highest(c.limit);
    const isFar = limit > highest(c.active) * 4;
    const top = Math.max(highest(c.active), isFar ? 0 : limit);
    const contexts = [
      { label: "active", values: c.active, colour: "var(--water)", fill: true, aside: "peak " },
      { label: "being created", values: c.creating, colour: "var(--teal)", aside: "peak " },
      { label: "limit", values: c.limit, colour: "var(--law)", stairs: true, aside: isFar ? "above this scale, in the end " : "in the end ", last: true, beyond: isFar },
      { label: "limit on creations", values: c.creation_limit, colour: "var(--warn)", stairs: true, aside: "in the end ", last: true, beyond: highest(c.creation_limit) > top },
    ];
    chart({ title: "Contexts", series: contexts.slice(0, limit > 0 ? 4 : 2), format: whole, tick: short, least: 1, whole: true, events: r.changes, hint: "point at a curve to read it" });
    const failing = highest(c.failed) > 0;
    const rates = [{ label: "ended", values: rate(c.done), colour: "var(--water)", fill: true, aside: "peak " }];
    if (failing) rates.push({ label: "failed", values: rate(c.failed), colour: "var(--bad)", aside: "peak " });
    chart({ title: "Throughput", series: rates, format: digits, tick: short, hint: "jobs a second" });
    const jobs = [{ label: "ended", values: c.done, colour: "var(--water)", fill: true, aside: "", last: true },
      { label: "queued", values: c.queued, colour: "var(--warn)", aside: "peak " }];
    if (failing) jobs.push({ label: "failed", values: c.failed, colour: "var(--bad)", aside: "", last: true });
    chart({ title: "Jobs", series: jobs, format: whole, tick: short, least: 1, hint: "since the start" });
    if (c.memory_bytes.some((bytes) => bytes !== null)) {
      const gauge = [{ label: "in use", values: c.memory_bytes, colour: "var(--water)", fill: true, aside: "peak " }];
      const unit = size(highest(c.memory_bytes))[1];
      const one = 1024 ** UNITS.indexOf(unit);
      const named = (bytes, every) => (bytes / one).toFixed(decimals(every / one));
      chart({ title: "Memory of browsers", series: gauge, format: (bytes) => size(bytes).join(" "), tick: named, base: 1024, hint: unit });
    }
  };

  // Failures by class.
  const CLASSES = {
    navigation: "The page could not be reached.",
    http_status: "The server answered with a status the job does not accept.",
    timeout: "A deadline passed.",
    script: "A script or step failed in the page.",
    page_crash: "The page's renderer died.",
    browser_crash: "The browser died, hung or could not be started.",
    assertion: "An expectation did not hold.",
    proxy: "The proxy refused, failed or was missing.",
    unsupported: "The driver cannot do what the job asks.",
    overload: "The machine or the fleet had no room.",
    internal: "A fault of Plimsoll's own.",
  };
  const failures = () => {
    const classes = Object.entries(r.classes).sort(([, a], [, b]) => b - a);
    $("failures").hidden = classes.length === 0;
    classes.forEach(([name, n], i) => {
      const fill = el("i");
      fill.style.width = `${(n / classes[0][1]) * 100}%`;
      const examples = r.examples[name] ?? [];
      const items = examples.map((e) => el("li", {},
        el("div", { class: "head" }, el("span", { class: "id" }, e.id), el("span", {}, `at ${e.stage}`.replace("at opening", "opening")), address(e.url)),
        el("p", { class: "message" }, e.message)));
      const more = n > examples.length ? [el("li", { class: "note" }, `and ${count(n - examples.length)} more in results.jsonl`)] : [];
      $("classes").append(el("details", { class: "card class", open: i === 0 ? "" : null },
        el("summary", {}, el("b", {}, name), el("span", {}, CLASSES[name] ?? ""),
          el("div", { class: "share" }, el("div", { class: "meter bad" }, fill), count(n))),
        el("ul", { class: "examples" }, ...items, ...more)));
    });
  };

  const slowest = () => {
    $("slow").hidden = r.slowest.length === 0;
    for (const job of r.slowest) {
      const fill = el("i");
      fill.style.width = `${(job.ms / Math.max(r.slowest[0].ms, 1)) * 100}%`;
      const bad = job.outcome !== "succeeded";
      $("slowest").append(el("tr", {},
        el("td", { title: job.id }, el("span", { class: "id" }, job.id),
          el("span", { class: "where" }, bad ? el("span", { class: "bad-text" }, `${job.outcome} `) : null, address(job.url, { title: job.url }))),
        el("td", { class: "tries" }, count(job.attempts)),
        el("td", { class: "took" }, el("div", { class: "amount" }, el("div", { class: bad ? "meter bad" : "meter" }, fill), time(job.ms / 1000)))));
    }
  };

  const changes = () => {
    $("log").hidden = r.changes.length === 0;
    const item = (change) => el("li", {}, el("time", {}, clock(change.at_s)), el("b", { class: `kind-${change.kind}` }, change.kind), el("span", {}, change.text));
    const shown = r.changes.length > 24 ? 18 : 24;
    $("changes").append(el("ol", { class: "log" }, ...r.changes.slice(0, shown).map(item)));
    if (r.changes.length > shown) {
      const left = r.changes_left_out > 0 ? [el("p", { class: "note" }, `${count(r.changes_left_out)} changes in the middle of the run were not kept.`)] : [];
      $("changes").append(el("details", {}, el("summary", {}, `${count(r.changes.length - shown)} more`),
        el("ol", { class: "log" }, ...r.changes.slice(shown).map(item)), ...left));
    }
  };

  const pictures = () => {
    $("gallery").hidden = r.pictures.length === 0;
    for (const picture of r.pictures) {
      const small = thumbnails[picture.artifact];
      const image = small ? el("img", { src: small, alt: `Screenshot of job ${picture.id}`, loading: "lazy" }) : el("div", { class: "blank" }, "no preview");
      $("pictures").append(el("figure", {}, el("a", { href: picture.artifact, title: picture.id }, image, el("figcaption", { class: "id" }, picture.id))));
    }
    $("pictures-note").append(r.pictures.length < 24 ? "Each opens in full." : "The first 24; each opens in full. All of them are in artifacts/.");
  };

  const settings = () => {
    const entries = Object.entries(r.settings);
    $("settings-box").hidden = entries.length === 0;
    for (const [key, value] of entries) {
      $("settings").append(el("div", {}, el("dt", {}, key), el("dd", {}, typeof value === "string" ? value : JSON.stringify(value))));
    }
  };

  for (const part of [verdict, tiles, curves, failures, slowest, changes, pictures, settings]) part();
})();

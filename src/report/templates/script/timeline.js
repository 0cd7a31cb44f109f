// The timeline.

const LABELS = 330;
const SUMS = 200;
const ROWS = 60;
const ROW = 20;
const LANE = 84;
const timed = packets.map((packet, at) => at).filter(at => packets[at].t !== null);
const ranges = () => {
  const list = [];
  const bounds = times => [times.reduce((a, b) => Math.min(a, b), Infinity), times.reduce((a, b) => Math.max(a, b), -Infinity)];
  const all = timed.map(at => packets[at].t).concat(bins.list.flatMap(([start]) => [start, start + bins.width]));
  const of = (name, span) => list.push({ name, from: span[0], to: span[1] });
  const shown = bounds(timed.map(at => packets[at].t));
  if (!data.sampled && timed.length > 0) of("everything", shown);
  else if (all.length > 0) of("everything", bounds(all));
  if (data.sampled && timed.length > 0) of("the packets of this page", shown);
  windows.slice(0, 100).forEach(([start, end], at) => of(`window ${at + 1}, from ${clock(start, 0)}`, [start, end]));
  return list;
};
const views = ranges();
let revealed = packets.length;

// Pauses are drawn shorter than they are, so that packets that follow each other closely are told apart.
const axis = (view, events, width, isTrue) => {
  const { from, to } = view;
  const stops = [...new Set([from, ...events.filter(time => time > from && time < to), to])].sort((a, b) => a - b);
  const grown = gap => (isTrue ? gap : Math.pow(gap, 0.35));
  const places = [0];
  for (let at = 1; at < stops.length; at++) places.push(places[at - 1] + grown(stops[at] - stops[at - 1]));
  const whole = places[places.length - 1] || 1;
  const between = (list, value) => {
    let [low, high] = [0, list.length - 1];
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if (list[middle] <= value) low = middle;
      else high = middle;
    }
    return [low, high];
  };
  const map = (source, goal, value) => {
    if (source.length < 2) return goal[0] ?? 0;
    const [low, high] = between(source, value);
    const gap = source[high] - source[low];
    const part = gap > 0 ? (value - source[low]) / gap : 0;
    return goal[low] + Math.min(1, Math.max(0, part)) * (goal[high] - goal[low]);
  };
  return {
    x: time => LABELS + (stops.length < 2 ? 0.5 : map(stops, places, time) / whole) * width,
    time: x => (stops.length < 2 ? from : map(places, stops, ((x - LABELS) / width) * whole)),
  };
};

const plot = find("plot");
const redraw = () => {
  drawn.forEach(([list, element]) => list.splice(list.indexOf(element), 1));
  drawn = [];
  plot.replaceChildren();
  const view = views[Number(find("range").value) || 0];
  if (!view) {
    make(plot, "p", "There is no packet with a time.");
    return;
  }
  const width = Math.max(420, plot.clientWidth - LABELS - SUMS);
  const inside = time => time >= view.from && time <= view.to;
  const seen = timed.filter(at => inside(packets[at].t));
  const isSeen = new Set(seen);
  const hasPackets = record => members[record].some(at => isSeen.has(at));
  // those whose packets are drawn come first, because only some are drawn
  const rows = records
    .map((record, at) => at)
    .filter(at => spans[at] && spans[at][1] >= view.from && spans[at][0] <= view.to)
    .sort((a, b) => hasPackets(b) - hasPackets(a) || spans[a][0] - spans[b][0] || a - b);
  const shownRows = rows.slice(0, ROWS);
  const withBins = data.sampled;
  const visibleBins = withBins ? bins.list.filter(([start]) => start + bins.width >= view.from && start <= view.to) : [];
  const events = seen.map(at => packets[at].t).concat(visibleBins.flatMap(([start]) => [start, start + bins.width]));
  const { x, time } = axis(view, events, width, find("scale").checked);
  const top = 40;
  const binsTop = top + LANE;
  const rowsTop = binsTop + (withBins ? 64 : 0) + 16;
  const differencesTop = rowsTop + shownRows.length * ROW + (rows.length > ROWS ? ROW : 0) + 10;
  const height = differencesTop + (differences.length > 0 ? 30 : 4);
  const svg = draw(plot, "svg", { width: LABELS + width + SUMS, height, viewBox: `0 0 ${LABELS + width + SUMS} ${height}`, "aria-hidden": "true", class: seen.length > 150 ? "many" : "" });

  // windows behind everything
  windows.forEach(([start, end, , count, late], at) => {
    if (late || end <= view.from || start > view.to) return;
    const [left, right] = [x(Math.max(start, view.from)), x(Math.min(end, view.to))];
    draw(svg, "rect", { class: at % 2 ? "edge" : "band", x: left, y: 18, width: Math.max(1, right - left), height: height - 22 });
    // a label where there is room for it
    if (right - left > 230) draw(svg, "text", { class: "soft", x: left + 4, y: 13 }, `window from ${clock(start, 0)}: ${counted(count, "packet")}`);
    else if (right - left > 56) draw(svg, "text", { class: "soft", x: left + 4, y: 13 }, clock(start, 0));
  });
  const digits = digitsFor(view.to - view.from);
  for (let at = LABELS; at <= LABELS + width; at += Math.max(110, width / 8)) {
    draw(svg, "path", { class: "edge", d: `M${at} 34V${height - 4}` });
    draw(svg, "text", { class: "soft", x: at + 3, y: 32 }, clock(time(at), digits));
  }
  draw(svg, "text", { x: 6, y: top + 14 }, withBins ? "packets, one by one" : "packets");
  draw(svg, "text", { class: "soft", x: 6, y: top + 30 }, "the higher, the longer");

  const remember = (list, element) => {
    list.push(element);
    drawn.push([list, element]);
    return element;
  };
  const rowOf = new Map(shownRows.map((record, at) => [record, rowsTop + at * ROW + ROW / 2]));
  const lengths = seen.map(at => Math.log1p(packets[at].l));
  const [least, most] = [lengths.reduce((a, b) => Math.min(a, b), Infinity), lengths.reduce((a, b) => Math.max(a, b), 0)];
  const heightOf = packet => top + LANE - 12 - (LANE - 24) * (most > least ? (Math.log1p(packet.l) - least) / (most - least) : 0.5);
  const marker = (at, left, y, radius) => {
    const kind = shape(packets[at]);
    const common = { class: `packet ${kind}`, "data-packet": at };
    if (kind === "accept") return draw(svg, "circle", { ...common, cx: left, cy: y, r: radius });
    if (kind === "reject") return draw(svg, "rect", { ...common, x: left - radius, y: y - radius, width: 2 * radius, height: 2 * radius });
    const r = radius;
    return draw(svg, "path", { ...common, d: `M${left - r} ${y - r}L${left + r} ${y + r}M${left + r} ${y - r}L${left - r} ${y + r}` });
  };
  // threads first, so that they lie behind
  for (const at of seen) {
    const left = x(packets[at].t);
    for (const record of packets[at].r) {
      if (!rowOf.has(record)) continue;
      const thread = draw(svg, "path", { class: "thread", d: `M${left} ${heightOf(packets[at])}V${rowOf.get(record)}` });
      thread.dataset.of = at;
      remember(byPacket[at], thread);
    }
  }
  if (withBins) {
    draw(svg, "text", { x: 6, y: binsTop + 22 }, "all packets in records");
    const highest = visibleBins.reduce((sum, [, count]) => Math.max(sum, count), 1);
    draw(svg, "text", { class: "soft", x: 6, y: binsTop + 38 }, `highest: ${counted(highest, "packet")}`);
    for (const [start, count] of visibleBins) {
      const [left, right] = [x(start), x(start + bins.width)];
      const tall = Math.max(1.5, (count / highest) * 52);
      const bar = draw(svg, "rect", { class: "bin", x: left, y: binsTop + 60 - tall, width: Math.max(1, right - left - 0.5), height: tall });
      draw(bar, "title", {}, `${counted(count, "packet")} from ${clock(start, digits)}`);
    }
  }
  for (const at of shownRows) {
    const y = rowOf.get(at);
    const record = records[at];
    const [left, right] = [x(Math.max(spans[at][0], view.from)), x(Math.min(spans[at][1], view.to))];
    const name = `${record.n}  ${record.f}`;
    const label = draw(svg, "text", { class: "row", x: 6, y: y + 4, "data-record": at }, name.length > 46 ? name.slice(0, 45) + "…" : name);
    draw(label, "title", {}, name);
    remember(byRecord[at], label);
    const bar = draw(svg, "rect", { class: `bar ${record.a ?? ""}`, x: left - 5, y: y - 6, width: right - left + 10, height: 12, rx: 6, "data-record": at });
    remember(byRecord[at], bar);
    const told = draw(svg, "text", { class: "soft sum", x: right + 10, y: y + 4 }, "");
    told.dataset.of = at;
  }
  for (const at of seen) {
    const left = x(packets[at].t);
    remember(byPacket[at], marker(at, left, heightOf(packets[at]), 4));
    for (const record of packets[at].r) {
      if (rowOf.has(record)) remember(byPacket[at], marker(at, left, rowOf.get(record), 2.6));
    }
  }
  if (rows.length > ROWS) {
    draw(svg, "text", { class: "soft", x: 6, y: rowsTop + ROWS * ROW + 14 }, `and ${counted(rows.length - ROWS, "record")} more, in the table`);
  }
  if (differences.length > 0) {
    draw(svg, "text", { x: 6, y: differencesTop + 14 }, "differences from the log");
    differences.forEach(([start, end, explained, cause], at) => {
      if (end < view.from || start > view.to + 1e9) return;
      const [left, right] = [x(Math.max(start, view.from)), x(Math.min(end, view.to))];
      const bar = draw(svg, "rect", { class: explained ? "difference" : "difference wrong", x: left - 4, y: differencesTop + 4 + (at % 2) * 10, width: right - left + 8, height: 9, "data-difference": at });
      bar.dataset.records = document.querySelector(`tr[data-difference="${at}"]`)?.dataset.records ?? "";
      draw(bar, "title", {}, `${cause}, ${explained ? "explained" : "different"}`);
    });
  }
  reveal();
  relight();
};
// packets that are not there yet are faint, and records count only those that are
const reveal = () => {
  for (const element of plot.querySelectorAll("[data-packet], .thread")) {
    element.classList.toggle("later", Number(element.dataset.packet ?? element.dataset.of) >= revealed);
  }
  for (const sum of plot.querySelectorAll(".sum")) {
    const record = records[sum.dataset.of];
    const own = members[sum.dataset.of];
    const there = own.filter(at => at < revealed);
    const isAll = revealed >= packets.length;
    const count = isAll ? record.p : there.length;
    const bytes = isAll ? record.b : there.reduce((total, at) => total + packets[at].l, 0);
    sum.textContent = `${counted(count, "packet")}, ${counted(bytes, "byte")}`;
  }
  find("so-far").textContent = `${number(revealed)} of ${number(packets.length)}`;
};

if (views.length > 0) {
  const range = find("range");
  views.forEach((view, at) => {
    make(range, "option", view.name).value = at;
  });
  if (data.sampled && timed.length > 0) range.value = "0";
  range.addEventListener("change", redraw);
}
find("scale").addEventListener("change", redraw);
const cursor = find("cursor");
cursor.max = packets.length;
cursor.value = packets.length;
cursor.addEventListener("input", () => {
  revealed = Number(cursor.value);
  reveal();
});
plot.addEventListener("keydown", event => {
  const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
  const edge = { Home: 0, End: packets.length - 1 }[event.key];
  if (packets.length === 0 || (step === undefined && edge === undefined)) return;
  event.preventDefault();
  const last = packets.length - 1;
  const from = chosen.packet ?? (step > 0 ? -1 : packets.length);
  choosePacket(edge ?? Math.min(last, Math.max(0, from + step)));
});
let width = 0;
new ResizeObserver(() => {
  if (Math.abs(plot.clientWidth - width) < 4) return;
  width = plot.clientWidth;
  redraw();
}).observe(plot);

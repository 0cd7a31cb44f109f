"use strict";
// Draws the timeline and ties packets, records and differences together. It writes text and attributes, never markup.
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const { packets, records, windows, bins, differences, shapes, reasons, columns } = data;
  const find = id => document.getElementById(id);
  const SVG = "http://www.w3.org/2000/svg";
  const draw = (parent, name, attributes, text) => {
    const element = document.createElementNS(SVG, name);
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
    if (text !== undefined) element.textContent = text;
    parent.append(element);
    return element;
  };
  const make = (parent, name, text, className) => {
    const element = document.createElement(name);
    if (text !== undefined) element.textContent = text;
    if (className) element.className = className;
    parent.append(element);
    return element;
  };
  const number = value => value.toLocaleString("en-US");
  const counted = (value, what) => `${number(value)} ${what}${value === 1 ? "" : "s"}`;

  // the records' first column of values: with a VPC the reason for the action stands before it
  const FIRST = Number(find("records").dataset.first);

  // -- time: nanoseconds since the base --
  const clock = (offset, digits) => {
    const seconds = Math.floor(offset / 1e9);
    const date = new Date((data.base[0] + seconds) * 1000);
    if (Number.isNaN(date.getTime())) return "the end of time";
    const fraction = digits > 0 ? "." + String(Math.round(offset - seconds * 1e9)).padStart(9, "0").slice(0, digits) : "";
    return date.toISOString().slice(11, 19) + fraction;
  };
  const digitsFor = span => (span > 120e9 ? 0 : span > 2e9 ? 1 : span > 2e7 ? 3 : span > 2e4 ? 6 : 9);

  // -- what belongs together --
  const members = records.map(() => []);
  packets.forEach((packet, at) => packet.r.forEach(record => members[record].push(at)));
  const spans = records.map((record, at) => {
    const times = members[at].map(packet => packets[packet].t).filter(time => time !== null);
    // where all packets of a record are on the page, its bar is as exact as they are
    if (times.length === record.p && times.length > 0) return [Math.min(...times), Math.max(...times)];
    if (record.s === null) return times.length > 0 ? [Math.min(...times), Math.max(...times)] : null;
    return [Math.min(record.s, ...times), Math.max(record.e, ...times)];
  });
  const shape = packet => (packet.r.length === 0 ? "skipped" : packet.r.some(at => records[at].a === "REJECT") ? "reject" : "accept");
  const byPacket = packets.map(() => []);
  const byRecord = records.map(() => []);
  let drawn = [];
  const lit = new Set();
  let chosen = { packet: null, record: null };

  for (const row of document.querySelectorAll("#packets tbody tr")) byPacket[row.dataset.packet].push(row);
  for (const row of document.querySelectorAll("#records tbody tr")) byRecord[row.dataset.record].push(row);

  // -- lighting up --
  const light = (packetPlaces, recordPlaces) => {
    lit.forEach(element => element.classList.remove("lit"));
    lit.clear();
    const add = element => {
      element.classList.add("lit");
      lit.add(element);
    };
    packetPlaces.forEach(at => byPacket[at].forEach(add));
    recordPlaces.forEach(at => byRecord[at].forEach(add));
  };
  const lightPacket = at => light([at], packets[at].r);
  const lightRecord = at => light(members[at], [at]);
  const relight = () => {
    if (chosen.packet !== null) lightPacket(chosen.packet);
    else if (chosen.record !== null) lightRecord(chosen.record);
    else light([], []);
  };

  const became = packet => {
    if (packet.r.length > 0) return "in record " + packet.r.map(at => records[at].n).join(" and record ");
    return packet.x === null ? "not followed to its record" : `in no record: ${reasons[packet.x][0]}, ${reasons[packet.x][1]}`;
  };
  const describePacket = at => {
    const packet = packets[at];
    const time = packet.t === null ? "without a time" : clock(packet.t, 9).replace(/\.?0+$/, "");
    return `Packet ${packet.n}, ${time}, ${packet.f}, ${counted(packet.l, "byte")}; ${became(packet)}`;
  };
  const describeRecord = at => {
    const record = records[at];
    const known = members[at].length;
    const own = known === record.p ? "" : `, ${number(known)} of them on this page`;
    const window = windows[record.w];
    const when = window ? `; window ${clock(window[0], 0)} to ${clock(window[1], 0)}${record.l ? ", for which they came late" : ""}` : "";
    return `Record ${record.n}, ${record.f}, ${record.a ?? "no action"}: ${counted(record.p, "packet")}${own}, ${counted(record.b, "byte")}${when}`;
  };

  // -- a packet beside its record --
  const showPacket = at => {
    const pane = find("packet");
    pane.replaceChildren();
    find("packet-title").textContent = `Packet ${packets[at].n}`;
    const packet = packets[at];
    const table = make(pane, "table");
    let value = 0;
    let byte = 0;
    for (const [name, isCounted, parts] of shapes[packet.k]) {
      const body = make(table, "tbody");
      const head = make(make(body, "tr", undefined, "layer"), "th", isCounted ? name : `${name}, not counted`);
      head.colSpan = 3;
      head.scope = "rowgroup";
      for (const [part, offset, length, kept, into, hidden] of parts) {
        const row = make(body, "tr", undefined, kept);
        const said = packet.v[value++];
        make(row, "td", part).title = `byte ${offset}, ${counted(length, "byte")}`;
        make(row, "td", said ?? "not captured");
        const goes = make(row, "td");
        if (!hidden) {
          make(goes, "span", packet.h.slice(byte, byte + 2 * length).replace(/..(?=.)/g, "$& "), "hex");
          byte += 2 * length;
        }
        if (into.length > 0) {
          goes.append(" → " + into.map(column => columns[column]).join(", "));
          if (kept === "summed") goes.append(", added up");
          row.tabIndex = 0;
          row.dataset.columns = into.join(" ");
        }
      }
    }
    if (packet.x !== null) make(pane, "p", `It is ${became(packet)}.`);
  };
  const showRecord = place => {
    const pane = find("record");
    pane.replaceChildren();
    const titles = place.map(at => records[at].n).join(" and ");
    find("record-title").textContent = place.length > 0 ? `Its record, ${titles}` : "No record";
    for (const at of place) {
      make(pane, "p", describeRecord(at));
      const body = make(make(pane, "table"), "tbody");
      const row = find(`r${at}`);
      columns.forEach((column, index) => {
        const line = make(body, "tr");
        line.tabIndex = 0;
        line.dataset.columns = index;
        make(line, "th", column).scope = "row";
        make(line, "td", row.cells[index + FIRST].textContent);
      });
      if (FIRST > 1) make(pane, "p", `Decided by: ${row.cells[1].textContent}`);
    }
  };
  const lightColumns = event => {
    const row = event.target.closest?.("tr[data-columns]");
    for (const other of find("pane").querySelectorAll("tr.lit")) other.classList.remove("lit");
    if (!row) return;
    const wanted = row.dataset.columns.split(" ");
    for (const other of find("pane").querySelectorAll("tr[data-columns]")) {
      if (other.dataset.columns.split(" ").some(column => wanted.includes(column))) other.classList.add("lit");
    }
  };
  for (const kind of ["pointerover", "focusin"]) find("pane").addEventListener(kind, lightColumns);

  const mark = () => {
    for (const row of document.querySelectorAll("tr.chosen")) row.classList.remove("chosen");
    if (chosen.packet !== null) byPacket[chosen.packet].filter(e => e.tagName === "TR").forEach(e => e.classList.add("chosen"));
    if (chosen.record !== null) byRecord[chosen.record].filter(e => e.tagName === "TR").forEach(e => e.classList.add("chosen"));
  };
  const choosePacket = at => {
    chosen = { packet: at, record: null };
    find("pane").hidden = false;
    showPacket(at);
    showRecord(packets[at].r);
    lightPacket(at);
    mark();
    find("told").textContent = describePacket(at);
  };
  const chooseRecord = at => {
    chosen = { packet: null, record: at };
    find("pane").hidden = false;
    if (members[at].length > 0) {
      showPacket(members[at][0]);
    } else {
      find("packet-title").textContent = "Packet";
      find("packet").replaceChildren();
      make(find("packet"), "p", "None of its packets is on this page.");
    }
    showRecord([at]);
    lightRecord(at);
    mark();
    find("told").textContent = describeRecord(at);
  };

  // what has a packet, a record or a difference on it lights up under the pointer, and under the focus
  const target = event => event.target.closest?.("[data-packet], [data-record], [data-difference]");
  const over = event => {
    const element = target(event);
    if (!element) return;
    const { packet, record, difference } = element.dataset;
    if (packet !== undefined) {
      lightPacket(Number(packet));
      find("told").textContent = describePacket(Number(packet));
    } else if (record !== undefined) {
      lightRecord(Number(record));
      find("told").textContent = describeRecord(Number(record));
    } else {
      const places = (element.dataset.records ?? "").split(" ").filter(Boolean).map(Number);
      light(places.flatMap(at => members[at]), places);
      const cells = document.querySelector(`tr[data-difference="${difference}"]`).cells;
      find("told").textContent = `Difference ${cells[0].textContent}, ${cells[1].textContent}: ${cells[cells.length - 1].textContent}`;
      for (const mate of document.querySelectorAll(`[data-difference="${difference}"]`)) {
        mate.classList.add("lit");
        lit.add(mate);
      }
    }
  };
  const away = event => {
    if (target(event)) relight();
  };
  document.addEventListener("pointerover", over);
  document.addEventListener("pointerout", away);
  document.addEventListener("focusin", over);
  document.addEventListener("focusout", away);
  document.addEventListener("click", event => {
    if (event.target.closest("a")) return;
    const element = target(event);
    if (!element) return;
    if (element.dataset.packet !== undefined) choosePacket(Number(element.dataset.packet));
    else if (element.dataset.record !== undefined) chooseRecord(Number(element.dataset.record));
  });

  // -- the timeline --
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

  // -- the table of records: sorted by its columns, filtered by words --
  const body = document.querySelector("#records tbody");
  const rows = [...body.rows];
  const isNumber = [...document.querySelectorAll("#records thead th")].map((head, at) => at === 0 || head.classList.contains("number"));
  const keys = rows.map(row => [...row.cells].map(cell => cell.textContent));
  const compare = (at, sign) => (one, other) => {
    const [a, b] = [keys[one][at], keys[other][at]];
    // what is not there comes last
    if ((a === "-") !== (b === "-")) return a === "-" ? 1 : -1;
    const order = isNumber[at] ? parseFloat(a) - parseFloat(b) : a.localeCompare(b, "en", { numeric: true });
    return sign * (order || 0) || one - other;
  };
  for (const [at, head] of [...document.querySelectorAll("#records thead th")].entries()) {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = head.textContent;
    head.replaceChildren(button);
    button.addEventListener("click", () => {
      const sign = head.getAttribute("aria-sort") === "ascending" ? -1 : 1;
      for (const other of document.querySelectorAll("#records th[aria-sort]")) other.removeAttribute("aria-sort");
      head.setAttribute("aria-sort", sign > 0 ? "ascending" : "descending");
      body.append(...rows.map((_, index) => index).sort(compare(at, sign)).map(index => rows[index]));
    });
  }
  const filter = () => {
    const words = find("filter").value.toLowerCase().split(/\s+/).filter(Boolean);
    const action = find("action").value;
    let count = 0;
    rows.forEach((row, at) => {
      const whole = keys[at].join(" ").toLowerCase();
      const matches = words.every(word => {
        const [name, value] = word.split("=", 2);
        const column = columns.indexOf(name);
        return value !== undefined && column >= 0 ? keys[at][column + FIRST].toLowerCase() === value : whole.includes(word);
      });
      row.hidden = !matches || (action !== "" && records[at].a !== action);
      count += row.hidden ? 0 : 1;
    });
    find("found").textContent = `${number(count)} of ${counted(rows.length, "record")}`;
  };
  find("filter").addEventListener("input", filter);
  find("action").addEventListener("change", filter);
  filter();

  // a link into a closed part opens it
  const open = () => {
    const part = location.hash.length > 1 ? find(decodeURIComponent(location.hash.slice(1))) : null;
    if (part instanceof HTMLDetailsElement) part.open = true;
  };
  window.addEventListener("hashchange", open);
  open();
  window.addEventListener("beforeprint", () => {
    for (const part of document.querySelectorAll("details")) part.open = true;
  });

  for (const controls of document.querySelectorAll(".controls")) controls.hidden = false;
  redraw();
  const first = packets.findIndex(packet => packet.r.length > 0);
  if (packets.length > 0) choosePacket(Math.max(0, first));
})();

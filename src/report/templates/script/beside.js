// A packet beside its record.

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

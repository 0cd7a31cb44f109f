// Lighting up what belongs together, and saying what it is.

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

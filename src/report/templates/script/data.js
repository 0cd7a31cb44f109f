"use strict";
// The data of the page, and how numbers, times and elements are made of it. All files of this folder are one script, in the
// order in which `page.rs` names them; they write text and attributes, never markup.

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

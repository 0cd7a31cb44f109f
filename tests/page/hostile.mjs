// A pcapng capture with markup in every string that one can carry.

/** What is planted. */
export const MARK = `</script></title><b>"'><img src=x onerror=globalThis.planted=1>`;

const bytes = text => Buffer.from(text, "utf8");

function option(code, value) {
  const head = Buffer.alloc(4);
  head.writeUInt16LE(code, 0);
  head.writeUInt16LE(value.length, 2);
  return Buffer.concat([head, value, Buffer.alloc((4 - (value.length % 4)) % 4)]);
}

function block(type, body) {
  const length = 12 + body.length;
  const head = Buffer.alloc(8);
  head.writeUInt32LE(type, 0);
  head.writeUInt32LE(length, 4);
  const tail = Buffer.alloc(4);
  tail.writeUInt32LE(length, 0);
  return Buffer.concat([head, body, tail]);
}

const end = option(0, Buffer.alloc(0));
const marks = codes => Buffer.concat([...codes.map(code => option(code, bytes(MARK))), end]);

/** One UDP packet from 10.0.1.10 to 10.0.1.20, its payload markup too. */
function frame() {
  const payload = bytes(MARK);
  const udp = Buffer.alloc(8);
  udp.writeUInt16BE(1000, 0);
  udp.writeUInt16BE(53, 2);
  udp.writeUInt16BE(8 + payload.length, 4);
  const ip = Buffer.from([0x45, 0, 0, 0, 0, 1, 0, 0, 64, 17, 0, 0, 10, 0, 1, 10, 10, 0, 1, 20]);
  ip.writeUInt16BE(28 + payload.length, 2);
  const ethernet = Buffer.from([2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 8, 0]);
  return Buffer.concat([ethernet, ip, udp, payload]);
}

export function hostileCapture() {
  const section = Buffer.alloc(16);
  section.writeUInt32LE(0x1a2b3c4d, 0);
  section.writeUInt16LE(1, 4);
  section.writeBigInt64LE(-1n, 8);
  const description = Buffer.alloc(8);
  description.writeUInt16LE(1, 0);
  const filter = option(11, Buffer.concat([Buffer.from([0]), bytes(MARK)]));
  const data = frame();
  const packet = Buffer.alloc(20);
  const time = 1_700_000_000_000_000n;
  packet.writeUInt32LE(Number(time >> 32n), 4);
  packet.writeUInt32LE(Number(time & 0xffff_ffffn), 8);
  packet.writeUInt32LE(data.length, 12);
  packet.writeUInt32LE(data.length, 16);
  return Buffer.concat([
    // comment, hardware, system, application
    block(0x0a0d0d0a, Buffer.concat([section, marks([1, 2, 3, 4])])),
    // comment, name, description, system, hardware
    block(1, Buffer.concat([description, filter, marks([1, 2, 3, 12, 15])])),
    block(6, Buffer.concat([packet, data, Buffer.alloc((4 - (data.length % 4)) % 4), marks([1])])),
  ]);
}

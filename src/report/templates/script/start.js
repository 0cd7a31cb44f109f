// What is there when the page opens.

// a link into a closed part opens it
const open = () => {
  const part = location.hash.length > 1 ? find(decodeURIComponent(location.hash.slice(1))) : null;
  if (part instanceof HTMLDetailsElement) part.open = true;
};
window.addEventListener("hashchange", open);
open();
window.addEventListener("beforeprint", () => {
  for (const part of document.querySelectorAll("details:not(.answer)")) part.open = true;
});

for (const controls of document.querySelectorAll(".controls")) controls.hidden = false;
redraw();
const first = packets.findIndex(packet => packet.r.length > 0);
if (packets.length > 0) choosePacket(Math.max(0, first));

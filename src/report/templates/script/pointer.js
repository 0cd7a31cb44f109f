// What has a packet, a record or a difference on it lights up under the pointer and under the focus; a click chooses it.

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

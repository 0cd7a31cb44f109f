// Questions: a choice is judged at once; what counts is the first.

const fieldsets = [...document.querySelectorAll("#quiz fieldset")];
let tried = 0, right = 0;
for (const fieldset of fieldsets) {
  const verdict = fieldset.querySelector(".verdict");
  let isFirst = true;
  fieldset.addEventListener("change", event => {
    const isRight = event.target.value === fieldset.dataset.right;
    verdict.textContent = isRight ? "Right" : "Not that one";
    verdict.className = `verdict ${isRight ? "right" : "wrong"}`;
    if (isRight) fieldset.querySelector(".answer").open = true;
    if (isFirst) {
      isFirst = false;
      tried += 1;
      right += isRight ? 1 : 0;
      find("score").textContent = `${right} of ${counted(tried, "question")} right at the first try`;
    }
  });
}

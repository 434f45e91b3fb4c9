// What is dropped anywhere on the page, or pasted, goes where chosen files go; what is too much is
// refused before it is uploaded, by the words of the server, which looks as well.
() => {
  const box = () => document.querySelector("#em-drop input[type=file]");
  const isBox = (event) => event.target.closest?.("#em-drop");

  const refusal = (files) => {
    const { most, bytes, many, large } = document.getElementById("em-limits").dataset;
    if (files.length > Number(most)) return many.replace("{count}", () => files.length);
    const big = files.find((file) => file.size > Number(bytes));
    const size = big && (big.size / 1e6).toFixed(1);
    return big && large.replace("{name}", () => big.name).replace("{size}", size);
  };
  const say = (text) => {
    const line = document.querySelector("#em-status .em-status");
    line.className = "em-status em-mistake";
    line.setAttribute("role", "alert");
    line.textContent = text;
  };
  const refuse = (event, files) => {
    const reason = refusal(files);
    if (!reason) return false;
    event.preventDefault();
    event.stopImmediatePropagation();
    say(reason);
    return true;
  };
  const give = (files) => {
    const transfer = new DataTransfer();
    for (const file of files) transfer.items.add(file);
    box().files = transfer.files;
    box().dispatchEvent(new Event("change", { bubbles: true }));
  };

  document.addEventListener("change", (event) => {
    if (event.target !== box()) return;
    if (refuse(event, [...event.target.files])) event.target.value = "";
  }, true);
  document.addEventListener("paste", (event) => {
    const files = [...(event.clipboardData?.files ?? [])];
    if (!files.length || !box()) return;
    event.preventDefault();
    give(files);
  });
  document.addEventListener("dragover", (event) => {
    if (!isBox(event)) event.preventDefault();
  });
  document.addEventListener("drop", (event) => {
    const files = [...(event.dataTransfer?.files ?? [])];
    if (refuse(event, files) || isBox(event)) return;
    event.preventDefault();
    if (files.length && box()) give(files);
  }, true);
  document.body.dataset.emReady = "";
}

// The theme searches in a worker, which browsers refuse to a page that is read from disk. There a
// hidden frame does that work instead. ("iframe-worker" in this file's name tells the plugin
// "offline" that nothing needs to be fetched for it.)
if (location.protocol === "file:") {
  window.Worker = class extends EventTarget {
    constructor(url) {
      super();
      const frame = document.createElement("iframe");
      frame.hidden = true;
      frame.answer = (data) => this.dispatchEvent(new MessageEvent("message", { data }));
      const script = `<script src="${encodeURI(decodeURI(url))}"><\/script>`;
      frame.srcdoc = `<script>postMessage = (data) => frameElement.answer(data)<\/script>${script}`;
      this.scope = new Promise((ready) => {
        frame.onload = () => ready(frame.contentWindow);
      });
      document.body.append(frame);
    }

    async postMessage(data) {
      const scope = await this.scope;
      scope.dispatchEvent(new scope.MessageEvent("message", { data }));
    }
  };
}

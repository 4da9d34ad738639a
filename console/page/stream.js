// The live stream: one EventSource, opened again when it is silent, closed while nobody looks.

const SILENCE = 5000; // milliseconds
const AGAIN = 1500;

export class Stream {
  // `onFrame` gets each frame, `onState` one of waiting, live, away, asleep.
  constructor(onFrame, onState) {
    this.onFrame = onFrame;
    this.onState = onState;
    this.query = "";
    this.source = null;
    this.timer = 0;
    document.addEventListener("visibilitychange", () => (document.hidden ? this.sleep() : this.open()));
    setInterval(() => this.check(), 1000);
  }

  // Also with another filter: the stream begins anew.
  open(query = this.query) {
    this.query = query;
    this.close();
    if (document.hidden) return;
    this.heard = performance.now();
    this.source = new EventSource(`/api/v1/stream${query}`);
    this.fresh = true;
    this.source.onmessage = (message) => {
      this.heard = performance.now();
      this.onState("live");
      this.onFrame(JSON.parse(message.data), this.fresh);
      this.fresh = false;
    };
    this.source.onerror = () => this.retry();
  }

  retry() {
    this.close();
    this.onState("away");
    this.timer = setTimeout(() => this.open(), AGAIN);
  }

  check() {
    if (this.source && performance.now() - this.heard > SILENCE) this.retry();
  }

  sleep() {
    this.close();
    this.onState("asleep");
  }

  close() {
    clearTimeout(this.timer);
    this.source?.close();
    this.source = null;
  }
}

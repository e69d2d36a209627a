// Asks the server for runs, again and again while the page is in sight: TensorBoard's own reload
// does not reach a tab that lives in a frame.

const WHILE_LIVE = 2_000;
const AT_REST = 10_000;

async function ask(names, extra = {}) {
  const query = new URLSearchParams(extra);
  names.forEach((name) => query.append("name", name));
  // Relative to the frame's base address: right under any --path_prefix and experiment.
  const response = await fetch(`data?${query}`);
  if (!response.ok) throw new Error(`TensorBoard answered ${response.status}`);
  return response.json();
}

/** Every point of the named curves, for an export. */
export function everything(names) {
  return ask(names, { full: "1" });
}

/** Keeps asking for the curves that are on show. */
export class Feed {
  /**
   * @param {() => string[]} names the curves wanted now
   * @param {(data: object) => void} arrived called when something changed
   * @param {(message: string | null) => void} failed called with a message, and null once mended
   */
  constructor(names, arrived, failed) {
    this.names = names;
    this.arrived = arrived;
    this.failed = failed;
    this.version = "";
    this.timer = null;
    this.live = false;
    this.busy = false;
    document.addEventListener("visibilitychange", () => document.hidden || this.now());
  }

  /** Asks at once. */
  async now() {
    clearTimeout(this.timer);
    if (this.busy) {
      this.again = true;
      return;
    }
    this.busy = true;
    this.again = false;
    try {
      const answer = await ask(this.names(), { version: this.version });
      this.failed(null);
      if (!answer.unchanged) {
        this.version = answer.version;
        this.live = answer.runs.some((run) => run.live);
        this.arrived(answer);
      }
    } catch (error) {
      this.failed(`No answer (${error.message}); trying again.`);
    }
    this.busy = false;
    if (this.again) this.now();
    else if (!document.hidden) this.timer = setTimeout(() => this.now(), this.live ? WHILE_LIVE : AT_REST);
  }
}

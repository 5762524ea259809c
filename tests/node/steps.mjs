// What a charger tells the test: one JSON line per step on stdout; the first failure ends it with its reason.

const DEADLINE_MS = 240_000;

export function step(name, fields = {}) {
  process.stdout.write(JSON.stringify({ step: name, ...fields }) + "\n");
}

export function fail(reason) {
  process.stdout.write(JSON.stringify({ step: "failed", reason: String(reason) }) + "\n", () => process.exit(1));
}

export function expect(holds, reason) {
  if (!holds) throw new Error(reason);
}

// URL of the CSMS without the identity, the identity, and how many remote charges to wait for.
export function settings() {
  const [url, identity, rounds = "2"] = process.argv.slice(2);
  if (!url || !identity) {
    fail("usage: node CLIENT URL IDENTITY [ROUNDS]");
  }
  setTimeout(() => fail(`not done after ${DEADLINE_MS / 1000} s`), DEADLINE_MS).unref();
  process.on("uncaughtException", (error) => fail(error.stack));
  process.on("unhandledRejection", (error) => fail(error?.stack ?? error));
  return { url, identity, rounds: Number(rounds) };
}

// A promise of the next call of an action, which the handler keeps; made anew by each `next`.
export class Awaited {
  constructor() {
    this.next();
  }

  next() {
    this.promise = new Promise((resolve) => {
      this.resolve = resolve;
    });
  }
}

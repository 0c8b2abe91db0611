import type { Clock } from "../../runtime/clock.ts";
import type { VirtualTime } from "./time.ts";

/**
 * One process of the simulation: production code that runs only when its own clock or an answer from the network enters it.
 * Stopped, all of that waits and happens late, at once; killed, it never runs again, while what it had sent may still arrive.
 */
export class SimProcess {
  readonly name: string;
  readonly clock: Clock;
  readonly #time: VirtualTime;
  #state: "running" | "stopped" | "dead" = "running";
  #waiting: (() => void)[] = [];
  #wallOffsetMs: number;

  constructor(input: {
    readonly name: string;
    readonly time: VirtualTime;
    /** What its wall clock shows at virtual time 0, in milliseconds since 1970. */
    readonly wallStartMs: number;
    /** How fast its clocks run: 1.0001 gains 0.1 ms a second. */
    readonly rate: number;
  }) {
    this.name = input.name;
    this.#time = input.time;
    this.#wallOffsetMs = input.wallStartMs;
    this.clock = this.#clock(input.rate);
  }

  get state(): "running" | "stopped" | "dead" {
    return this.#state;
  }

  /** Everything that wakes the process comes through here. */
  enter(callback: () => void): void {
    if (this.#state === "running") callback();
    else if (this.#state === "stopped") this.#waiting.push(callback);
  }

  /** As SIGSTOP does. */
  stop(): void {
    if (this.#state === "running") this.#state = "stopped";
  }

  /** As SIGCONT does: what came meanwhile happens now, one thing after the other. */
  thaw(): void {
    if (this.#state !== "stopped") return;
    this.#state = "running";
    for (const callback of this.#waiting.splice(0)) this.#time.after(0, () => this.enter(callback));
  }

  /** As SIGKILL does. */
  kill(): void {
    this.#state = "dead";
    this.#waiting = [];
  }

  /** Sets its wall clock, as an administrator or a time server does. */
  jumpWall(durationMs: number): void {
    this.#wallOffsetMs += durationMs;
  }

  #clock(rate: number): Clock {
    const time = this.#time;
    const startedMs = time.nowMs;
    const monotonicMs = (): number => (time.nowMs - startedMs) * rate;
    const schedule: Clock["schedule"] = (durationMs, callback) => {
      let isCancelled = false;
      // Timers of Node have whole milliseconds, and at least one.
      const cancel = time.after(Math.max(1, Math.trunc(durationMs)) / rate, () =>
        this.enter(() => {
          if (!isCancelled) callback();
        }),
      );
      return () => {
        isCancelled = true;
        cancel();
      };
    };
    return {
      monotonicMs,
      wallMs: () => this.#wallOffsetMs + time.nowMs * rate,
      schedule,
      async sleep(durationMs, signal) {
        signal.throwIfAborted();
        const { promise, resolve, reject } = Promise.withResolvers<void>();
        const cancel = schedule(durationMs, resolve);
        const onAbort = (): void => {
          cancel();
          reject(signal.reason as Error);
        };
        signal.addEventListener("abort", onAbort, { once: true });
        try {
          await promise;
        } finally {
          signal.removeEventListener("abort", onAbort);
        }
      },
    };
  }
}

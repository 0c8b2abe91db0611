import { uniform, type Random } from "../../local/traffic/random.ts";
import type { SimProcess } from "./sim-process.ts";
import type { VirtualTime } from "./time.ts";

/**
 * The way from one process to one server. Each call is a packet there and a packet back, each of which may be slow, late,
 * lost or doubled, as the faults of the moment say. Nothing arrives twice or never unless a fault says so.
 */

/** What a server is: up, or not there for anybody. */
export type Server = { isDown: boolean };

/** How bad a link is at the moment. Shares are between 0 and 1. */
export type LinkFaults = {
  /** `refusing`: the way is cut and both ends are told. `silent`: packets vanish, or arrive when the cut is healed. */
  cut: "open" | "refusing" | "silent";
  lostRequests: number;
  lostAnswers: number;
  doubledRequests: number;
  /** Every packet takes up to this much longer. */
  slowMs: number;
  /** Requests that the server itself refuses, or answers with an error after doing them. */
  refused: number;
};

const HEALTHY: LinkFaults = {
  cut: "open",
  lostRequests: 0,
  lostAnswers: 0,
  doubledRequests: 0,
  slowMs: 0,
  refused: 0,
};

const LATENCY = { min: 0.2, max: 3 };
/** A lost packet is sometimes only late: how late at most, so that it meets a world that has gone on. */
const LATE_MAX_MS = 30_000;
const LATE_SHARE = 0.4;
/** TCP sends a packet again that it lost in a cut, if the cut was not too long. */
const RESENT_AFTER_CUT_MAX_MS = 20_000;

/** A stream of news from the server over this link. */
export type Stream = {
  /** The connection breaks, and the process sees it. */
  break(): void;
  /** Nothing comes any more, and the process does not see it. */
  mute(): void;
  /** Nothing comes any more; whoever reads it finds out by its silence. */
  readonly isMuted: boolean;
  /** The link is open again after `cutMs`. */
  heal(cutMs: number): void;
};

export class Link {
  readonly faults: LinkFaults = { ...HEALTHY };
  readonly streams = new Set<Stream>();
  readonly random: Random;
  readonly process: SimProcess;
  readonly server: Server;
  readonly #time: VirtualTime;
  #cutSinceMs = 0;
  #held: (() => void)[] = [];

  constructor(input: {
    readonly process: SimProcess;
    readonly server: Server;
    readonly time: VirtualTime;
    readonly random: Random;
  }) {
    this.process = input.process;
    this.server = input.server;
    this.random = input.random;
    this.#time = input.time;
  }

  cut(how: "refusing" | "silent"): void {
    this.faults.cut = how;
    this.#cutSinceMs = this.#time.nowMs;
    if (how === "refusing") for (const stream of this.streams) stream.break();
  }

  /** As good as new. What the cut had kept arrives now, if TCP has not given up on it. */
  heal(): void {
    const wasCut = this.faults.cut !== "open";
    Object.assign(this.faults, HEALTHY);
    if (!wasCut) return;
    const cutMs = this.#time.nowMs - this.#cutSinceMs;
    for (const packet of this.#held.splice(0)) {
      if (cutMs <= RESENT_AFTER_CUT_MAX_MS) this.#time.after(this.latencyMs(), packet);
    }
    for (const stream of this.streams) stream.heal(cutMs);
  }

  latencyMs(): number {
    return uniform(this.random, LATENCY) + this.faults.slowMs * this.random();
  }

  /** Whether a connection attempt would be refused at once. */
  get isRefusing(): boolean {
    return this.server.isDown || this.faults.cut === "refusing";
  }

  /** Sends a request; `serve` runs at the server, in no process. Rejects with a network error, or never settles. */
  roundTrip<Result>(serve: () => Promise<Result>): Promise<Result> {
    const answer = Promise.withResolvers<Result>();
    const broken = (error: Error): void => {
      this.#time.after(this.latencyMs(), () => this.process.enter(() => answer.reject(error)));
    };
    const arrive = (): void => {
      if (this.server.isDown) broken(networkError("ECONNRESET"));
      else {
        void serve().then(
          (value) => this.#back(() => answer.resolve(value), broken),
          (error: unknown) => this.#back(() => answer.reject(error), broken),
        );
      }
    };
    if (this.isRefusing) broken(networkError("ECONNREFUSED"));
    else {
      this.#there(arrive, broken);
      if (this.random() < this.faults.doubledRequests) {
        this.#time.after(this.latencyMs() + LATE_MAX_MS * this.random() ** 3, arrive);
      }
    }
    return answer.promise;
  }

  #there(arrive: () => void, broken: (error: Error) => void): void {
    if (this.faults.cut === "silent") this.#held.push(arrive);
    else if (this.random() >= this.faults.lostRequests) this.#time.after(this.latencyMs(), arrive);
    else {
      if (this.random() < LATE_SHARE) this.#time.after(LATE_MAX_MS * this.random(), arrive);
      if (this.random() < 0.5) broken(networkError("ECONNRESET"));
    }
  }

  #back(deliver: () => void, broken: (error: Error) => void): void {
    const enter = (): void => this.process.enter(deliver);
    if (this.server.isDown) broken(networkError("ECONNRESET"));
    else if (this.faults.cut === "silent") this.#held.push(enter);
    else if (this.faults.cut === "open" && this.random() >= this.faults.lostAnswers) {
      this.#time.after(this.latencyMs(), enter);
    } else if (this.random() < 0.5) broken(networkError("ECONNRESET"));
  }
}

export function networkError(code: string): Error {
  return Object.assign(new Error(code), { code, fatal: true });
}

import { connect, createServer, type AddressInfo, type Socket } from "node:net";

/** What a network between a process and a server can do. */
export type LinkFault =
  /** Connections are reset, new ones as well. */
  | { readonly kind: "cut" }
  /** Half open: whatever either side sends vanishes, and nobody is told. */
  | { readonly kind: "swallow" }
  /** Everything arrives, each piece so much later, in order. */
  | { readonly kind: "delay"; readonly ms: number }
  /**
   * Requests are held and arrive at the heal, even when their sender has gone; connections made meanwhile never open.
   * `from`: all passes until a request contains this text, which is the first to be held.
   */
  | { readonly kind: "late"; readonly from?: string }
  /** Requests arrive, answers vanish. */
  | { readonly kind: "lose-answers" };

/** A TCP proxy on loopback, of one process to one server. One fault at a time. */
export type FaultyLink = {
  readonly port: number;
  /** Takes the place of the fault before it, which is healed first. */
  fail(fault: LinkFault): void;
  /** Whether a request is on its way that will arrive late. */
  readonly isHolding: boolean;
  /**
   * Everything passes again. A connection that lost bytes is reset, since its stream has a hole; what was held is
   * delivered.
   */
  heal(): void;
  close(): Promise<void>;
};

/** How long a server may take over a request whose sender has gone, before its connection ends as well. */
const LATE_ANSWER_LIMIT_MS = 3_000;

export async function createFaultyLink(targetPort: number): Promise<FaultyLink> {
  const pairs = new Set<Pair>();
  let fault: LinkFault | undefined;
  const server = createServer((near) => {
    const far = connect({ port: targetPort, host: "127.0.0.1", noDelay: true });
    const pair = new Pair(near, far, {
      onEnd: () => pairs.delete(pair),
      onTrigger: () => {
        fault = { kind: "late" };
        for (const each of pairs) each.fault = fault;
      },
    });
    pairs.add(pair);
    pair.fault = fault;
    if (fault?.kind === "cut") pair.reset();
    // No late KILL may overtake a late statement.
    if (fault?.kind === "late" && fault.from === undefined) pair.isLost = true;
  });
  const listening = Promise.withResolvers<void>();
  server.once("error", listening.reject);
  server.listen(0, "127.0.0.1", listening.resolve);
  await listening.promise;

  const heal = (): void => {
    fault = undefined;
    for (const pair of pairs) pair.heal();
  };
  return {
    port: (server.address() as AddressInfo).port,
    get isHolding() {
      return [...pairs].some(({ isHolding }) => isHolding);
    },
    fail(next) {
      if (fault !== undefined) heal();
      fault = next;
      for (const pair of pairs) {
        pair.fault = next;
        if (next.kind === "cut") pair.reset();
      }
    },
    heal,
    async close() {
      const closed = Promise.withResolvers<void>();
      server.close(() => {
        closed.resolve();
      });
      for (const pair of pairs) pair.reset();
      await closed.promise;
    },
  };
}

type PairListener = { onEnd(): void; onTrigger(): void };

/** One connection: the process is near, the server far. */
class Pair {
  fault: LinkFault | undefined;
  /** Bytes of it were lost: it can never go on. */
  isLost = false;
  readonly #near: Socket;
  readonly #far: Socket;
  #held: Buffer[] = [];
  /** On their way, in the order in which they arrive. */
  #delayed: { readonly to: Socket; readonly bytes: Buffer }[] = [];
  #isNearGone = false;
  readonly #listener: PairListener;

  constructor(near: Socket, far: Socket, listener: PairListener) {
    this.#near = near;
    this.#far = far;
    this.#listener = listener;
    near.setNoDelay(true);
    near.on("data", (bytes: Buffer) => {
      this.#pass("request", bytes);
    });
    far.on("data", (bytes: Buffer) => {
      this.#pass("answer", bytes);
    });
    for (const socket of [near, far]) socket.on("error", () => undefined);
    near.on("close", () => {
      this.#isNearGone = true;
      // A network that lost the client does not tell the server, while something is still on its way to it.
      if (this.#held.length === 0) this.reset();
    });
    far.on("close", () => {
      this.reset();
    });
  }

  get isHolding(): boolean {
    return this.#held.length > 0;
  }

  reset(): void {
    this.#near.resetAndDestroy();
    this.#far.destroy();
    this.#listener.onEnd();
  }

  heal(): void {
    this.fault = undefined;
    this.#deliverDelayed(Infinity);
    if (this.isLost) {
      this.reset();
      return;
    }
    const held = this.#held;
    this.#held = [];
    for (const bytes of held) this.#far.write(bytes);
    if (!this.#isNearGone) return;
    const end = setTimeout(() => {
      this.reset();
    }, LATE_ANSWER_LIMIT_MS);
    this.#far.once("data", () => {
      clearTimeout(end);
      this.reset();
    });
    this.#far.once("close", () => {
      clearTimeout(end);
    });
  }

  /** A timer takes whatever is first, so that nothing overtakes, whatever was delayed by how much. */
  #deliverDelayed(count: number): void {
    for (const { to, bytes } of this.#delayed.splice(0, count)) write(to, bytes);
  }

  #pass(what: "request" | "answer", bytes: Buffer): void {
    const to = what === "request" ? this.#far : this.#near;
    if (this.isLost) return;
    const { fault: before } = this;
    if (
      before?.kind === "late" &&
      before.from !== undefined &&
      what === "request" &&
      bytes.includes(before.from)
    )
      this.#listener.onTrigger();
    const { fault } = this;
    if (fault?.kind === "swallow" || (fault?.kind === "lose-answers" && what === "answer")) {
      this.isLost = true;
    } else if (fault?.kind === "late" && fault.from === undefined && what === "request") {
      this.#held.push(bytes);
    } else if (fault?.kind === "delay") {
      this.#delayed.push({ to, bytes });
      setTimeout(() => {
        this.#deliverDelayed(1);
      }, fault.ms);
    } else {
      write(to, bytes);
    }
  }
}

function write(to: Socket, bytes: Buffer): void {
  if (!to.destroyed) to.write(bytes);
}

import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { join } from "node:path";
import { ensureGoPrograms, type GoModule } from "../../../local/control-plane/go-programs.ts";

/** One process of the program of ./program: a candidate in an election per city. */

const MODULE: GoModule<"elections"> = {
  directory: join(import.meta.dirname, "program"),
  cacheName: "bench-elections",
  packages: { elections: "./elections" },
  flags: [],
  sources: ["elections/main.go"],
  duration: "about two minutes",
};

export type Timing = { readonly lease: string; readonly renew: string; readonly retry: string };

/** What the program prints; `leader` is who the Lease named after a write. */
export type CandidateEvent = {
  readonly atMs: number;
  readonly kind: "leading" | "stopped" | "wrote";
  readonly city: string;
  readonly leader?: string;
  readonly error?: string;
};

export async function ensureElections(progress: (line: string) => void): Promise<string> {
  return (await ensureGoPrograms(MODULE, ["elections"], progress)).elections;
}

export class Candidate {
  readonly identity: string;
  readonly events: CandidateEvent[] = [];
  readonly #child: ChildProcess;

  constructor(input: {
    readonly program: string;
    readonly identity: string;
    readonly kubeconfigPath: string;
    readonly cities: number;
    readonly timing: Timing;
    /** How often a leader writes, such as "1s"; "0s": never. */
    readonly tick: string;
  }) {
    this.identity = input.identity;
    const { lease, renew, retry } = input.timing;
    this.#child = spawn(
      input.program,
      [
        `-kubeconfig=${input.kubeconfigPath}`,
        `-identity=${input.identity}`,
        `-cities=${input.cities}`,
        `-lease=${lease}`,
        `-renew=${renew}`,
        `-retry=${retry}`,
        `-tick=${input.tick}`,
      ],
      { stdio: ["ignore", "pipe", "ignore"] },
    );
    createInterface({ input: this.#child.stdout! }).on("line", (line) => {
      this.events.push(JSON.parse(line) as CandidateEvent);
    });
  }

  /** When it last began to lead each city, of those that it leads. */
  leads(): ReadonlyMap<string, number> {
    const since = new Map<string, number>();
    for (const { kind, city, atMs } of this.events) {
      if (kind === "leading") since.set(city, atMs);
      else if (kind === "stopped") since.delete(city);
    }
    return since;
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  async end(signal: "SIGTERM" | "SIGKILL"): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const exited = once(this.#child, "exit");
    this.#child.kill(signal);
    await exited;
  }
}

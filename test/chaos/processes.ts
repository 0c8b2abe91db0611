import { readFile } from "node:fs/promises";
import type { Child } from "../../local/process/child.ts";
import type { Stack } from "../../local/stack/stack.ts";
import { createLinks, type Links } from "../support/links.ts";

export type Role = "operator" | "worker";

/**
 * One place in the fleet: a network of its own, and the process that sits there now. Processes come and go, each with the
 * Pod's name that it would have in a cluster.
 */
export class Place {
  readonly name: string;
  readonly links: Links;
  readonly #stack: Stack;
  readonly #role: Role;
  #child: Child;
  #pods = 1;
  /** Whoever ends now was told to. */
  #isExpected = false;

  private constructor(stack: Stack, role: Role, name: string, links: Links) {
    this.#stack = stack;
    this.#role = role;
    this.name = name;
    this.links = links;
    this.#child = this.#start();
  }

  static async open(stack: Stack, role: Role, name: string): Promise<Place> {
    return new Place(stack, role, name, await createLinks(stack, role));
  }

  async kill(): Promise<void> {
    this.#isExpected = true;
    await this.#child.stop({ signal: "SIGKILL" });
  }

  freeze(): void {
    this.#child.signal("SIGSTOP");
  }

  thaw(): void {
    this.#child.signal("SIGCONT");
  }

  /** After `kill`. */
  comeBack(as: "same-pod" | "new-pod"): void {
    if (as === "new-pod") this.#pods += 1;
    this.#isExpected = false;
    this.#child = this.#start();
  }

  /** From now on nobody is started again. */
  close(): void {
    this.#isExpected = true;
  }

  /** Its successor starts while it hands over. */
  drain(): void {
    const former = this.#child;
    former.signal("SIGTERM");
    this.comeBack("new-pod");
  }

  /** Sentences about processes that ended without being told to, which were started again as a kubelet would. */
  readonly crashes: string[] = [];

  #start(): Child {
    const pod = `${this.name}-${this.#pods}`;
    const child =
      this.#role === "operator"
        ? this.#stack.startOperator(pod, this.links.env)
        : this.#stack.startWorker(pod, this.links.env);
    void child.exited.then(async ({ code, signal }) => {
      if (this.#child !== child || this.#isExpected) return;
      const words = await readFile(child.logFile, "utf8").catch(() => "");
      const last = words.trim().split("\n").at(-1);
      if (this.#child !== child || this.#isExpected) return;
      this.crashes.push(`${pod} ended by itself with ${signal ?? code}: ${last}`);
      this.comeBack("same-pod");
    });
    return child;
  }
}

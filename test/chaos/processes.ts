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
  /** Asked to go, and on their way. */
  readonly #leaving = new Set<Child>();

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
    this.#child = this.#start();
  }

  /** Its successor starts while it hands over. */
  drain(): void {
    const former = this.#child;
    former.signal("SIGTERM");
    this.#leaving.add(former);
    void former.exited.then(() => this.#leaving.delete(former));
    this.comeBack("new-pod");
  }

  /** Resolves when everybody who was asked to go has gone; their own limit ends them. */
  async drained(): Promise<void> {
    await Promise.all([...this.#leaving].map((child) => child.exited));
  }

  /** Whether the process that should run does: one that ended by itself has failed. */
  get isRunning(): boolean {
    return !this.#child.hasExited();
  }

  #start(): Child {
    const pod = `${this.name}-${this.#pods}`;
    return this.#role === "operator"
      ? this.#stack.startOperator(pod, this.links.env)
      : this.#stack.startWorker(pod, this.links.env);
  }
}

import type { City } from "../../crds/city.ts";
import type { Clock } from "../../runtime/clock.ts";
import { circumstancesOf, describeCity } from "./conditions.ts";
import type { Decision } from "./place.ts";
import type { StatusWriter } from "./status-writer.ts";
import type { CityView, FleetView } from "./view.ts";

/**
 * Hands the statuses that may be different now to the writer. What a status followed from is kept, and what follows from the
 * same is not described again: of a fleet at rest only the Cities that ticked are.
 */
export class Statuses {
  readonly #clock: Clock;
  readonly #writer: Pick<StatusWriter, "want">;
  readonly #described = new Map<string, { readonly view: CityView; readonly circumstances: string }>();

  constructor(input: { readonly clock: Clock; readonly writer: Pick<StatusWriter, "want"> }) {
    this.#clock = input.clock;
    this.#writer = input.writer;
  }

  describe(city: CityView, decision: Decision, view: FleetView): void {
    const circumstances = circumstancesOf(city, decision, view);
    if (circumstances === undefined) return;
    const before = this.#described.get(city.name);
    if (before?.view === city && before.circumstances === circumstances) return;
    this.#described.set(city.name, { view: city, circumstances });
    // Whole seconds, as Kubernetes writes the times of conditions.
    const nowMs = Math.floor(this.#clock.wallMs() / 1_000) * 1_000;
    const nowIso = new Date(nowMs).toISOString().replace(".000Z", "Z");
    this.#writer.want(city.city, describeCity(city, decision, view, nowIso));
  }

  /** The City is gone, or its status is not there although it was handed over. */
  forget({ metadata: { name } }: City): void {
    this.#described.delete(name);
  }

  /** Others may have written statuses, or undone ours. */
  forgetAll(): void {
    this.#described.clear();
  }
}

/** What the address says is to be seen. Pure. */

export type Route =
  | { readonly kind: "fleet" }
  | { readonly kind: "city"; readonly city: string; readonly order: string | undefined };

/** From `#/city/madrid/order/o-1` and the like; anything else is the fleet. */
export function parseRoute(hash: string): Route {
  const [, city, order] = /^#\/city\/([a-z0-9.-]+)(?:\/order\/(.+))?$/.exec(hash) ?? [];
  if (city === undefined) return { kind: "fleet" };
  return { kind: "city", city, order: order === undefined ? undefined : decoded(order) };
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    // A percent sign that a person typed.
    return text;
  }
}

import { byId, setText } from "./elements.ts";

/** An order's story, which is asked for once and told from top to bottom. */

export function hideStory(): void {
  byId("story-section", HTMLElement).hidden = true;
}

/** Aborts with the signal: another order was asked for. */
export async function showStory(city: string, order: string, signal: AbortSignal): Promise<void> {
  const title = byId("story-title", HTMLHeadingElement);
  const state = byId("story-state", HTMLParagraphElement);
  byId("story-section", HTMLElement).hidden = false;
  setText(title, `The story of order ${order}`);
  setText(state, "being told");
  byId("story", HTMLOListElement).replaceChildren();
  title.focus();
  try {
    const query = new URLSearchParams({ city, order });
    const response = await fetch(`/story?${query.toString()}`, { signal });
    if (!response.ok) {
      setText(state, `It cannot be told now: ${(await response.text()).trim()}.`);
      return;
    }
    const { lines } = (await response.json()) as { readonly lines: readonly string[] };
    setText(state, lines.length === 0 ? "Nothing is known of it." : "Times in UTC.");
    byId("story", HTMLOListElement).replaceChildren(
      ...lines.map((line) => {
        const item = document.createElement("li");
        item.textContent = line;
        return item;
      }),
    );
  } catch (error) {
    if (!signal.aborted) setText(state, `It cannot be told now: ${String(error)}.`);
  }
}

/** What is to happen, earliest first: a binary heap whose order never depends on the order of insertion. */

export type EventQueue<Event> = {
  push(event: Event): void;
  /** Takes the earliest event when `isDue` says so; undefined when there is none. */
  takeIf(isDue: (event: Event) => boolean): Event | undefined;
  size(): number;
};

/** `compare` must be a total order: two different events never compare as 0. */
export function createEventQueue<Event>(compare: (left: Event, right: Event) => number): EventQueue<Event> {
  const heap: Event[] = [];

  const siftUp = (event: Event): void => {
    let index = heap.length;
    heap.push(event);
    while (index > 0) {
      const parentIndex = (index - 1) >> 1;
      const parent = heap[parentIndex];
      if (parent === undefined || compare(parent, event) <= 0) break;
      heap[index] = parent;
      index = parentIndex;
    }
    heap[index] = event;
  };

  const siftDown = (event: Event): void => {
    let index = 0;
    for (;;) {
      let childIndex = 2 * index + 1;
      let child = heap[childIndex];
      const right = heap[childIndex + 1];
      if (child === undefined) break;
      if (right !== undefined && compare(right, child) < 0) {
        child = right;
        childIndex += 1;
      }
      if (compare(event, child) <= 0) break;
      heap[index] = child;
      index = childIndex;
    }
    heap[index] = event;
  };

  return {
    push: siftUp,
    takeIf(isDue) {
      const first = heap[0];
      if (first === undefined || !isDue(first)) return undefined;
      const last = heap.pop();
      if (last !== undefined && heap.length > 0) siftDown(last);
      return first;
    },
    size: () => heap.length,
  };
}

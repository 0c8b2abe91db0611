import { beforeEach, describe, expect, test } from "@jest/globals";
import { Audience, type Viewer } from "../../../operator/console/audience.ts";
import { applyChanges, NOTHING, type Picture } from "../../../operator/console/page/changes.ts";
import type { StreamMessage } from "../../../operator/console/page/picture.ts";

type TestViewer = Viewer & { isBusy: boolean; isEnded: boolean; readonly messages: StreamMessage[] };

function createViewer(): TestViewer {
  const messages: StreamMessage[] = [];
  return {
    isBusy: false,
    isEnded: false,
    messages,
    send(text) {
      messages.push(JSON.parse(text.replace(/^data: /, "")) as StreamMessage);
    },
    end() {
      this.isEnded = true;
    },
  };
}

const pictureOf = (committedAtMs: number): Picture => ({
  head: { replica: "operator-1" },
  items: { cities: new Map([["madrid", { worker: "worker-1", committedAtMs }]]) },
});

/** What the page has after these messages. */
function seenBy({ messages }: TestViewer): Picture {
  return messages.reduce<Picture>(
    (picture, { kind, changes }) => applyChanges(kind === "whole" ? NOTHING : picture, changes),
    NOTHING,
  );
}

describe("those who look at a picture", () => {
  let nowMs: number;
  let audience: Audience;
  let viewer: TestViewer;

  beforeEach(() => {
    nowMs = 0;
    audience = new Audience({ monotonicMs: () => nowMs });
    viewer = createViewer();
    audience.join(viewer);
  });

  test("get the whole picture first, and then what changed", () => {
    audience.show(pictureOf(1), 1);
    audience.show(pictureOf(2), 2);
    expect(viewer.messages.map(({ kind }) => kind)).toEqual(["whole", "changes"]);
    expect(viewer.messages[1]?.changes.items).toEqual({ cities: [["madrid", { committedAtMs: 2 }]] });
    expect(seenBy(viewer)).toEqual(pictureOf(2));
  });

  test("who come later get the whole picture, while the others get what changed", () => {
    audience.show(pictureOf(1), 1);
    const late = createViewer();
    audience.join(late);
    audience.show(pictureOf(2), 2);
    expect(late.messages.map(({ kind }) => kind)).toEqual(["whole"]);
    expect(viewer.messages.map(({ kind }) => kind)).toEqual(["whole", "changes"]);
    expect(seenBy(late)).toEqual(seenBy(viewer));
  });

  test("who have not taken the last message get no other, and then the picture as it is by then", () => {
    audience.show(pictureOf(1), 1);
    viewer.isBusy = true;
    for (let time = 2; time < 10; time++) audience.show(pictureOf(time), time);
    expect(viewer.messages).toHaveLength(1);
    viewer.isBusy = false;
    audience.show(pictureOf(10), 10);
    expect(viewer.messages.map(({ kind }) => kind)).toEqual(["whole", "whole"]);
    expect(seenBy(viewer)).toEqual(pictureOf(10));
  });

  test("who take nothing for half a minute are let go", () => {
    audience.show(pictureOf(1), 1);
    viewer.isBusy = true;
    audience.show(pictureOf(2), 2);
    nowMs = 29_999;
    audience.show(pictureOf(3), 3);
    expect(viewer.isEnded).toBe(false);
    nowMs = 30_000;
    audience.show(pictureOf(4), 4);
    expect(viewer.isEnded).toBe(true);
    expect(audience.size).toBe(0);
  });

  test("who are slow now and then are not let go for it", () => {
    audience.show(pictureOf(1), 1);
    for (let time = 2; time < 100; time++) {
      nowMs = time * 1_000;
      viewer.isBusy = time % 2 === 0;
      audience.show(pictureOf(time), time);
    }
    expect(viewer.isEnded).toBe(false);
  });
});

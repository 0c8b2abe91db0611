import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { buildImage } from "../../../local/cluster/image/build.ts";
import { CHART } from "../../support/helm.ts";
import { imageOf, type Image, type World } from "./world.ts";

/** The release before this one, as test/e2e/fixtures/README.md says: its chart, and an image that the world's nodes have. */
export type PreviousRelease = {
  /** A folder with the chart. */
  readonly chart: string;
  readonly image: Image;
  remove(): Promise<void>;
};

const ARCHIVE = join(import.meta.dirname, "..", "fixtures", "previous-release.tar.gz");
const IMAGE: Image = { repository: "localhost/city-operator", tag: "e2e-previous" };

/** Builds the image from the release's sources; in somebody else's cluster, IMAGE_PREVIOUS names one that was pushed. */
export async function preparePreviousRelease(world: World): Promise<PreviousRelease> {
  const context = await mkdtemp(join(tmpdir(), "city-operator-previous-"));
  await promisify(execFile)("tar", ["-xzf", ARCHIVE, "-C", context]);
  return {
    chart: join(context, CHART),
    image: world.own === undefined ? pushedImage() : await builtImage(world.own, context),
    async remove() {
      await rm(context, { recursive: true, force: true });
    },
  };
}

function pushedImage(): Image {
  const reference = process.env["IMAGE_PREVIOUS"] ?? "";
  if (reference !== "") return imageOf(reference);
  throw new Error(
    "with IMAGE, set IMAGE_PREVIOUS to the image of the previous release, built from test/e2e/fixtures/previous-release.tar.gz",
  );
}

async function builtImage({ node }: NonNullable<World["own"]>, context: string): Promise<Image> {
  const file = join(context, "image.tar");
  const progress = (line: string): void => {
    process.stderr.write(`${line}\n`);
  };
  const names = [`${IMAGE.repository}:${IMAGE.tag}`];
  await buildImage({ context, file, names, progress }, new AbortController().signal);
  await node.loadImages(file);
  return IMAGE;
}

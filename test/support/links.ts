import type { Stack } from "../../local/stack/stack.ts";
import { createFaultyLink, type FaultyLink } from "./faulty-link.ts";
import { kubeconfigThrough } from "./kube.ts";

/** One process's own network to the two servers. */
export type Links = {
  readonly api: FaultyLink;
  readonly mysql: FaultyLink;
  /** For the process that is to talk through them. */
  readonly env: Readonly<Record<string, string>>;
  heal(): void;
  close(): Promise<void>;
};

export async function createLinks(stack: Stack, account: "operator" | "worker"): Promise<Links> {
  const { url, users } = stack.api;
  const database = new URL(stack.urls[account]);
  const api = await createFaultyLink(Number(new URL(url).port));
  const mysql = await createFaultyLink(Number(database.port));
  database.port = String(mysql.port);
  const kubeconfig = await kubeconfigThrough({ ...users[account]!, url, port: api.port });
  return {
    api,
    mysql,
    env: { KUBECONFIG: kubeconfig, DATABASE_URL: database.href },
    heal() {
      api.heal();
      mysql.heal();
    },
    async close() {
      await Promise.all([api.close(), mysql.close()]);
    },
  };
}

import { execFile } from "node:child_process";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { API_SERVICE_ADDRESS, NODE_ADDRESS, NODE_NAME } from "./addresses.ts";

/**
 * What must be proven by certificate in a cluster: that the API server and the kubelet are who they are, and to the kubelet
 * that it is the API server who asks. Everybody else shows a token.
 */
export type Certificates = {
  readonly caFile: string;
  readonly caKeyFile: string;
  readonly apiServer: KeyPair;
  readonly kubelet: KeyPair;
  readonly kubeletClient: KeyPair;
};

export type KeyPair = { readonly certFile: string; readonly keyFile: string };

const DAYS = "365";
const KEY = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-noenc"];

/** Makes them in `directory`, with OpenSSL 3. */
export async function makeCertificates(directory: string): Promise<Certificates> {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const ca = pairAt(directory, "ca");
  await request(ca, "/CN=local-cluster", [
    "basicConstraints=critical,CA:TRUE",
    "keyUsage=critical,keyCertSign,cRLSign,digitalSignature",
  ]);
  const issue = async (name: string, subject: string, usage: string, names: readonly string[] = []) => {
    const pair = pairAt(directory, name);
    const extensions = [
      "basicConstraints=critical,CA:FALSE",
      "keyUsage=critical,digitalSignature",
      `extendedKeyUsage=${usage}`,
      ...(names.length === 0 ? [] : [`subjectAltName=${names.join(",")}`]),
    ];
    await request(pair, subject, extensions, ca);
    return pair;
  };
  const service = ["kubernetes", "kubernetes.default", "kubernetes.default.svc"];
  const apiServerNames = [
    ...["localhost", ...service, "kubernetes.default.svc.cluster.local"].map((name) => `DNS:${name}`),
    ...["127.0.0.1", API_SERVICE_ADDRESS, NODE_ADDRESS].map((address) => `IP:${address}`),
  ];
  const [apiServer, kubelet, kubeletClient] = await Promise.all([
    issue("apiserver", "/CN=kube-apiserver", "serverAuth", apiServerNames),
    issue("kubelet", `/O=system:nodes/CN=system:node:${NODE_NAME}`, "serverAuth", [
      `DNS:${NODE_NAME}`,
      `IP:${NODE_ADDRESS}`,
    ]),
    issue("apiserver-kubelet", "/O=system:masters/CN=apiserver-kubelet", "clientAuth"),
  ]);
  return { caFile: ca.certFile, caKeyFile: ca.keyFile, apiServer, kubelet, kubeletClient };
}

/** Without an issuer, it signs itself. */
async function request(
  { certFile, keyFile }: KeyPair,
  subject: string,
  extensions: readonly string[],
  issuer?: KeyPair,
): Promise<void> {
  const signing = issuer === undefined ? [] : ["-CA", issuer.certFile, "-CAkey", issuer.keyFile];
  const added = extensions.flatMap((extension) => ["-addext", extension]);
  const what = ["-days", DAYS, "-subj", subject, ...KEY, ...signing, ...added];
  const where = ["-keyout", keyFile, "-out", certFile];
  await promisify(execFile)("openssl", ["req", "-x509", "-config", "/dev/null", ...what, ...where]);
}

function pairAt(directory: string, name: string): KeyPair {
  return { certFile: join(directory, `${name}.crt`), keyFile: join(directory, `${name}.key`) };
}

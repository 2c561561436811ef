/** TLS of the local AWS: its self-signed certificate, and who trusts it. */
import { execFile } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { rename } from "node:fs/promises";
import { dirname, join } from "node:path";
import * as tls from "node:tls";
import { promisify } from "node:util";
import { privateFolder, projectRoot } from "../supervisor/paths";

const run = promisify(execFile);

export interface Certificate {
  /** The certificate, which clients trust. */
  cert: string;
  key: string;
}

export function certificateFiles(folder: string): Certificate {
  return { cert: join(folder, "tls", "server.crt"), key: join(folder, "tls", "server.key") };
}

/** The certificate, and the additional authorities of the person who started the sandbox. */
function authorities(folder: string): string {
  return join(folder, "tls", "authorities.pem");
}

/** One certificate for all sandboxes of a checkout: a process goes on trusting what its first connection knew. */
const SHARED = join(projectRoot, ".tools", "tls");

/** Makes the certificate when there is none. It is of use on this machine's loopback alone. */
export async function ensureCertificate(folder: string, python: string): Promise<Certificate> {
  const shared = { cert: join(SHARED, "server.crt"), key: join(SHARED, "server.key") };
  if (!existsSync(shared.cert)) {
    // Made aside and moved: whoever makes one at the same time does not see half of it, and the first one stays.
    mkdirSync(dirname(SHARED), { recursive: true });
    const next = mkdtempSync(`${SHARED}-`);
    await run(python, [join(__dirname, "certificate.py"), join(next, "server.crt"), join(next, "server.key")]);
    await rename(next, SHARED).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== "ENOTEMPTY" && error.code !== "EEXIST") throw error;
    });
    rmSync(next, { recursive: true, force: true });
  }
  const files = certificateFiles(folder);
  privateFolder(join(folder, "tls"));
  // The certificate is written last: with it, both are whole.
  if (!existsSync(files.cert)) {
    copyFileSync(shared.key, files.key);
    const own = process.env.NODE_EXTRA_CA_CERTS;
    const others = own && existsSync(own) ? readFileSync(own, "utf8") : "";
    writeFileSync(authorities(folder), `${readFileSync(shared.cert, "utf8")}${others}`);
    copyFileSync(shared.cert, files.cert);
  }
  return files;
}

/** Makes this process trust it. What is started by this process has to be told: see `trustVariables`. */
export function trustCertificate(cert: string): void {
  const known = tls.getCACertificates("default");
  const text = readFileSync(cert, "utf8");
  if (!known.includes(text)) tls.setDefaultCACertificates([...known, text]);
}

/**
 * Variables that make programs trust it: Node's, which adds to the authorities that Node brings, and botocore's, which
 * replaces them.
 */
export function trustVariables(folder: string): Record<string, string> {
  return { NODE_EXTRA_CA_CERTS: authorities(folder), AWS_CA_BUNDLE: certificateFiles(folder).cert };
}

import { execFile } from "node:child_process";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { ensureVenv } from "./python-venv";

/** What the clinic's application uses (django-cloudinary-storage 0.3.0), on a supported Django and the newest SDK. */
const PACKAGES = [
  "django-cloudinary-storage==0.3.0",
  "cloudinary==1.46.3",
  "Django==5.2.19",
  "requests==2.34.2",
  "urllib3==2.8.0",
  "six==1.17.0",
];

const SCRIPT = resolve(__dirname, "cloudinary-django.py");

/**
 * Runs one part of `cloudinary-django.py` against an emulator and answers what it printed.
 *
 * @throws unless the address is loopback: with any other the SDK would turn to the real Cloudinary, key included
 */
export async function runDjango(
  base: string,
  account: { cloudName: string; apiKey: string; apiSecret: string },
  job: { part: string } & Record<string, unknown>,
): Promise<any> {
  const { host, hostname } = new URL(base);
  if (hostname !== "127.0.0.1") throw new Error(`the SDK is run against emulators only, not against ${base}`);
  const python = join(await ensureVenv("cloudinary", PACKAGES), "python");
  // `cname` is where plain delivery URLs point to: without it they would name res.cloudinary.com.
  const query = `upload_prefix=${base}&cname=${host}`;
  const env = {
    PATH: process.env.PATH,
    CLOUDINARY_URL: `cloudinary://${account.apiKey}:${account.apiSecret}@${account.cloudName}?${query}`,
    PYTHONDONTWRITEBYTECODE: "1",
  };
  const running = promisify(execFile)(python, [SCRIPT], { env, timeout: 60_000, maxBuffer: 16 * 1024 * 1024 });
  running.child.stdin?.end(JSON.stringify(job));
  return JSON.parse((await running).stdout);
}

import type { Command } from "commander";
import { InputError } from "../../backup/errors";
import { addRelease, fetchRelease, type Release } from "../../backup/release";
import { waitForRelease } from "../../backup/release-wait";
import { realPace } from "../../clients/retry";
import { connectHeroku, connectSides, readSettings } from "../context";
import { action, type Outcome } from "../output";

export function register(program: Command): void {
  const release = program.command("release").description("source tarballs of the application, kept in the vault");
  release
    .command("add")
    .description("put a tarball into the vault, under its SHA-256")
    .argument("<version>", "what people call it, such as v1.4.2")
    .argument("<file>", "gzipped tarball")
    .action(
      action(async (io, version: string, file: string) => {
        const settings = readSettings();
        const { vaults } = await connectSides(settings, "self");
        return told(await addRelease(vaults[0], settings.system, version, file, io.signal));
      }),
    );
  release
    .command("fetch")
    .description("bring the tarball of a version from GitHub into the vault")
    .argument("<version>", "tag of the version")
    .option("--url <url>", "where from, with {version} in the version's place; else USC_PIS_RELEASE_URL")
    .action(
      action(async (io, version: string, options: { url?: string }) => {
        const url = options.url ?? process.env.USC_PIS_RELEASE_URL;
        if (!url || !URL.canParse(url.replaceAll("{version}", "v"))) {
          throw new InputError(`no URL to fetch releases from: got "${url ?? ""}"`, {
            hint: "--url 'https://github.com/OWNER/REPOSITORY/archive/refs/tags/{version}.tar.gz'",
          });
        }
        const settings = readSettings();
        const { vaults } = await connectSides(settings, "self");
        const options_ = { system: settings.system, version, url, directory: ".releases", signal: io.signal };
        return told(await fetchRelease(vaults[0], options_));
      }),
    );
  release
    .command("wait")
    .description("wait until the release that a build made is live; fails when its release command fails")
    .requiredOption("--app <name>", "the app")
    .requiredOption("--build <uuid>", "the build")
    .action(
      action(async (io, { app, build }: { app: string; build: string }) => {
        const live = await waitForRelease(connectHeroku(), app, build, realPace, io.signal);
        return { data: live, text: JSON.stringify(live) };
      }),
    );
}

function told(release: Release): Outcome {
  // One line of JSON in either case: scripts pin what it says.
  return { data: release, text: JSON.stringify(release) };
}

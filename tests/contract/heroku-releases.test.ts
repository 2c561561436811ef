import { expect } from "chai";
import { Client } from "pg";
import { type Json, startTestHeroku, type TestClient, type TestHeroku, until } from "../support/heroku";
import { procfile, WEB } from "../support/heroku-slug";

/** A release command that tells its database and its moment, and fails without one or when told to. */
const RELEASE = `echo "at $MOMENT on $DATABASE_URL"; test -n "$DATABASE_URL" && test -z "$BROKEN"`;

describe("heroku emulator: when releases are made, and what they run with", function () {
  this.timeout(60_000);
  let heroku: TestHeroku;
  let client: TestClient;
  let web: string;
  before(async () => {
    heroku = await startTestHeroku();
    client = heroku.client;
    web = (await client.createApp("usc-pis")).web_url;
    await client.addAddon("usc-pis", "heroku-postgresql:essential-0");
    await client.deploy("usc-pis", procfile({ web: WEB, release: RELEASE }));
    await client.settledRelease("usc-pis");
  });
  after(() => heroku.stop());

  const releases = (): Promise<Json[]> => client.ok("GET", "/apps/usc-pis/releases");
  const vars = (): Promise<Json> => client.ok("GET", "/apps/usc-pis/config-vars");
  const settled = () =>
    until(releases, (list) => list.every((one) => one.status !== "pending")).then((list) => list.at(-1));
  /** Description of the releases that some work made, each with whether its release command ran. */
  async function madeBy(work: () => Promise<unknown>): Promise<string[]> {
    const before = (await settled()).version;
    await work();
    await settled();
    return (await releases())
      .filter((one) => one.version > before)
      .map(
        (one) =>
          `${one.output_stream_url === null ? "quiet" : "ran"}: ${one.description.replace(/postgresql-\S+\)/, "DB)")}`,
      );
  }
  const database = async (name: string): Promise<Json> =>
    (await client.ok("GET", "/apps/usc-pis/addon-attachments")).find((one: Json) => one.name === name).addon;
  const promote = (addon: string) =>
    client.ok("POST", "/addon-attachments", { addon, app: "usc-pis", name: "DATABASE", confirm: "usc-pis" });

  it("runs the release command when code, a person's config vars or databases change, not when an add-on acts", async () => {
    const source = procfile({ web: WEB, release: RELEASE });
    expect(await madeBy(() => client.deploy("usc-pis", source, undefined, "v2"))).to.deep.equal(["ran: Deploy v2"]);
    expect(await madeBy(() => client.ok("PATCH", "/apps/usc-pis/config-vars", { A: "1" }))).to.deep.equal([
      "ran: Set A config vars",
    ]);
    const version = (await settled()).version;
    expect(await madeBy(() => client.ok("POST", "/apps/usc-pis/releases", { release: String(version) }))).to.deep.equal(
      [`ran: Rollback to v${version}`],
    );
    let second: Json;
    expect(
      await madeBy(async () => {
        second = await client.addAddon("usc-pis", "heroku-postgresql:essential-0");
      }),
    ).to.deep.equal([`ran: Attach ${second.config_vars[0].replace("_URL", "")} (@ref:DB)`]);
    const body = { addon: second.name, app: "usc-pis", name: "SPARE" };
    let attachment: Json;
    expect(
      await madeBy(async () => {
        attachment = await client.ok("POST", "/addon-attachments", body);
      }),
    ).to.deep.equal(["ran: Attach SPARE (@ref:DB)"]);
    expect(await madeBy(() => client.ok("DELETE", `/addon-attachments/${attachment.id}`))).to.deep.equal([
      "ran: Detach SPARE (@ref:DB)",
    ]);
    const rotate = () => client.ok("POST", `/postgres/v0/databases/${second.name}/credentials_rotation`);
    expect((await madeBy(rotate)).join()).to.match(/^quiet: Update HEROKU_POSTGRESQL_\w+ by heroku-postgresql$/);
    expect((await madeBy(() => client.ok("DELETE", `/apps/usc-pis/addons/${second.id}`))).join()).to.match(
      /^quiet: Detach HEROKU_POSTGRESQL_\w+ \(@ref:DB\)$/,
    );
    expect(await madeBy(() => client.ok("PATCH", "/apps/usc-pis", { maintenance: false }))).to.deep.equal([]);
  });

  it("promotes in two releases: without a database first, then with the new one", async () => {
    const old = await database("DATABASE");
    const next = await client.addAddon("usc-pis", "heroku-postgresql:essential-0");
    await client.ok("POST", "/addon-attachments", { addon: old.name, app: "usc-pis", name: "OLD" });
    const made = await madeBy(() => promote(next.name));
    expect(made).to.deep.equal(["ran: Detach DATABASE (@ref:DB)", "ran: Attach DATABASE (@ref:DB)"]);
    const [detach, attach] = (await releases()).slice(-2);
    expect([detach.status, attach.status, attach.current]).to.deep.equal(["failed", "succeeded", true]);
    const { DATABASE_URL } = await vars();
    expect((await client.send("GET", detach.output_stream_url)).body).to.equal("at  on \n");
    expect((await client.send("GET", attach.output_stream_url)).body).to.equal(`at  on ${DATABASE_URL}\n`);
    expect((await client.send("GET", web)).body).to.equal(DATABASE_URL);
  });

  it("leaves the app on its old database when the promotion's release command fails", async () => {
    const before = (await vars()).DATABASE_URL;
    const old = await database("OLD");
    await client.ok("PATCH", "/apps/usc-pis/config-vars", { BROKEN: "yes" });
    expect((await settled()).status).to.equal("failed");
    await promote(old.name);
    const failed = await settled();
    expect(failed).to.include({ status: "failed", current: false });
    expect((await vars()).DATABASE_URL).to.not.equal(before);
    // Also after a restart, and in one-off dynos.
    await client.ok("DELETE", "/apps/usc-pis/dynos");
    expect((await client.send("GET", web)).body).to.equal(before);
    const dyno = await client.ok("POST", "/apps/usc-pis/dynos", { command: 'echo "one-off on $DATABASE_URL"' });
    const { logplex_url } = await client.ok("POST", "/apps/usc-pis/log-sessions", { lines: 200 });
    await until(
      async () => (await client.send("GET", logplex_url)).body as string,
      (text) => text.includes(`app[${dyno.name}]: one-off on ${before}`),
    );
    const current = (await releases()).find((one) => one.current);
    const path = `/apps/usc-pis/releases/${current.version}/config-vars`;
    expect((await client.ok("GET", path)).DATABASE_URL).to.equal(before);
    await client.ok("PATCH", "/apps/usc-pis/config-vars", { BROKEN: null });
    await settled();
    expect((await client.send("GET", web)).body).to.equal((await vars()).DATABASE_URL);
  });

  it("rolls back what people set, not what add-ons bring", async () => {
    const good = await settled();
    await client.ok("PATCH", "/apps/usc-pis/config-vars", { A: "2", C: "3" });
    await promote(
      (
        await database(
          Object.keys(await vars())
            .find((one) => /^HEROKU_/.test(one))
            ?.replace("_URL", "") ?? "",
        )
      ).name,
    );
    await settled();
    const { DATABASE_URL } = await vars();
    await client.ok("POST", "/apps/usc-pis/releases", { release: good.id });
    expect(await settled()).to.include({ status: "succeeded", description: `Rollback to v${good.version}` });
    expect(await vars())
      .to.include({ A: "1", DATABASE_URL })
      .and.to.not.have.property("C");
    const failed = (await releases()).find((one) => one.status === "failed");
    const refused = await client.send("POST", "/apps/usc-pis/releases", { release: failed.id });
    expect([refused.status, refused.body.message]).to.deep.equal([
      422,
      `Cannot rollback to v${failed.version}: its status is failed`,
    ]);
  });

  it("gives a rotated login a new password, and the old one no entrance", async () => {
    const before = (await vars()).DATABASE_URL;
    await client.ok(
      "POST",
      `/postgres/v0/databases/${(await database("DATABASE")).name}/credentials/default/credentials_rotation`,
    );
    const after = (await vars()).DATABASE_URL;
    const enter = async (url: string) => {
      const db = new Client({ connectionString: url });
      return db.connect().then(
        () => db.end().then(() => "in"),
        (error: Error) => error.message,
      );
    };
    expect(await enter(after)).to.equal("in");
    expect(await enter(before)).to.contain("password authentication failed");
    const unknown = `/postgres/v0/databases/${(await database("DATABASE")).name}/credentials/other/credentials_rotation`;
    expect((await client.send("POST", unknown)).status).to.equal(404);
  });
});

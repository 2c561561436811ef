import { expect } from "chai";
import { InputError } from "../../../backup/errors";
import { parseFactor, parsePorts, parsePostgres, parseService, parseStack } from "../../../sandbox/options";
import { parseEvents, slowest } from "../../../sandbox/rehearsal/events";

describe("the options of the sandbox's commands", () => {
  it("are read", () => {
    expect(parsePorts(["heroku=5000", "aws=4566"])).to.deep.equal({ heroku: 5000, aws: 4566 });
    expect(parsePorts()).to.deep.equal({});
    expect(parseFactor("12")).to.equal(12);
    expect(["vault", "prod", "sandbox-recovery"].map(parseStack)).to.deep.equal(["vault", "primary", "recovery"]);
    expect(parsePostgres("registry")).to.equal("registry");
  });

  for (const [what, read] of [
    ["a port without a number", () => parsePorts(["heroku"])],
    ["a port of an unknown service", () => parsePorts(["mail=25"])],
    ["a port out of range", () => parsePorts(["aws=70000"])],
    ["port 0", () => parsePorts(["aws=0"])],
    ["a factor of nothing", () => parseFactor("0")],
    ["a broken factor", () => parseFactor("1.5")],
    ["an unknown stack", () => parseStack("staging")],
    ["an unknown service", () => parseService("mail")],
    ["an unknown source", () => parsePostgres("docker")],
  ] as const) {
    it(`refuse ${what}`, () => expect(read).to.throw(InputError));
  }
});

describe("the engine's event log", () => {
  const event = (kind: string, name: string, op: string, timestamp: number, type = "aws:s3/bucket:Bucket") =>
    JSON.stringify({ timestamp, [kind]: { metadata: { urn: `urn:pulumi:s::p::${type}::${name}`, op, type } } });

  it("tells what took how long, without what did not change and without components", () => {
    const log = [
      event("resourcePreEvent", "slow", "create", 10),
      event("resourcePreEvent", "quick", "create", 10),
      event("resourcePreEvent", "vault", "create", 10, "usc-pis:backup:BackupVault"),
      event("resOutputsEvent", "quick", "create", 10),
      event("resOutputsEvent", "slow", "create", 17),
      event("resOutputsEvent", "vault", "create", 17, "usc-pis:backup:BackupVault"),
      event("resOutputsEvent", "old", "same", 17),
      "not json",
    ].join("\n");
    const operations = parseEvents(log);
    expect(operations.map(({ name, seconds }) => [name, seconds])).to.deep.equal([
      ["quick", 0],
      ["slow", 7],
      ["vault", 7],
    ]);
    expect(slowest(operations).map(({ name }) => name)).to.deep.equal(["slow"]);
  });
});

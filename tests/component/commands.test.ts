import * as pulumi from "@pulumi/pulumi";
import { expect } from "chai";
import { AppChecks } from "../../components/AppChecks";
import { CurrentApp } from "../../components/CurrentApp";
import { DatabaseRestore, parseRestoreResult } from "../../components/DatabaseRestore";
import { PostgresBackups } from "../../components/PostgresBackups";
import { ReleaseReady } from "../../components/ReleaseReady";
import { record, resolved, sentAsSecret } from "./recorder";

const COMMAND = "command:local:Command";
const environment = { USC_PIS_SYSTEM: "usc-pis", HEROKU_API_KEY: pulumi.secret("token") };
const target = { appName: "usc-pis-r", databaseId: "0f1e2d3c-0000-4000-8000-000000000000" };

describe("DatabaseRestore", () => {
  const make = (more = {}) => record(() => new DatabaseRestore("restore", { ...target, environment, ...more }));

  it("restores at creation, and only reads the result on any later change", async () => {
    const { recording } = await make();
    const [command] = recording.of(COMMAND);
    expect(recording.of(COMMAND)).to.have.length(1);
    expect(command?.parent).to.equal(recording.one("restore").urn);
    expect(command?.inputs.create).to.equal(
      "node cli/bin.js restore database --app usc-pis-r --database 0f1e2d3c-0000-4000-8000-000000000000",
    );
    expect(command?.inputs.update).to.equal(
      "node cli/bin.js restore status --app usc-pis-r --database 0f1e2d3c-0000-4000-8000-000000000000",
    );
    expect(command?.inputs).not.to.have.any.keys("triggers", "delete", "dir");
  });

  it("hands on which backup is wanted", async () => {
    const { recording } = await make({ backup: "b1", before: "2026-05-23T14:00:00Z", overwrite: "postgresql-flat-1" });
    expect(recording.of(COMMAND)[0]?.inputs.create).to.match(
      / --backup b1 --before 2026-05-23T14:00:00Z --overwrite postgresql-flat-1$/,
    );
  });

  it("keeps the token secret, and its result readable", async () => {
    const { recording, value } = await make();
    const [command] = recording.of(COMMAND);
    expect(sentAsSecret(command?.sent.environment.HEROKU_API_KEY)).to.equal(true);
    expect(command?.inputs.environment.HEROKU_API_KEY).to.equal("token");
    expect(await pulumi.isSecret(value.result)).to.equal(false);
    expect((await resolved(value.result)).tables).to.deep.equal({ patients_patient: 5 });
  });

  it("takes nothing but a result for a result", () => {
    expect(parseRestoreResult('progress\n{"backupId":"b","sha256":"0","tables":{}}\n').backupId).to.equal("b");
    for (const text of ["", "done", "{}", '{"backupId":"b"}\nno json']) {
      expect(() => parseRestoreResult(text), text).to.throw("expected its result");
    }
  });
});

describe("PostgresBackups", () => {
  it("schedules, and unschedules when it is removed", async () => {
    const { recording } = await record(() => new PostgresBackups("daily", { ...target, environment }));
    const [command] = recording.of(COMMAND);
    expect(command?.inputs.create).to.equal('node cli/bin.js backup schedule --app usc-pis-r --at "02:00 UTC"');
    expect(command?.inputs.delete).to.equal("node cli/bin.js backup unschedule --app usc-pis-r");
    expect(command?.parent).to.equal(recording.one("daily").urn);
    expect(sentAsSecret(command?.sent.environment.HEROKU_API_KEY)).to.equal(true);
    // Another database has no schedule; the old one's end must come before, not after, the new one's beginning.
    expect(command?.inputs.triggers).to.deep.equal([target.databaseId]);
    expect(command?.deleteBeforeReplace).to.equal(true);
  });
});

describe("CurrentApp", () => {
  it("takes another app's place only when told so", async () => {
    const create = async (takeOver?: boolean) => {
      const { recording } = await record(() => new CurrentApp("claim", { appName: "a-b", takeOver, environment }));
      return recording.of(COMMAND)[0]?.inputs.create;
    };
    expect(await create()).to.equal("node cli/bin.js vault claim --app a-b");
    expect(await create(true)).to.equal("node cli/bin.js vault claim --app a-b --take-over");
  });
});

describe("AppChecks", () => {
  it("asks the app itself", async () => {
    const { recording } = await record(() => new AppChecks("checks", { url: "https://a-1.herokuapp.com/" }));
    expect(recording.of(COMMAND)[0]?.inputs.create).to.equal(
      "node cli/bin.js checks app --url https://a-1.herokuapp.com/",
    );
  });
});

describe("ReleaseReady", () => {
  it("waits for the release of this very build, and anew for another one", async () => {
    const build = "5b1c2d3e-0000-4000-8000-000000000000";
    const { recording } = await record(() => new ReleaseReady("release", { appName: "a-b", build, environment }));
    const [command] = recording.of(COMMAND);
    expect(command?.inputs.create).to.equal(`node cli/bin.js release wait --app a-b --build ${build}`);
    expect(command?.inputs.update).to.equal(command?.inputs.create);
    expect(command?.parent).to.equal(recording.one("release").urn);
    expect(sentAsSecret(command?.sent.environment.HEROKU_API_KEY)).to.equal(true);
  });
});

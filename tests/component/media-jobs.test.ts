import * as pulumi from "@pulumi/pulumi";
import { expect } from "chai";
import { MediaJobs, type MediaJobsArgs } from "../../components/MediaJobs";
import { parseMediaEvent, readMediaEnvironment } from "../../functions/environment";
import { type Recording, record, sentAsSecret } from "./recorder";

const args: MediaJobsArgs = {
  system: "usc-pis",
  account: "111122223333",
  appName: "usc-pis",
  home: { region: "ap-southeast-1", keyArn: "arn:aws:kms:ap-southeast-1:111122223333:key/home" },
  other: { region: "ap-northeast-1", keyArn: "arn:aws:kms:ap-northeast-1:111122223333:key/other" },
  cloudName: "clinic",
  apiKey: "12345",
  apiSecret: pulumi.secret("topsecret"),
};

const make = (more: Partial<MediaJobsArgs> = {}) => record(() => new MediaJobs("media", { ...args, ...more }));

describe("MediaJobs", function () {
  this.timeout(60_000);
  let recording: Recording;

  before(async () => {
    ({ recording } = await make());
  });

  it("consists of exactly these resources, each below it", () => {
    expect(recording.counts()).to.deep.equal({
      "usc-pis:media:MediaJobs": 1,
      "usc-pis:backup:FunctionJob": 1,
      "usc-pis:backup:JobSchedule": 1,
      "aws:lambda/function:Function": 1,
      "aws:lambda/functionEventInvokeConfig:FunctionEventInvokeConfig": 1,
      "aws:iam/role:Role": 2,
      "aws:iam/rolePolicy:RolePolicy": 2,
      "aws:secretsmanager/secret:Secret": 1,
      "aws:secretsmanager/secretVersion:SecretVersion": 1,
      "aws:sqs/queue:Queue": 1,
      "aws:cloudwatch/logGroup:LogGroup": 1,
      "aws:scheduler/scheduleGroup:ScheduleGroup": 1,
      "aws:scheduler/schedule:Schedule": 1,
    });
    expect(recording.roots()).to.deep.equal(["media"]);
  });

  it("shares no name with the captures of the same app", () => {
    const names = recording.resources.map(({ inputs }) => inputs.name).filter(Boolean);
    expect(names).to.have.members([
      "usc-pis-media-sync",
      "usc-pis-media-sync",
      "usc-pis-media-sync",
      "usc-pis-media-sync-dlq",
      "/aws/lambda/usc-pis-media-sync",
      "usc-pis/media-sync",
      "usc-pis-media-sync-scheduler",
      "media-sync",
      "media-sync",
      "start",
    ]);
  });

  it("gives the function an environment that it accepts, without credentials", async () => {
    const { variables } = recording.one("media-sync-function").inputs.environment;
    expect(readMediaEnvironment(variables)).to.deep.equal({
      system: "usc-pis",
      app: "usc-pis",
      primaryRegion: "ap-southeast-1",
      replicaRegion: "ap-northeast-1",
      vaultBucket: "usc-pis-vault-111122223333-ap-southeast-1",
      replicaBucket: "usc-pis-vault-111122223333-ap-northeast-1",
      runTable: "usc-pis-runs",
      secretArn: "arn:mock:media-sync-secret",
      mediaBucket: "usc-pis-media-111122223333-ap-southeast-1",
      cloudName: "clinic",
    });
    expect(JSON.stringify(variables)).not.to.match(/topsecret|12345"/);
    const { recording: other } = await make({
      maxVanishedShare: 0.5,
      endpoints: { cloudinaryUploadPrefix: "http://127.0.0.1:9" },
    });
    const told = readMediaEnvironment(other.one("media-sync-function").inputs.environment.variables);
    expect(told).to.include({ maxVanishedShare: 0.5, cloudinaryApiUrl: "http://127.0.0.1:9" });
  });

  it("keeps the credentials secret, in Secrets Manager only", () => {
    const { inputs, sent } = recording.one("media-sync-secret-value");
    expect(JSON.parse(inputs.secretString)).to.deep.equal({
      cloudinaryApiKey: "12345",
      cloudinaryApiSecret: "topsecret",
    });
    expect(sentAsSecret(sent.secretString)).to.equal(true);
    const others = recording.resources.filter(({ name }) => name !== "media-sync-secret-value");
    expect(JSON.stringify(others.map((resource) => resource.inputs))).not.to.contain("topsecret");
  });

  it("triggers daily and again by the hour, keeps what fails, and repeats nothing by itself", () => {
    const { inputs } = recording.one("media-sync-schedule-schedule");
    expect(inputs).to.include({ scheduleExpression: "cron(52 2,3,4,5,6,7 * * ? *)", state: "ENABLED" });
    expect(parseMediaEvent(JSON.parse(inputs.target.input)).trigger).to.equal("schedule");
    expect(inputs.target.deadLetterConfig.arn).to.equal("arn:mock:media-sync-dlq");
    const invocation = recording.one("media-sync-invocation").inputs;
    expect(invocation.maximumRetryAttempts).to.equal(0);
    expect(invocation.destinationConfig.onFailure.destination).to.equal("arn:mock:media-sync-dlq");
    const trust = recording.one("media-sync-schedule-role").inputs.assumeRolePolicy;
    expect(trust).to.contain("schedule-group/usc-pis-media-sync");
  });

  it("writes to the replica's mirror when the primary region is gone", async () => {
    const { recording: moved } = await make({
      home: { region: "ap-northeast-1", keyArn: "arn:aws:kms:ap-northeast-1:111122223333:key/other" },
      other: { region: "ap-southeast-1" },
    });
    const { variables } = moved.one("media-sync-function").inputs.environment;
    expect(readMediaEnvironment(variables).mediaBucket).to.equal("usc-pis-media-111122223333-ap-northeast-1");
    expect(moved.one("media-sync-role-policy").inputs.policy).not.to.contain("key/home");
  });
});

import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { request } from "node:https";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { expect } from "chai";
import { runTableName, vaultBucketName } from "../../backup/layout";
import { certificateFiles } from "../../sandbox/aws/certificate";
import { PROFILES } from "../../sandbox/aws/identities";
import { pythonPath } from "../../sandbox/aws/server";
import { SCOPE } from "../../sandbox/supervisor/services";
import { startAccount, type TestAccount } from "../support/account";
import { aws, awsText, ensureAwsCli } from "../support/aws-cli";

const [REGION] = SCOPE.regions;
const BUCKET = vaultBucketName(SCOPE.system, SCOPE.account, REGION);
const TABLE = runTableName(SCOPE.system);

/** What a person types in an emergency, with the profiles that the sandbox writes. */
describe("the official AWS CLI against the local AWS", function () {
  this.timeout(180_000);
  let account: TestAccount;
  let folder: string;
  let cert: string;

  before(async () => {
    [account] = await Promise.all([startAccount(), ensureAwsCli()]);
    folder = mkdtempSync(join(tmpdir(), "usc-pis-test-cli-"));
    cert = certificateFiles(dirname(account.profiles.config)).cert;
    const lock = ["--object-lock-enabled-for-bucket", "--create-bucket-configuration", `LocationConstraint=${REGION}`];
    await as(PROFILES.vaultDeployer, "s3api", "create-bucket", "--bucket", BUCKET, ...lock);
  });
  after(async () => {
    await account?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  function environment(profile: string): NodeJS.ProcessEnv {
    return {
      PATH: process.env.PATH,
      HOME: folder,
      AWS_CONFIG_FILE: account.profiles.config,
      AWS_SHARED_CREDENTIALS_FILE: account.profiles.credentials,
      AWS_CA_BUNDLE: cert,
      AWS_EC2_METADATA_DISABLED: "true",
      AWS_PROFILE: profile,
    };
  }

  const as = (profile: string, ...args: string[]) => aws(environment(profile), ...args);
  const textAs = (profile: string, ...args: string[]) => awsText(environment(profile), ...args);

  /** The CLI's own words of a refusal. */
  async function refusal(work: Promise<unknown>): Promise<string> {
    return work.then(
      () => "allowed",
      (error: Error & { stderr?: string }) => error.stderr ?? error.message,
    );
  }

  function get(url: string): Promise<{ status: number; body: string }> {
    return new Promise((resolve, reject) => {
      const asked = request(url, { ca: readFileSync(cert) }, async (response) => {
        let body = "";
        for await (const chunk of response) body += String(chunk);
        resolve({ status: response.statusCode ?? 0, body });
      });
      asked.once("error", reject);
      asked.end();
    });
  }

  it("copies, lists, synchronises and presigns", async () => {
    const local = join(folder, "up");
    mkdirSync(join(local, "below"), { recursive: true });
    // Beyond the CLI's threshold of 8 MiB it uploads in parts.
    const large = Buffer.alloc(9 * 1024 * 1024, "clinic");
    writeFileSync(join(local, "large.bin"), large);
    writeFileSync(join(local, "below", "small.txt"), "small");
    const to = `s3://${BUCKET}/sync`;
    await textAs(PROFILES.root, "s3", "sync", "--only-show-errors", local, to);
    const listing = await textAs(PROFILES.root, "s3", "ls", "--recursive", to);
    expect(listing)
      .to.match(/\s9437184 sync\/large\.bin/)
      .and.to.match(/\s5 sync\/below\/small\.txt/);
    const again = await textAs(PROFILES.root, "s3", "sync", local, to);
    expect(again.trim()).to.equal("");
    const back = join(folder, "back.bin");
    await textAs(PROFILES.root, "s3", "cp", "--only-show-errors", `${to}/large.bin`, back);
    expect(readFileSync(back).equals(large)).to.equal(true);

    // The profiles ask for it: with an endpoint of its own the CLI would presign by version 2, which nobody checks here.
    const env = environment(PROFILES.root);
    const url = (await awsText(env, "s3", "presign", `${to}/below/small.txt`, "--expires-in", "300")).trim();
    expect(url).to.contain("X-Amz-Signature");
    expect(await get(url)).to.deep.equal({ status: 200, body: "small" });
    expect((await get(url.replace("below/small.txt", "large.bin"))).status).to.equal(403);
    expect((await get(url.split("?")[0] ?? "")).status).to.equal(403);
  });

  it("reads versions, retention and legal hold, and ends none of them", async () => {
    const Key = "hourly/usc-pis/x/database.dump";
    const body = join(folder, "dump");
    writeFileSync(body, "PGDMP");
    const until = new Date(Date.now() + 86_400_000).toISOString();
    const lock = ["--object-lock-mode", "GOVERNANCE", "--object-lock-retain-until-date", until];
    const put = await as(
      ...[PROFILES.root, "s3api", "put-object", "--bucket", BUCKET, "--key", Key, "--body", body],
      ...["--checksum-algorithm", "SHA256", "--object-lock-legal-hold-status", "ON", ...lock],
    );
    const digest = createHash("sha256").update("PGDMP").digest("base64");
    const at = ["--bucket", BUCKET, "--key", Key];
    const version = [...at, "--version-id", put.VersionId];
    const administrator = (...args: string[]) => as(PROFILES.administrator, "s3api", ...args);
    const [head, versions, retention, hold] = await Promise.all([
      administrator("head-object", ...version, "--checksum-mode", "ENABLED"),
      administrator("list-object-versions", "--bucket", BUCKET, "--prefix", "hourly/"),
      administrator("get-object-retention", ...version),
      administrator("get-object-legal-hold", ...version),
    ]);
    expect(head).to.include({ ContentLength: 5, ObjectLockMode: "GOVERNANCE", ChecksumSHA256: digest });
    expect(versions.Versions.map((one: any) => [one.Key, one.VersionId])).to.deep.equal([[Key, put.VersionId]]);
    expect(retention.Retention.Mode).to.equal("GOVERNANCE");
    expect(Date.parse(retention.Retention.RetainUntilDate)).to.be.closeTo(Date.parse(until), 1000);
    expect(hold.LegalHold.Status).to.equal("ON");
    for (const profile of [PROFILES.administrator, PROFILES.root]) {
      expect(await refusal(as(profile, "s3api", "delete-object", ...version)), profile).to.match(/AccessDenied/);
    }
    const put2 = as(PROFILES.administrator, "s3api", "put-object", ...at, "--body", body);
    expect(await refusal(put2)).to.match(/AccessDenied/);
  });

  it("asks the table of runs as an administrator", async () => {
    const names = ["--table-name", TABLE];
    await as(
      ...[PROFILES.vaultDeployer, "dynamodb", "create-table", ...names, "--billing-mode", "PAY_PER_REQUEST"],
      ...["--attribute-definitions", "AttributeName=pk,AttributeType=S", "AttributeName=sk,AttributeType=S"],
      ...["--key-schema", "AttributeName=pk,KeyType=HASH", "AttributeName=sk,KeyType=RANGE"],
    );
    const requests = ["1", "2"].map((sk) => ({ PutRequest: { Item: { pk: { S: "run" }, sk: { S: sk } } } }));
    await as(PROFILES.root, "dynamodb", "batch-write-item", "--request-items", JSON.stringify({ [TABLE]: requests }));
    const query = [
      ...["dynamodb", "query", ...names, "--key-condition-expression", "pk = :p"],
      ...["--expression-attribute-values", '{":p":{"S":"run"}}', "--no-scan-index-forward"],
    ];
    const found = await as(PROFILES.administrator, ...query);
    expect(found.Items.map((item: any) => item.sk.S)).to.deep.equal(["2", "1"]);
    const write = as(PROFILES.administrator, "dynamodb", "delete-table", ...names);
    expect(await refusal(write)).to.match(/AccessDenied/);
  });

  it("invokes a job, and sees alarms, subscriptions and secrets, each by its role", async () => {
    const source = join(folder, "index.js");
    writeFileSync(source, "exports.handler = async (event) => ({ class: event.class });");
    const zip = join(folder, "job.zip");
    execFileSync(pythonPath(), ["-I", "-m", "zipfile", "-c", zip, source]);
    const deployer = (...args: string[]) => as(PROFILES.deployer, ...args);
    const [topic] = await Promise.all([
      deployer("sns", "create-topic", "--name", "usc-pis-alerts"),
      deployer("secretsmanager", "create-secret", "--name", "usc-pis/token", "--secret-string", "s3cret"),
      as(
        ...[PROFILES.root, "lambda", "create-function", "--function-name", "usc-pis-job", "--runtime", "nodejs22.x"],
        ...["--handler", "index.handler", "--role", `arn:aws:iam::${SCOPE.account}:role/usc-pis-deployer`],
        ...["--zip-file", `fileb://${zip}`],
      ),
    ]);
    await Promise.all([
      deployer(
        ...["sns", "subscribe", "--topic-arn", topic.TopicArn],
        ...["--protocol", "email", "--notification-endpoint", "nurse@clinic.example"],
      ),
      deployer(
        ...["cloudwatch", "put-metric-alarm", "--alarm-name", "usc-pis-no-backup", "--alarm-actions", topic.TopicArn],
        ...["--metric-name", "BackupSucceeded", "--namespace", "USC-PIS", "--statistic", "Sum", "--period", "3600"],
        ...["--evaluation-periods", "2", "--threshold", "1", "--comparison-operator", "LessThanThreshold"],
      ),
    ]);
    const out = join(folder, "answer.json");
    const payload = ["--payload", '{"class":"critical"}', out];
    const [invoked, alarms, subscriptions, secret, denied] = await Promise.all([
      as(PROFILES.administrator, "lambda", "invoke", "--function-name", "usc-pis-job", ...payload),
      as(PROFILES.administrator, "cloudwatch", "describe-alarms", "--alarm-name-prefix", "usc-pis-"),
      deployer("sns", "list-subscriptions-by-topic", "--topic-arn", topic.TopicArn),
      deployer("secretsmanager", "get-secret-value", "--secret-id", "usc-pis/token"),
      refusal(as(PROFILES.administrator, "secretsmanager", "get-secret-value", "--secret-id", "usc-pis/token")),
    ]);
    expect(invoked.StatusCode).to.equal(200);
    expect(JSON.parse(readFileSync(out, "utf8"))).to.deep.equal({ class: "critical" });
    expect(alarms.MetricAlarms[0].AlarmActions).to.deep.equal([topic.TopicArn]);
    expect(subscriptions.Subscriptions[0]).to.include({ Protocol: "email", Endpoint: "nurse@clinic.example" });
    expect(secret.SecretString).to.equal("s3cret");
    expect(denied).to.match(/AccessDenied/);
  });
});

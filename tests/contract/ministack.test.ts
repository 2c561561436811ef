import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { Agent, get } from "node:https";
import type { Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CreateRoleCommand, IAMClient, PutRolePolicyCommand, UpdateAssumeRolePolicyCommand } from "@aws-sdk/client-iam";
import { CreateKeyCommand, DescribeKeyCommand, KMSClient, ScheduleKeyDeletionCommand } from "@aws-sdk/client-kms";
import { InvokeCommand, LambdaClient } from "@aws-sdk/client-lambda";
import {
  CreateBucketCommand,
  DeleteBucketLifecycleCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  PutBucketLifecycleConfigurationCommand,
  PutBucketPolicyCommand,
  PutBucketVersioningCommand,
  PutObjectCommand,
  S3Client,
} from "@aws-sdk/client-s3";
import { AssumeRoleCommand, GetCallerIdentityCommand, STSClient } from "@aws-sdk/client-sts";
import { expect } from "chai";
import { vaultBucketName } from "../../backup/layout";
import { SCOPE } from "../../sandbox/supervisor/services";
import { type ClientOptions, startAccount, type TestAccount } from "../support/account";
import { listening, loopback } from "../support/listening";
import { clockText } from "../support/local";

const BUCKET = vaultBucketName(SCOPE.system, SCOPE.account, SCOPE.regions[0]);
const role = (name: string) => `arn:aws:iam::${SCOPE.account}:role/${name}`;

const trustOf = (principal: string) =>
  JSON.stringify({
    Version: "2012-10-17",
    Statement: [{ Effect: "Allow", Principal: { AWS: principal }, Action: "sts:AssumeRole" }],
  });

/** `allowed`, `denied`, or whatever else came of it. */
async function outcome(work: Promise<unknown>): Promise<string> {
  try {
    await work;
    return "allowed";
  } catch (error) {
    const { name } = error as Error;
    return /AccessDenied|Forbidden/.test(name) ? "denied" : name;
  }
}

describe("MiniStack's rights", function () {
  this.timeout(60_000);
  let aws: TestAccount;
  let folder: string;
  const who: Record<string, ClientOptions> = {};

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), "usc-pis-clock-"));
    aws = await startAccount({ clock: join(folder, "clock") });
    who.root = aws.root();
    for (const profile of ["vault-deployer", "deployer", "administrator"]) who[profile] = await aws.profile(profile);
  });
  after(async () => {
    await aws?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  const s3 = (name: string) => new S3Client({ ...(who[name] as ClientOptions), forcePathStyle: true });
  const lifecycle = (name: string) =>
    s3(name).send(
      new PutBucketLifecycleConfigurationCommand({
        Bucket: BUCKET,
        LifecycleConfiguration: {
          Rules: [{ ID: "x", Status: "Enabled", Filter: { Prefix: "hourly/" }, Expiration: { Days: 3 } }],
        },
      }),
    );

  it("listens on one loopback port alone, with TLS", async function () {
    if (process.platform !== "linux") this.skip();
    const { port } = new URL(aws.url);
    expect(new URL(aws.url).protocol).to.equal("https:");
    const plain = await fetch(`http://127.0.0.1:${port}/_ministack/ready`).catch(() => "refused");
    expect(plain).to.equal("refused");
    expect(listening(aws.pid)).to.deep.equal([loopback(Number(port))]);
  });

  it("keeps a connection, and takes a new one, when its clock jumps by a quarter", async () => {
    const kept = new Agent({ keepAlive: true, maxSockets: 1 });
    const sockets = new Set<Socket>();
    const date = (agent: Agent | false) =>
      new Promise<number>((resolve, reject) => {
        const asked = get(`${aws.url}/_ministack/ready`, { agent }, (answer) => {
          if (agent !== false) sockets.add(answer.socket);
          answer.resume().once("end", () => resolve(Date.parse(answer.headers.date ?? "")));
        });
        asked.once("error", reject);
      });
    try {
      const before = await date(kept);
      writeFileSync(join(folder, "clock"), clockText(90 * 86_400_000));
      for (const agent of [kept, false] as const)
        expect((await date(agent)) - before).to.be.within(90 * 86_400_000, 90 * 86_400_000 + 60_000);
      expect(sockets.size).to.equal(1);
      // Whoever signs by another clock is refused, as on AWS.
      const asked = new S3Client({ ...who.deployer, maxAttempts: 1, forcePathStyle: true }).send(
        new GetObjectCommand({ Bucket: BUCKET, Key: "x" }),
      );
      expect(await outcome(asked)).to.equal("RequestTimeTooSkewed");
    } finally {
      kept.destroy();
      writeFileSync(join(folder, "clock"), clockText(0));
    }
    expect(Math.abs((await date(false)) - Date.now()), "and back").to.be.below(60_000);
  });

  it("writes profiles with which the SDK takes each role", async () => {
    for (const file of Object.values(aws.profiles)) expect(statSync(file).mode & 0o777).to.equal(0o600);
    const config = readFileSync(aws.profiles.config, "utf8");
    for (const [profile, name] of [
      ["vault-deployer", "usc-pis-vault-deployer"],
      ["deployer", "usc-pis-deployer"],
      ["administrator", "usc-pis-administrator"],
    ] as const) {
      expect(config).to.contain(`[profile ${profile}]`);
      const sts = new STSClient(who[profile] as ClientOptions);
      const { Arn } = await sts.send(new GetCallerIdentityCommand({}));
      expect(Arn).to.match(new RegExp(`:assumed-role/${name}/`));
    }
  });

  it("lets each role do its work and nothing else", async () => {
    const object = (name: string, key: string) =>
      outcome(s3(name).send(new PutObjectCommand({ Bucket: BUCKET, Key: key, Body: "x" })));
    const read = (name: string, key: string) =>
      outcome(s3(name).send(new GetObjectCommand({ Bucket: BUCKET, Key: key })));
    const found = {
      "administrator makes the vault": await outcome(
        s3("administrator").send(new CreateBucketCommand({ Bucket: BUCKET })),
      ),
      "deployer makes the vault": await outcome(s3("deployer").send(new CreateBucketCommand({ Bucket: BUCKET }))),
      "vault-deployer makes the vault": await outcome(
        s3("vault-deployer").send(new CreateBucketCommand({ Bucket: BUCKET })),
      ),
      "vault-deployer makes a bucket elsewhere": await outcome(
        s3("vault-deployer").send(new CreateBucketCommand({ Bucket: "somebody-elses" })),
      ),
      "administrator adds a release": await object("administrator", "release/usc-pis/x.tar.gz"),
      "administrator writes a backup": await object("administrator", "hourly/usc-pis/x/database.dump"),
      "deployer adds a release": await object("deployer", "release/usc-pis/y.tar.gz"),
      "vault-deployer writes a backup": await object("vault-deployer", "hourly/usc-pis/x/database.dump"),
      "deployer reads a release": await read("deployer", "release/usc-pis/x.tar.gz"),
      "vault-deployer reads a release": await read("vault-deployer", "release/usc-pis/x.tar.gz"),
      "vault-deployer sets the lifecycle": await outcome(lifecycle("vault-deployer")),
      "deployer sets the lifecycle": await outcome(lifecycle("deployer")),
      "administrator sets the lifecycle": await outcome(lifecycle("administrator")),
      "administrator invokes a function that is not there": await outcome(
        new LambdaClient(who.administrator as ClientOptions).send(new InvokeCommand({ FunctionName: "nothing" })),
      ),
      "vault-deployer invokes one": await outcome(
        new LambdaClient(who["vault-deployer"] as ClientOptions).send(new InvokeCommand({ FunctionName: "nothing" })),
      ),
    };
    expect(found).to.deep.equal({
      "administrator makes the vault": "denied",
      "deployer makes the vault": "denied",
      "vault-deployer makes the vault": "allowed",
      "vault-deployer makes a bucket elsewhere": "denied",
      "administrator adds a release": "allowed",
      "administrator writes a backup": "denied",
      "deployer adds a release": "denied",
      "vault-deployer writes a backup": "denied",
      "deployer reads a release": "allowed",
      "vault-deployer reads a release": "denied",
      "vault-deployer sets the lifecycle": "allowed",
      "deployer sets the lifecycle": "denied",
      "administrator sets the lifecycle": "denied",
      "administrator invokes a function that is not there": "ResourceNotFoundException",
      "vault-deployer invokes one": "denied",
    });
  });

  it("lets no deployer give itself or another of the vault's roles more", async () => {
    const trust = JSON.stringify({
      Version: "2012-10-17",
      Statement: [{ Effect: "Allow", Principal: { Service: "lambda.amazonaws.com" }, Action: "sts:AssumeRole" }],
    });
    const all = JSON.stringify({ Version: "2012-10-17", Statement: [{ Effect: "Allow", Action: "*", Resource: "*" }] });
    const iam = (name: string) => new IAMClient(who[name] as ClientOptions);
    const put = (name: string, target: string) =>
      outcome(iam(name).send(new PutRolePolicyCommand({ RoleName: target, PolicyName: "more", PolicyDocument: all })));
    const make = (name: string, target: string) =>
      outcome(iam(name).send(new CreateRoleCommand({ RoleName: target, AssumeRolePolicyDocument: trust })));
    expect(await make("deployer", "usc-pis-capture")).to.equal("allowed");
    expect(await make("deployer", "usc-pis-recovery")).to.equal("denied");
    expect(await make("deployer", "somebody-elses")).to.equal("denied");
    expect(await make("administrator", "usc-pis-capture2")).to.equal("denied");
    expect(await make("vault-deployer", "usc-pis-recovery")).to.equal("allowed");
    for (const name of ["deployer", "vault-deployer", "administrator"]) {
      for (const target of ["usc-pis-deployer", "usc-pis-vault-deployer", "usc-pis-administrator"])
        expect(await put(name, target), `${name} on ${target}`).to.equal("denied");
    }
    expect(await put("deployer", "usc-pis-recovery")).to.equal("denied");
  });

  it("asks a role's trust policy, of the root too, and the caller's own rights", async () => {
    const iam = new IAMClient(aws.root());
    const trusting = (RoleName: string, principal: string) =>
      iam.send(new CreateRoleCommand({ RoleName, AssumeRolePolicyDocument: trustOf(principal) }));
    const assume = (name: string, target: string) =>
      outcome(
        new STSClient(who[name] as ClientOptions).send(
          new AssumeRoleCommand({ RoleArn: role(target), RoleSessionName: "x" }),
        ),
      );
    await trusting("usc-pis-narrow", role("usc-pis-administrator"));
    await trusting("usc-pis-wide", `arn:aws:iam::${SCOPE.account}:root`);
    // The administrators' rights name the recovery role alone, which the earlier test left trusting Lambda only.
    expect(await assume("administrator", "usc-pis-wide")).to.equal("denied");
    expect(await assume("administrator", "usc-pis-recovery")).to.equal("denied");
    expect(await assume("root", "usc-pis-narrow")).to.equal("denied");
    expect(await assume("root", "usc-pis-wide")).to.equal("allowed");
    const trust = { RoleName: "usc-pis-recovery", PolicyDocument: trustOf(`arn:aws:iam::${SCOPE.account}:root`) };
    await iam.send(new UpdateAssumeRolePolicyCommand(trust));
    expect(await assume("administrator", "usc-pis-recovery")).to.equal("allowed");
    expect(await assume("deployer", "usc-pis-recovery")).to.equal("allowed");
    expect(await assume("vault-deployer", "usc-pis-recovery")).to.equal("denied");
  });

  describe("an explicit Deny of a bucket policy that spares one role", () => {
    const VAULT_DEPLOYER = "usc-pis-vault-deployer";
    const both = [role(VAULT_DEPLOYER), `arn:aws:sts::${SCOPE.account}:assumed-role/${VAULT_DEPLOYER}/*`];

    async function denyBut(operator: string, principals: string[]): Promise<void> {
      const action = "s3:PutLifecycleConfiguration";
      const Resource = `arn:aws:s3:::${BUCKET}`;
      await s3("root").send(
        new PutBucketPolicyCommand({
          Bucket: BUCKET,
          Policy: JSON.stringify({
            Version: "2012-10-17",
            Statement: [
              {
                Sid: "OnlyTheVaultsDeployer",
                Effect: "Deny",
                Principal: "*",
                Action: action,
                Resource,
                Condition: { [operator]: { "aws:PrincipalArn": principals } },
              },
              // Without the Deny, this alone would let the deployer in.
              { Sid: "Allow", Effect: "Allow", Principal: { AWS: role("usc-pis-deployer") }, Action: action, Resource },
            ],
          }),
        }),
      );
    }

    for (const operator of ["ArnNotLike", "ArnNotEquals", "StringNotLike"]) {
      it(`${operator} with both forms of the role's ARN denies all others and spares it`, async () => {
        await denyBut(operator, both);
        expect(await outcome(lifecycle("vault-deployer"))).to.equal("allowed");
        expect(await outcome(lifecycle("deployer"))).to.equal("denied");
      });
    }

    it("spares nobody by the role's own ARN alone, which is AWS's form: MiniStack compares with the session's", async () => {
      await denyBut("ArnNotLike", [role(VAULT_DEPLOYER)]);
      expect(await outcome(lifecycle("vault-deployer"))).to.equal("denied");
    });

    it("without the Deny, the Allow lets the deployer in", async () => {
      await denyBut("ArnLike", ["arn:aws:iam::000000000000:role/nobody"]);
      expect(await outcome(lifecycle("deployer"))).to.equal("allowed");
    });

    it("has one right for setting and removing a lifecycle, and others for versioning and deletion", async () => {
      await denyBut("ArnNotLike", both);
      const remove = (name: string) => outcome(s3(name).send(new DeleteBucketLifecycleCommand({ Bucket: BUCKET })));
      expect(await remove("deployer")).to.equal("denied");
      expect(await remove("vault-deployer")).to.equal("allowed");
      const suspend = new PutBucketVersioningCommand({
        Bucket: BUCKET,
        VersioningConfiguration: { Status: "Suspended" },
      });
      expect(await outcome(s3("deployer").send(suspend))).to.equal("denied");
      const key = "release/usc-pis/x.tar.gz";
      expect(await outcome(s3("administrator").send(new DeleteObjectCommand({ Bucket: BUCKET, Key: key })))).to.equal(
        "denied",
      );
    });
  });

  it("asks a key's policy too: what it does not allow is denied, and an explicit Deny wins", async () => {
    const admin = new KMSClient(aws.root());
    const key = async (statements: object[]) => {
      const { KeyMetadata } = await admin.send(
        new CreateKeyCommand({ Policy: JSON.stringify({ Version: "2012-10-17", Statement: statements }) }),
      );
      return KeyMetadata?.KeyId as string;
    };
    const account = {
      Sid: "Account",
      Effect: "Allow",
      Principal: { AWS: `arn:aws:iam::${SCOPE.account}:root` },
      Action: "kms:*",
      Resource: "*",
    };
    const deployer = new KMSClient(who["vault-deployer"] as ClientOptions);
    const describe = (KeyId: string) => outcome(deployer.send(new DescribeKeyCommand({ KeyId })));
    const end = (KeyId: string) =>
      outcome(deployer.send(new ScheduleKeyDeletionCommand({ KeyId, PendingWindowInDays: 30 })));
    const open = await key([account]);
    expect(await describe(open)).to.equal("allowed");
    const closed = await key([
      account,
      {
        Sid: "KeepKey",
        Effect: "Deny",
        Principal: "*",
        Action: "kms:ScheduleKeyDeletion",
        Resource: "*",
        Condition: { ArnNotLike: { "aws:PrincipalArn": [role("usc-pis-break-glass")] } },
      },
    ]);
    expect(await end(closed)).to.equal("denied");
    expect(await end(open)).to.equal("allowed");
  });
});

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { IAM } from "@aws-sdk/client-iam";
import { KMS } from "@aws-sdk/client-kms";
import { SecretsManager } from "@aws-sdk/client-secrets-manager";
import { expect } from "chai";
import { awsProvider } from "../../../sandbox/plugins/aws/provider";
import { identityPolicy, resourcePolicy, trust, trustUser } from "../../support/iam-policies";
import { type MiniStack, startMiniStack } from "../../support/ministack";
import { type Held, PluginClient } from "../../support/plugin";
import { live } from "../../support/plugin-cycle";

const region = "ap-southeast-1";

describe("stand-in for aws: keys, roles, secrets", function () {
  this.timeout(60_000);
  let ministack: MiniStack;
  let plugin: PluginClient;
  let role: Held;
  let secret: Held;

  before(async () => {
    ministack = await startMiniStack();
    plugin = await PluginClient.start(awsProvider, { region });
    role = await plugin.make("aws:iam/role:Role", { name: "runner", assumeRolePolicy: trust("lambda.amazonaws.com") });
    secret = await plugin.make("aws:secretsmanager/secret:Secret", { name: "token", recoveryWindowInDays: 0 });
  });
  after(async () => {
    plugin?.close();
    await ministack?.stop();
  });

  it("kms Key", () => {
    const kms = new KMS({ region });
    return live(plugin, {
      token: "aws:kms/key:Key",
      inputs: {
        description: "vault",
        enableKeyRotation: true,
        deletionWindowInDays: 30,
        policy: resourcePolicy("kms:*", "*"),
        tags: { a: "b" },
      },
      change: { description: "other", deletionWindowInDays: 7, policy: resourcePolicy("kms:Decrypt", "*"), tags: {} },
      replace: { multiRegion: true },
      unknown: ["arn", "keyId"],
      drift: { by: ({ id }) => kms.disableKeyRotation({ KeyId: id }), shows: ["enableKeyRotation"] },
      lose: ({ id }) => kms.scheduleKeyDeletion({ KeyId: id, PendingWindowInDays: 7 }),
    });
  });

  it("kms Key: its deletion waits as long as the program said", async () => {
    const held = await plugin.make("aws:kms/key:Key", { deletionWindowInDays: 9 });
    await plugin.delete(held);
    const { KeyMetadata } = await new KMS({ region }).describeKey({ KeyId: held.id });
    const days = ((KeyMetadata?.DeletionDate?.getTime() ?? 0) - Date.now()) / 86_400_000;
    expect(KeyMetadata?.KeyState).to.equal("PendingDeletion");
    expect(days).to.be.within(8.9, 9.1);
  });

  it("kms Alias", async () => {
    const one = await plugin.make("aws:kms/key:Key", {});
    const two = await plugin.make("aws:kms/key:Key", {});
    await live(plugin, {
      token: "aws:kms/alias:Alias",
      inputs: { name: "alias/vault", targetKeyId: one.state.arn },
      change: { targetKeyId: two.state.keyId },
      replace: { name: "alias/other" },
      unknown: ["targetKeyArn"],
      lose: ({ id }) => new KMS({ region }).deleteAlias({ AliasName: id }),
    });
  });

  it("iam Role", () => {
    const iam = new IAM({ region });
    return live(plugin, {
      token: "aws:iam/role:Role",
      // MiniStack keeps a description that is set to nothing, so it is changed and never removed here.
      inputs: {
        name: "capture",
        assumeRolePolicy: trust("lambda.amazonaws.com"),
        description: "old",
        tags: { a: "b" },
      },
      change: { assumeRolePolicy: trust("scheduler.amazonaws.com"), description: "new", maxSessionDuration: 7200 },
      replace: { name: "other", path: "/x/" },
      unknown: ["arn", "uniqueId"],
      drift: {
        by: () => iam.updateAssumeRolePolicy({ RoleName: "capture", PolicyDocument: trust("ec2.amazonaws.com") }),
        shows: ["assumeRolePolicy"],
      },
      lose: () => iam.deleteRole({ RoleName: "capture" }),
    });
  });

  it("iam RolePolicy", () => {
    const iam = new IAM({ region });
    const named = { RoleName: "runner", PolicyName: "main" };
    return live(plugin, {
      token: "aws:iam/rolePolicy:RolePolicy",
      inputs: { role: role.id, name: "main", policy: identityPolicy("s3:GetObject") },
      change: { policy: identityPolicy("s3:PutObject") },
      replace: { name: "other", role: "other" },
      drift: {
        by: () => iam.putRolePolicy({ ...named, PolicyDocument: identityPolicy("s3:*") }),
        shows: ["policy"],
      },
      lose: () => iam.deleteRolePolicy(named),
    });
  });

  it("secretsmanager Secret", () => {
    const secrets = new SecretsManager({ region });
    return live(plugin, {
      token: "aws:secretsmanager/secret:Secret",
      inputs: { name: "heroku", description: "a", recoveryWindowInDays: 0, tags: { a: "b" } },
      change: { description: "b", recoveryWindowInDays: 7, tags: { c: "d" } },
      replace: { name: "other" },
      unknown: ["arn"],
      lose: ({ id }) => secrets.deleteSecret({ SecretId: id, ForceDeleteWithoutRecovery: true }),
    });
  });

  it("secretsmanager SecretVersion: a secret value, and a new one replaces it", async () => {
    const token = "aws:secretsmanager/secretVersion:SecretVersion";
    const inputs = { secretId: secret.id, secretString: "one" };
    await live(plugin, {
      token,
      inputs,
      replace: { secretString: "two" },
      unknown: ["versionId"],
      endsWithDelete: false,
    });
    const { inputs: checked } = await plugin.check(token, inputs);
    const { secrets } = await plugin.create(token, checked);
    expect(secrets).to.deep.include({ secretString: true });
    const value = await new SecretsManager({ region }).getSecretValue({ SecretId: secret.id });
    expect(value.SecretString).to.equal("one");
  });

  it("getCallerIdentity", async () => {
    const identity = await plugin.invoke("aws:index/getCallerIdentity:getCallerIdentity");
    expect(identity).to.include({ accountId: "000000000000", id: "000000000000" });
  });

  it("refuses nested inputs, configuration, types and functions that it does not carry out", async () => {
    const nested = await plugin.check("aws:dynamodb/table:Table", {
      hashKey: "id",
      ttl: { enabled: true, attributeName: "x", other: 1 },
    });
    expect(nested.failures.join()).to.contain("ttl.other");
    const message = (work: Promise<unknown>) =>
      work.then(
        () => "",
        (error: Error) => error.message,
      );
    expect(await message(PluginClient.start(awsProvider, { region, endpoints: "[]" }))).to.contain("endpoints");
    expect(await message(plugin.check("aws:ec2/vpc:Vpc", {}))).to.contain("aws:ec2/vpc:Vpc");
    expect(await message(plugin.invoke("aws:index/getRegion:getRegion"))).to.contain("getRegion");
  });

  it("acts as the profile's role", async () => {
    const iam = new IAM({ region });
    await iam.createUser({ UserName: "ops" });
    await iam.putUserPolicy({ UserName: "ops", PolicyName: "a", PolicyDocument: identityPolicy("sts:AssumeRole") });
    const { AccessKey } = await iam.createAccessKey({ UserName: "ops" });
    await iam.createRole({ RoleName: "deployer", AssumeRolePolicyDocument: trustUser });
    await iam.putRolePolicy({ RoleName: "deployer", PolicyName: "a", PolicyDocument: identityPolicy("sqs:*") });
    const folder = mkdtempSync("/tmp/usc-pis-profile-");
    writeFileSync(
      `${folder}/config`,
      `[profile ops]\naws_access_key_id = ${AccessKey?.AccessKeyId}\naws_secret_access_key = ${AccessKey?.SecretAccessKey}\n` +
        "[profile deployer]\nrole_arn = arn:aws:iam::000000000000:role/deployer\nsource_profile = ops\n",
    );
    const before = { ...process.env };
    delete process.env.AWS_ACCESS_KEY_ID;
    Object.assign(process.env, { AWS_CONFIG_FILE: `${folder}/config`, AWS_SHARED_CREDENTIALS_FILE: `${folder}/none` });
    const deployer = await PluginClient.start(awsProvider, { region, profile: "deployer" });
    try {
      const identity = await deployer.invoke("aws:index/getCallerIdentity:getCallerIdentity");
      expect(identity.arn).to.contain("assumed-role/deployer/");
      const held = await deployer.make("aws:sqs/queue:Queue", { name: "allowed" });
      await deployer.delete(held);
      const denied = await deployer.make("aws:kms/key:Key", {}).then(
        () => "",
        (error: Error) => error.message,
      );
      expect(denied).to.match(/AccessDenied/);
    } finally {
      deployer.close();
      process.env = before;
      rmSync(folder, { recursive: true });
    }
  });
});

import { expect } from "chai";
import { breakGlassPolicy, breakGlassTrust } from "../../components/policies/break-glass";
import { type CapturePolicyArgs, capturePolicy } from "../../components/policies/capture";
import type { PolicyDocument, Statement } from "../../components/policies/document";
import { formsOfRole } from "../../components/policies/guard";
import { mediaSyncPolicy } from "../../components/policies/media-sync";
import { recoveryPolicy } from "../../components/policies/recovery";
import { replicationPolicy } from "../../components/policies/replication";
import { schedulerPolicy } from "../../components/policies/scheduler";
import { BUCKET_SETTING_ACTIONS, vaultBucketPolicy } from "../../components/policies/vault-bucket";
import { vaultKeyPolicy } from "../../components/policies/vault-key";

const DEPLOYER = "arn:aws:iam::111122223333:role/usc-pis-vault-deployer";
const KEY = "arn:aws:kms:ap-southeast-1:111122223333:key/k";

const list = (value: string | string[]) => (Array.isArray(value) ? value : [value]);
const statement = (document: PolicyDocument, sid: string): Statement => {
  const found = document.Statement.find(({ Sid }) => Sid === sid);
  if (!found) throw new Error(`no statement ${sid}`);
  return found;
};

/** The few operators that the vault's denials use, as IAM evaluates them: enough to try requests against a document. */
type Context = Record<string, string>;
const OPERATORS: Record<string, (actual: string | undefined, wanted: string[]) => boolean> = {
  Bool: (actual, wanted) => actual !== undefined && wanted.includes(actual),
  Null: (actual, wanted) => wanted.includes(String(actual === undefined)),
  StringEquals: (actual, wanted) => actual !== undefined && wanted.includes(actual),
  // Negated operators are true for an absent key.
  StringNotEquals: (actual, wanted) => actual === undefined || !wanted.includes(actual),
  ArnNotLike: (actual, wanted) => actual === undefined || !wanted.some((pattern) => like(pattern, actual)),
};
const like = (pattern: string, text: string) =>
  new RegExp(
    `^${pattern
      .split("*")
      .map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"))
      .join(".*")}$`,
  ).test(text);

function deniedBy(document: PolicyDocument, action: string, resource: string, context: Context): string[] {
  return document.Statement.filter(
    ({ Effect, Action, Resource, Condition = {} }) =>
      Effect === "Deny" &&
      list(Action).some((each) => like(each, action)) &&
      list(Resource).some((each) => like(each, resource)) &&
      Object.entries(Condition).every(([operator, keys]) =>
        Object.entries(keys).every(([key, wanted]) => OPERATORS[operator]?.(context[key], list(wanted))),
      ),
  ).map(({ Sid }) => Sid);
}

describe("the policy of a vault bucket", () => {
  const BUCKET = "arn:aws:s3:::vault";
  const OBJECT = `${BUCKET}/hourly/usc-pis/b/database.dump`;
  const document = vaultBucketPolicy({ bucket: "vault", keyArn: KEY, exemptRoleArns: [DEPLOYER] });
  const tls = { "aws:SecureTransport": "true" };
  const somebody = { ...tls, "aws:PrincipalArn": "arn:aws:iam::111122223333:role/admin" };
  const deployer = { ...tls, "aws:PrincipalArn": DEPLOYER };
  const session = {
    ...tls,
    "aws:PrincipalArn": "arn:aws:sts::111122223333:assumed-role/usc-pis-vault-deployer/person",
  };
  const sse = "s3:x-amz-server-side-encryption";

  it("grants nothing", () => {
    expect(document.Statement.every(({ Effect }) => Effect === "Deny")).to.equal(true);
  });

  it("refuses what comes without TLS, even from the deployer", () => {
    const plain = { ...deployer, "aws:SecureTransport": "false" };
    expect(deniedBy(document, "s3:GetObject", OBJECT, plain)).to.deep.equal(["TlsOnly"]);
    expect(deniedBy(document, "s3:GetObject", OBJECT, somebody)).to.deep.equal([]);
  });

  it("refuses wrong encryption headers, not absent ones", () => {
    const put = (headers: Context) => deniedBy(document, "s3:PutObject", OBJECT, { ...somebody, ...headers });
    expect(put({})).to.deep.equal([]);
    expect(put({ [sse]: "aws:kms", [`${sse}-aws-kms-key-id`]: KEY })).to.deep.equal([]);
    expect(put({ [sse]: "AES256" })).to.deep.equal(["OtherAlgorithmsRefused"]);
    expect(put({ [sse]: "aws:kms", [`${sse}-aws-kms-key-id`]: "arn:other" })).to.deep.equal(["OtherKeysRefused"]);
    expect(put({ [sse]: "aws:kms" })).to.deep.equal(["KeylessKmsRefused"]);
    expect(put({ [`${sse}-customer-algorithm`]: "AES256" })).to.deep.equal(["CustomerKeysRefused"]);
  });

  for (const action of BUCKET_SETTING_ACTIONS) {
    it(`leaves ${action} to the deployer`, () => {
      expect(deniedBy(document, action, BUCKET, somebody)).to.deep.equal(["SettingsStay"]);
      expect(deniedBy(document, action, BUCKET, deployer)).to.deep.equal([]);
      expect(deniedBy(document, action, BUCKET, session)).to.deep.equal([]);
    });
  }

  it("denies bypassing locks, deleting versions and lifting holds, but not placing them", () => {
    expect(deniedBy(document, "s3:BypassGovernanceRetention", OBJECT, somebody)).to.deep.equal(["VersionsStay"]);
    expect(deniedBy(document, "s3:DeleteObjectVersion", OBJECT, somebody)).to.deep.equal(["VersionsStay"]);
    const hold = (state: string, who: Context) =>
      deniedBy(document, "s3:PutObjectLegalHold", OBJECT, { ...who, "s3:object-lock-legal-hold": state });
    expect(hold("OFF", somebody)).to.deep.equal(["HoldsStay"]);
    expect(hold("ON", somebody)).to.deep.equal([]);
    expect(hold("OFF", deployer)).to.deep.equal([]);
  });

  it("is not fooled by a role whose name only begins like the deployer's", () => {
    const twin = { ...tls, "aws:PrincipalArn": `${DEPLOYER}-2` };
    expect(deniedBy(document, "s3:PutBucketPolicy", BUCKET, twin)).to.deep.equal(["SettingsStay"]);
  });
});

describe("the policy of a vault key", () => {
  const document = vaultKeyPolicy("111122223333", [DEPLOYER]);

  it("lets IAM decide on use, and nobody else end the key", () => {
    expect(statement(document, "AccountDecides")).to.deep.include({ Effect: "Allow", Action: "kms:*" });
    const somebody = { "aws:PrincipalArn": "arn:aws:iam::111122223333:root" };
    for (const action of ["kms:ScheduleKeyDeletion", "kms:DisableKey", "kms:PutKeyPolicy", "kms:UpdateAlias"]) {
      expect(deniedBy(document, action, KEY, somebody), action).to.deep.equal(["KeyStays"]);
      expect(deniedBy(document, action, KEY, { "aws:PrincipalArn": DEPLOYER }), action).to.deep.equal([]);
    }
    expect(deniedBy(document, "kms:Decrypt", KEY, somebody)).to.deep.equal([]);
  });
});

describe("the forms of a role", () => {
  it("names its sessions without its path, and leaves other principals alone", () => {
    expect(formsOfRole("arn:aws:iam::111122223333:role/a/b/name")).to.deep.equal([
      "arn:aws:iam::111122223333:role/a/b/name",
      "arn:aws:sts::111122223333:assumed-role/name/*",
    ]);
    expect(formsOfRole("arn:aws:iam::111122223333:user/u")).to.deep.equal(["arn:aws:iam::111122223333:user/u"]);
  });
});

describe("the policy of replication", () => {
  const source = { bucket: "s", keyArn: "arn:key:s", region: "ap-southeast-1" };
  const destination = { bucket: "d", keyArn: "arn:key:d", region: "ap-northeast-1" };
  const document = replicationPolicy({ source, destination, deleteMarkers: false });

  it("reads versions with tags, retention and holds, and writes replicas, on exactly the two buckets", () => {
    expect(statement(document, "ReadVersions").Action).to.have.members([
      "s3:GetObjectVersionForReplication",
      "s3:GetObjectVersionAcl",
      "s3:GetObjectVersionTagging",
      "s3:GetObjectRetention",
      "s3:GetObjectLegalHold",
    ]);
    expect(document.Statement.flatMap(({ Resource }) => Resource)).to.have.members([
      "arn:aws:s3:::s",
      "arn:aws:s3:::s/*",
      "arn:aws:s3:::d/*",
      "arn:key:s",
      "arn:key:d",
    ]);
  });

  it("decrypts at the source and encrypts at the replica, with the bucket as context", () => {
    expect(statement(document, "DecryptSource")).to.deep.include({ Action: "kms:Decrypt", Resource: "arn:key:s" });
    expect(statement(document, "EncryptReplica")).to.deep.include({ Action: "kms:Encrypt", Resource: "arn:key:d" });
    expect(statement(document, "EncryptReplica").Condition?.StringEquals).to.deep.equal({
      "kms:ViaService": "s3.ap-northeast-1.amazonaws.com",
      "kms:EncryptionContext:aws:s3:arn": "arn:aws:s3:::d",
    });
  });

  it("replicates deletions only where they were chosen", () => {
    expect(statement(document, "WriteReplicas").Action).not.to.include("s3:ReplicateDelete");
    const media = replicationPolicy({ source, destination, deleteMarkers: true });
    expect(statement(media, "WriteReplicas").Action).to.include("s3:ReplicateDelete");
  });
});

describe("the policy of the capture function", () => {
  const args: CapturePolicyArgs = {
    system: "usc-pis",
    homeBucket: "home",
    otherBucket: "other",
    homeKeyArn: "arn:key:home",
    otherKeyArn: "arn:key:other",
    tableArn: "arn:table",
    secretArn: "arn:secret",
    queueArn: "arn:queue",
    logGroupArn: "arn:logs",
  };
  const document = capturePolicy(args);
  const actions = document.Statement.flatMap(({ Action }) => Action);

  it("can neither delete nor unlock, read other versions, nor administer anything", () => {
    const forbidden = /Delete(?!Item)|Bypass|LegalHold|Version|PutBucket|PutKey|Policy|\*|iam:|sts:/;
    expect(actions.filter((action) => forbidden.test(action))).to.deep.equal([]);
    // The control: the recovery role's reading by version would be found.
    const recovery = recoveryPolicy({ system: "s", buckets: ["b"], mediaBuckets: [], keyArns: [], tableArns: [] });
    expect(recovery.Statement.flatMap(({ Action }) => Action).filter((action) => forbidden.test(action))).not.to.be
      .empty;
  });

  it("writes backups of its own system in its own region only", () => {
    expect(statement(document, "AddBackups").Resource).to.have.members(
      ["critical", "monthly", "weekly", "daily", "hourly"].map((name) => `arn:aws:s3:::home/${name}/usc-pis/*`),
    );
  });

  it("names every resource, but for metrics, which are bound to their namespace", () => {
    const open = document.Statement.filter(({ Resource }) => list(Resource).includes("*"));
    expect(open.map(({ Sid }) => Sid)).to.deep.equal(["PutMetrics"]);
    expect(open[0]?.Condition).to.deep.equal({ StringEqualsIfExists: { "cloudwatch:namespace": "UscPis" } });
  });

  it("needs no key of a region that does not answer", () => {
    const { otherKeyArn: _, ...rest } = args;
    expect(capturePolicy(rest).Statement.map(({ Sid }) => Sid)).not.to.include("ReadWithOtherKey");
    expect(document.Statement.map(({ Sid }) => Sid)).to.include("ReadWithOtherKey");
  });

  it("reads the pointer on both sides, and lists no more than it has to", () => {
    expect(statement(document, "ReadCurrentApp").Resource).to.deep.equal([
      "arn:aws:s3:::home/current/usc-pis.json",
      "arn:aws:s3:::other/current/usc-pis.json",
    ]);
    expect(statement(document, "ListVaults").Resource).to.deep.equal(["arn:aws:s3:::home", "arn:aws:s3:::other"]);
    expect(statement(document, "SeeUploads").Resource).to.equal("arn:aws:s3:::home");
  });

  it("lets the scheduler start one function and nothing else", () => {
    expect(schedulerPolicy("arn:f", "arn:q").Statement.map(({ Action, Resource }) => [Action, Resource])).to.deep.equal(
      [
        ["lambda:InvokeFunction", "arn:f"],
        ["sqs:SendMessage", "arn:q"],
      ],
    );
  });
});

describe("the policy of the media sync", () => {
  const document = mediaSyncPolicy({
    system: "usc-pis",
    homeBucket: "home",
    otherBucket: "other",
    mediaBucket: "media",
    homeKeyArn: "arn:key:home",
    otherKeyArn: "arn:key:other",
    tableArn: "arn:table",
    secretArn: "arn:secret",
    queueArn: "arn:queue",
    logGroupArn: "arn:logs",
  });
  const of = (action: string) =>
    document.Statement.filter(({ Action }) => list(Action).includes(action)).flatMap(({ Resource }) => list(Resource));

  it("writes the mirror of its own system only, and nothing into the vault of backups", () => {
    expect(of("s3:PutObject")).to.have.members([
      "arn:aws:s3:::media/media/usc-pis/asset/*",
      "arn:aws:s3:::media/media/usc-pis/facts/*",
      "arn:aws:s3:::media/media/usc-pis/manifest/*",
      "arn:aws:s3:::media/media/usc-pis/progress.json",
    ]);
    expect(of("s3:ListBucketVersions")).to.deep.equal(["arn:aws:s3:::media"]);
  });

  it("hides what is deleted by markers, never a manifest, and ends or unlocks no version", () => {
    expect(of("s3:DeleteObject")).to.have.members([
      "arn:aws:s3:::media/media/usc-pis/asset/*",
      "arn:aws:s3:::media/media/usc-pis/facts/*",
      "arn:aws:s3:::media/media/usc-pis/progress.json",
    ]);
    const actions = document.Statement.flatMap(({ Action }) => Action);
    const forbidden = /DeleteObjectVersion|Bypass|LegalHold|GetObjectVersion|PutBucket|PutKey|Policy|\*|iam:|sts:/;
    expect(actions.filter((action) => forbidden.test(action))).to.deep.equal([]);
    // The control: the break-glass role's rights would be found.
    const glass = breakGlassPolicy(["media"], []).Statement.flatMap(({ Action }) => Action);
    expect(glass.filter((action) => forbidden.test(action))).not.to.be.empty;
  });

  it("names every resource, but for metrics", () => {
    const open = document.Statement.filter(({ Resource }) => list(Resource).includes("*"));
    expect(open.map(({ Sid }) => Sid)).to.deep.equal(["PutMetrics"]);
  });
});

describe("the roles of an emergency", () => {
  it("recovers by reading everything of its system and writing markers and pointer only", () => {
    const document = recoveryPolicy({
      system: "s",
      buckets: ["a", "b"],
      mediaBuckets: ["m"],
      keyArns: ["k"],
      tableArns: ["t"],
    });
    expect(statement(document, "WriteMarkersAndPointer").Resource).to.have.members([
      "arn:aws:s3:::a/current/s.json",
      "arn:aws:s3:::a/restore/s/*",
      "arn:aws:s3:::b/current/s.json",
      "arn:aws:s3:::b/restore/s/*",
    ]);
    expect(statement(document, "ReadMedia")).to.deep.include({
      Action: ["s3:GetObject", "s3:GetObjectVersion"],
      Resource: ["arn:aws:s3:::m/media/s/*"],
    });
    expect(statement(document, "ListVault").Resource).to.include("arn:aws:s3:::m");
    expect(statement(document, "ReadBackups").Resource).to.include.members([
      "arn:aws:s3:::a/hourly/s/*",
      "arn:aws:s3:::b/release/s/*",
    ]);
  });

  it("breaks the glass with a second factor, for its holders, on this vault only", () => {
    const holder = "arn:aws:iam::111122223333:user/holder";
    const [trust] = breakGlassTrust("111122223333", [holder]).Statement;
    expect(trust?.Principal).to.deep.equal({ AWS: [holder] });
    expect(trust?.Condition).to.deep.equal({ Bool: { "aws:MultiFactorAuthPresent": "true" } });
    expect(breakGlassTrust("111122223333", []).Statement[0]?.Principal).to.deep.equal({
      AWS: "arn:aws:iam::111122223333:root",
    });
    const document = breakGlassPolicy(["a"], ["k"]);
    expect(document.Statement.flatMap(({ Resource }) => Resource)).to.deep.equal([
      "arn:aws:s3:::a",
      "arn:aws:s3:::a/*",
      "k",
    ]);
    expect(statement(document, "Versions").Action).to.include("s3:BypassGovernanceRetention");
  });
});

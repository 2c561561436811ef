import { expect } from "chai";
import { MINIMUM_RETENTION_DAYS } from "../../backup/classes";
import { BackupVault, type BackupVaultArgs } from "../../components/BackupVault";
import { type Recording, record, resolved } from "./recorder";

const args: BackupVaultArgs = {
  system: "usc-pis",
  account: "111122223333",
  primaryRegion: "ap-southeast-1",
  replicaRegion: "ap-northeast-1",
  retentionDays: MINIMUM_RETENTION_DAYS,
};

const make = (more: Partial<BackupVaultArgs> = {}) => record(() => new BackupVault("vault", { ...args, ...more }));

describe("BackupVault", () => {
  let recording: Recording;
  let vault: BackupVault;

  before(async () => {
    ({ recording, value: vault } = await make());
  });

  it("consists of exactly these resources", () => {
    expect(recording.counts()).to.deep.equal({
      "usc-pis:vault:BackupVault": 1,
      "usc-pis:vault:VaultSide": 2,
      "usc-pis:vault:VaultBucket": 4,
      "usc-pis:vault:BucketReplication": 2,
      "aws:s3/bucket:Bucket": 4,
      "aws:s3/bucketVersioning:BucketVersioning": 4,
      "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration": 4,
      "aws:s3/bucketObjectLockConfiguration:BucketObjectLockConfiguration": 4,
      "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration": 4,
      "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock": 4,
      "aws:s3/bucketOwnershipControls:BucketOwnershipControls": 4,
      "aws:s3/bucketPolicy:BucketPolicy": 4,
      "aws:s3/bucketReplicationConfig:BucketReplicationConfig": 2,
      "aws:kms/key:Key": 2,
      "aws:kms/alias:Alias": 2,
      "aws:dynamodb/table:Table": 2,
      "aws:iam/role:Role": 4,
      "aws:iam/rolePolicy:RolePolicy": 4,
    });
  });

  it("gives every child a parent within the vault, and every resource of a region its region", () => {
    expect(recording.roots()).to.deep.equal(["vault"]);
    const regional = recording.resources.filter(({ custom, type }) => custom && !type.startsWith("aws:iam/"));
    for (const { name, inputs } of regional) {
      expect(inputs.region, name).to.equal(name.includes("replica-") ? "ap-northeast-1" : "ap-southeast-1");
    }
  });

  it("protects and retains everything", () => {
    const custom = recording.resources.filter((resource) => resource.custom);
    expect(custom.filter(({ protect, retainOnDelete }) => !protect || !retainOnDelete)).to.deep.equal([]);
    for (const { inputs } of recording.of("aws:dynamodb/table:Table")) {
      expect(inputs.deletionProtectionEnabled).to.equal(true);
    }
    for (const { inputs } of recording.of("aws:s3/bucket:Bucket")) expect(inputs.forceDestroy).to.equal(false);
  });

  it("protects nothing when told so, in the one place for it", async () => {
    const { recording: drill } = await make({ protect: false });
    expect(drill.resources.filter(({ protect, retainOnDelete }) => protect || retainOnDelete)).to.deep.equal([]);
    for (const { inputs } of drill.of("aws:s3/bucket:Bucket")) expect(inputs.forceDestroy).to.equal(true);
    for (const { inputs } of drill.of("aws:dynamodb/table:Table")) {
      expect(inputs.deletionProtectionEnabled).to.equal(false);
    }
  });

  it("takes its names from the layout, so that others find it without its state", async () => {
    expect(recording.of("aws:s3/bucket:Bucket").map(({ inputs }) => inputs.bucket)).to.have.members([
      "usc-pis-vault-111122223333-ap-southeast-1",
      "usc-pis-vault-111122223333-ap-northeast-1",
      "usc-pis-media-111122223333-ap-southeast-1",
      "usc-pis-media-111122223333-ap-northeast-1",
    ]);
    expect(recording.of("aws:kms/alias:Alias").map(({ inputs }) => inputs.name)).to.deep.equal([
      "alias/usc-pis-vault",
      "alias/usc-pis-vault",
    ]);
    expect(await resolved(vault.bucketName)).to.equal("usc-pis-vault-111122223333-ap-southeast-1");
    expect(Object.keys(recording.outputs.get(recording.one("vault").urn) ?? {})).to.have.members([
      "bucketName",
      "replicaBucketName",
      "mediaBucketName",
      "recoveryRoleArn",
      "breakGlassRoleArn",
    ]);
  });

  it("locks, versions and encrypts each bucket with its own region's key", () => {
    for (const { inputs } of recording.of("aws:s3/bucket:Bucket")) expect(inputs.objectLockEnabled).to.equal(true);
    for (const { inputs } of recording.of("aws:s3/bucketVersioning:BucketVersioning")) {
      expect(inputs.versioningConfiguration.status).to.equal("Enabled");
    }
    for (const { name, inputs } of recording.resources.filter(({ type }) => type.includes("ObjectLock"))) {
      expect(inputs.rule.defaultRetention.mode).to.equal("GOVERNANCE");
      expect(inputs.rule.defaultRetention.days).to.equal(name.includes("-media-") ? 30 : 2);
    }
    for (const { name, inputs } of recording.resources.filter(({ type }) => type.includes("Encryption"))) {
      const [rule] = inputs.rules;
      expect(rule.bucketKeyEnabled).to.equal(true);
      const side = name.includes("-replica-") ? "replica" : "primary";
      expect(rule.applyServerSideEncryptionByDefault.kmsMasterKeyId).to.equal(`arn:mock:vault-${side}-key`);
    }
    for (const { inputs } of recording.of("aws:kms/key:Key")) {
      expect(inputs).to.include({ enableKeyRotation: true, deletionWindowInDays: 30 });
    }
  });

  it("replicates backups without, and media with, delete markers, in V2 rules with the replica's key", () => {
    for (const { name, inputs, ...resource } of recording.of(
      "aws:s3/bucketReplicationConfig:BucketReplicationConfig",
    )) {
      const media = name.includes("media");
      const [rule] = inputs.rules;
      expect(rule.filter).to.deep.equal({ prefix: "" });
      expect(rule.deleteMarkerReplication.status).to.equal(media ? "Enabled" : "Disabled");
      expect(rule.sourceSelectionCriteria.sseKmsEncryptedObjects.status).to.equal("Enabled");
      expect(rule.destination.encryptionConfiguration.replicaKmsKeyId).to.equal("arn:mock:vault-replica-key");
      expect(rule.destination.bucket).to.equal(
        `arn:aws:s3:::usc-pis-${media ? "media" : "vault"}-111122223333-ap-northeast-1`,
      );
      const versionings = recording
        .of("aws:s3/bucketVersioning:BucketVersioning")
        .filter((versioning) => versioning.name.includes(media ? "-media-" : "-backups-"));
      expect(versionings).to.have.length(2);
      for (const versioning of versionings) {
        expect(recording.waitsFor({ name, inputs, ...resource }, versioning)).to.equal(true);
      }
    }
  });

  it("puts each bucket's policy last, since it denies what stands before", () => {
    for (const policy of recording.of("aws:s3/bucketPolicy:BucketPolicy")) {
      const prefix = policy.name.replace(/-policy$/, "");
      for (const part of ["encryption", "lock", "lifecycle", "ownership", "public-access"]) {
        expect(recording.waitsFor(policy, recording.one(`${prefix}-${part}`)), `${prefix}-${part}`).to.equal(true);
      }
    }
  });

  it("exempts another deployer when it is named, and no one else", async () => {
    const vaultDeployerArn = "arn:aws:iam::111122223333:role/ops/deploy";
    const { recording: other } = await make({ vaultDeployerArn });
    const document = JSON.parse(other.one("vault-primary-backups-policy").inputs.policy);
    const guard = document.Statement.find(({ Sid }: { Sid: string }) => Sid === "SettingsStay");
    expect(guard.Condition.ArnNotLike["aws:PrincipalArn"]).to.deep.equal([
      vaultDeployerArn,
      "arn:aws:sts::111122223333:assumed-role/deploy/*",
      "arn:aws:iam::111122223333:role/usc-pis-break-glass",
      "arn:aws:sts::111122223333:assumed-role/usc-pis-break-glass/*",
    ]);
  });

  it("keeps runs by pk and sk, ends them by expiresAt, and can bring them back", () => {
    for (const { inputs } of recording.of("aws:dynamodb/table:Table")) {
      expect(inputs).to.deep.include({
        name: "usc-pis-runs",
        hashKey: "pk",
        rangeKey: "sk",
        billingMode: "PAY_PER_REQUEST",
        ttl: { attributeName: "expiresAt", enabled: true },
        pointInTimeRecovery: { enabled: true },
      });
      expect(inputs.serverSideEncryption.enabled).to.equal(true);
    }
  });
});

/**
 * Who may do what in the sandbox's account: the roles that an account's administrator makes before this project comes.
 * The vault's own bucket and key policies, which the vault stack brings, stand beside them.
 */
import {
  mediaBucketName,
  recoveryRoleName,
  runTableName,
  vaultBucketName,
  vaultDeployerRoleName,
} from "../../backup/layout";

export interface IdentityScope {
  system: string;
  account: string;
  regions: readonly [primary: string, replica: string];
}

export interface Statement {
  Sid: string;
  Effect: "Allow" | "Deny";
  Action: string | string[];
  Resource: string | string[];
  Condition?: Record<string, Record<string, string | string[]>>;
}

export interface PolicyDocument {
  Version: "2012-10-17";
  Statement: Statement[];
}

/** Role that deploys the primary and the recovery stacks. */
export function deployerRoleName(system: string): string {
  return `${system}-deployer`;
}

/** Role of the people who run backups and recoveries. */
export function administratorRoleName(system: string): string {
  return `${system}-administrator`;
}

/** Names of the profiles in the sandbox's AWS configuration. */
export const PROFILES = {
  root: "sandbox-root",
  vaultDeployer: "vault-deployer",
  deployer: "deployer",
  administrator: "administrator",
} as const;

function buckets(scope: IdentityScope): string[] {
  return scope.regions.flatMap((region) => [
    `arn:aws:s3:::${vaultBucketName(scope.system, scope.account, region)}`,
    `arn:aws:s3:::${mediaBucketName(scope.system, scope.account, region)}`,
  ]);
}

function role(scope: IdentityScope, name: string): string {
  return `arn:aws:iam::${scope.account}:role/${name}`;
}

const inside = (arns: readonly string[]) => arns.map((arn) => `${arn}/*`);

/** Reads that name no resource. */
const LOOK_UP: Statement = {
  Sid: "LookUp",
  Effect: "Allow",
  Action: ["sts:GetCallerIdentity", "s3:ListAllMyBuckets", "kms:ListAliases", "kms:ListKeys"],
  Resource: "*",
};

/** Trust of an administrator-made role: the account itself, as after an ordinary set-up. */
export function trustPolicy(scope: IdentityScope): object {
  return {
    Version: "2012-10-17",
    Statement: [
      { Effect: "Allow", Principal: { AWS: `arn:aws:iam::${scope.account}:root` }, Action: "sts:AssumeRole" },
    ],
  };
}

/**
 * Deploys the vault stack: everything of the vault's buckets, keys, tables and roles, but neither shortens a lock nor
 * reads backups' contents.
 */
export function vaultDeployerPolicy(scope: IdentityScope): PolicyDocument {
  const { system, account } = scope;
  const all = buckets(scope);
  return {
    Version: "2012-10-17",
    Statement: [
      LOOK_UP,
      { Sid: "Buckets", Effect: "Allow", Action: "s3:*", Resource: all },
      {
        Sid: "NoObjects",
        Effect: "Deny",
        Action: [
          "s3:BypassGovernanceRetention",
          "s3:DeleteObject*",
          "s3:GetObject",
          "s3:GetObjectVersion",
          "s3:PutObject",
        ],
        Resource: inside(all),
      },
      { Sid: "Keys", Effect: "Allow", Action: "kms:*", Resource: "*" },
      {
        Sid: "Tables",
        Effect: "Allow",
        Action: "dynamodb:*",
        Resource: scope.regions.map((region) => `arn:aws:dynamodb:${region}:${account}:table/${runTableName(system)}`),
      },
      // MiniStack judges this call, which names its table by ARN, as one on every resource.
      { Sid: "TagsOfTables", Effect: "Allow", Action: "dynamodb:ListTagsOfResource", Resource: "*" },
      {
        Sid: "Roles",
        Effect: "Allow",
        Action: "iam:*",
        Resource: [role(scope, `${system}-*`)],
      },
      {
        // It can't give itself more than it was given.
        Sid: "NotItselfNorTheOthers",
        Effect: "Deny",
        Action: ["iam:Put*", "iam:Attach*", "iam:Detach*", "iam:Delete*", "iam:Update*", "iam:Create*"],
        Resource: [vaultDeployerRoleName(system), deployerRoleName(system), administratorRoleName(system)].map((name) =>
          role(scope, name),
        ),
      },
    ],
  };
}

/** What deployers and people do alike with a vault that is there: read it, and recover as the recovery role. */
function useOfVault(scope: IdentityScope): Statement[] {
  const { system, account, regions } = scope;
  return [
    {
      Sid: "UseKeys",
      Effect: "Allow",
      Action: ["kms:Decrypt", "kms:DescribeKey", "kms:GenerateDataKey"],
      Resource: "*",
    },
    {
      Sid: "SeeRuns",
      Effect: "Allow",
      Action: ["dynamodb:DescribeTable", "dynamodb:GetItem", "dynamodb:Query", "dynamodb:Scan"],
      Resource: regions.map((region) => `arn:aws:dynamodb:${region}:${account}:table/${runTableName(system)}`),
    },
    { Sid: "Recover", Effect: "Allow", Action: "sts:AssumeRole", Resource: role(scope, recoveryRoleName(system)) },
  ];
}

/** Deploys the primary and recovery stacks: what runs around the vault, and reads of the vault. */
export function deployerPolicy(scope: IdentityScope): PolicyDocument {
  const { system } = scope;
  const all = buckets(scope);
  return {
    Version: "2012-10-17",
    Statement: [
      LOOK_UP,
      {
        Sid: "Services",
        Effect: "Allow",
        Action: ["lambda:*", "scheduler:*", "sqs:*", "sns:*", "cloudwatch:*", "logs:*", "secretsmanager:*"],
        Resource: "*",
      },
      { Sid: "Roles", Effect: "Allow", Action: "iam:*", Resource: [role(scope, `${system}-*`)] },
      {
        Sid: "NotTheVaultsRoles",
        Effect: "Deny",
        Action: ["iam:Put*", "iam:Attach*", "iam:Detach*", "iam:Delete*", "iam:Update*", "iam:Create*", "iam:PassRole"],
        Resource: [
          vaultDeployerRoleName(system),
          deployerRoleName(system),
          administratorRoleName(system),
          recoveryRoleName(system),
          `${system}-break-glass`,
          `${system}-vault-*`,
        ].map((name) => role(scope, name)),
      },
      { Sid: "SeeVault", Effect: "Allow", Action: ["s3:ListBucket*", "s3:GetBucket*"], Resource: all },
      {
        Sid: "Releases",
        Effect: "Allow",
        Action: ["s3:GetObject", "s3:GetObjectVersion"],
        Resource: all.map((arn) => `${arn}/release/*`),
      },
      ...useOfVault(scope),
    ],
  };
}

/** People: add releases, take backups by invoking the jobs, read runs and metrics, recover as the recovery role. */
export function administratorPolicy(scope: IdentityScope): PolicyDocument {
  const all = buckets(scope);
  return {
    Version: "2012-10-17",
    Statement: [
      LOOK_UP,
      {
        Sid: "SeeVault",
        Effect: "Allow",
        Action: [
          "s3:ListBucket*",
          "s3:GetBucket*",
          "s3:GetLifecycleConfiguration",
          "s3:GetReplicationConfiguration",
          "s3:GetEncryptionConfiguration",
        ],
        Resource: all,
      },
      {
        Sid: "ReadVault",
        Effect: "Allow",
        Action: [
          "s3:GetObject",
          "s3:GetObjectVersion",
          "s3:GetObjectRetention",
          "s3:GetObjectLegalHold",
          "s3:GetObjectAttributes",
        ],
        Resource: inside(all),
      },
      {
        Sid: "AddReleases",
        Effect: "Allow",
        Action: ["s3:PutObject", "s3:PutObjectRetention"],
        Resource: all.map((arn) => `${arn}/release/*`),
      },
      ...useOfVault(scope),
      {
        Sid: "TakeBackups",
        Effect: "Allow",
        Action: [
          "lambda:InvokeFunction",
          "lambda:GetFunction",
          "lambda:GetFunctionConfiguration",
          "lambda:ListFunctions",
        ],
        Resource: "*",
      },
      {
        Sid: "Watch",
        Effect: "Allow",
        Action: [
          "cloudwatch:Get*",
          "cloudwatch:Describe*",
          "cloudwatch:List*",
          "logs:Get*",
          "logs:Describe*",
          "logs:FilterLogEvents",
          "scheduler:Get*",
          "scheduler:List*",
        ],
        Resource: "*",
      },
    ],
  };
}

/** Roles to make, by profile. */
export function roles(scope: IdentityScope): { profile: string; name: string; policy: PolicyDocument }[] {
  const { system } = scope;
  return [
    { profile: PROFILES.vaultDeployer, name: vaultDeployerRoleName(system), policy: vaultDeployerPolicy(scope) },
    { profile: PROFILES.deployer, name: deployerRoleName(system), policy: deployerPolicy(scope) },
    { profile: PROFILES.administrator, name: administratorRoleName(system), policy: administratorPolicy(scope) },
  ];
}

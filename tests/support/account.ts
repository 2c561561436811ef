import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { AssumeRoleCommand, STSClient } from "@aws-sdk/client-sts";
import { bootstrapAccount, type ProfileFiles } from "../../sandbox/aws/bootstrap";
import { roles } from "../../sandbox/aws/identities";
import { type LocalSettings, ROOT_CREDENTIALS, startAws } from "../../sandbox/aws/server";
import { SCOPE } from "../../sandbox/supervisor/services";
import { stopGroup } from "../../sandbox/supervisor/stop";

export interface ClientOptions {
  endpoint: string;
  region: string;
  credentials: { accessKeyId: string; secretAccessKey: string; sessionToken?: string };
  maxAttempts: number;
}

export interface TestAccount {
  url: string;
  pid: number;
  log: string;
  profiles: ProfileFiles;
  /** Options for any client of the AWS SDK, as the account's root: bound by no policy. */
  root(region?: string): ClientOptions;
  /** The same in a session of a role. */
  role(name: string, region?: string): Promise<ClientOptions>;
  /** The same in a session of the role behind a profile: vault-deployer, deployer, administrator. */
  profile(name: string, region?: string): Promise<ClientOptions>;
  stop(): Promise<void>;
}

/** The root's options in a session of a role of the sandbox's account. */
export async function inRole(root: ClientOptions, name: string): Promise<ClientOptions> {
  const sts = new STSClient(root);
  const RoleArn = `arn:aws:iam::${SCOPE.account}:role/${name}`;
  const { Credentials } = await sts.send(new AssumeRoleCommand({ RoleArn, RoleSessionName: "test" }));
  sts.destroy();
  const { AccessKeyId = "", SecretAccessKey = "", SessionToken = "" } = Credentials ?? {};
  const credentials = { accessKeyId: AccessKeyId, secretAccessKey: SecretAccessKey, sessionToken: SessionToken };
  return { ...root, credentials };
}

/** The sandbox's account, with its roles, on a MiniStack of the test's own; `stop` leaves nothing. */
export async function startAccount(local: LocalSettings = {}): Promise<TestAccount> {
  const folder = mkdtempSync(join(tmpdir(), "usc-pis-test-aws-"));
  const log = join(folder, "aws.log");
  const { pid, startTime, url } = await startAws({ folder: join(folder, "aws"), log, sandboxRoot: folder, local });
  const profiles = await bootstrapAccount(SCOPE, url, join(folder, "aws"));
  const root = (region: string = SCOPE.regions[0]) => ({
    endpoint: url,
    region,
    credentials: ROOT_CREDENTIALS,
    maxAttempts: 1,
  });
  const role = (name: string, region?: string) => inRole(root(region), name);
  return {
    url,
    pid,
    log,
    profiles,
    root,
    role,
    profile: async (name, region) => {
      const found = roles(SCOPE).find(({ profile }) => profile === name);
      if (found === undefined) throw new Error(`no role has the profile ${name}`);
      return role(found.name, region);
    },
    stop: async () => {
      await stopGroup({ pid, startTime });
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

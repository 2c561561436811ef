/** What an account's administrator does once: the roles, and the profiles by which people and tools take them. */
import { join } from "node:path";
import { CreateRoleCommand, IAMClient, PutRolePolicyCommand, UpdateAssumeRolePolicyCommand } from "@aws-sdk/client-iam";
import { privateFolder, writeWhole } from "../supervisor/paths";
import { type IdentityScope, PROFILES, roles, trustPolicy } from "./identities";
import { ROOT_CREDENTIALS } from "./server";

/** Files of profiles, for AWS_CONFIG_FILE and AWS_SHARED_CREDENTIALS_FILE. */
export interface ProfileFiles {
  config: string;
  credentials: string;
}

export function profileFiles(folder: string): ProfileFiles {
  return { config: join(folder, "config"), credentials: join(folder, "credentials") };
}

/** Text of the configuration file: every profile but the root takes its role from the root's keys. */
export function configFile(scope: IdentityScope, endpoint: string): string {
  // With the endpoint in each profile, a tool that is given only the profile still stays on this machine.
  // The AWS CLI would presign by the old signature, which the local AWS does not check.
  const s3 = "s3 =\n    signature_version = s3v4\n";
  const common = `region = ${scope.regions[0]}\nendpoint_url = ${endpoint}\noutput = json\n${s3}`;
  const root = `[profile ${PROFILES.root}]\n${common}`;
  const others = roles(scope).map(
    ({ profile, name }) =>
      `[profile ${profile}]\n${common}role_arn = arn:aws:iam::${scope.account}:role/${name}\nsource_profile = ${PROFILES.root}\nrole_session_name = ${profile}\n`,
  );
  return [root, ...others].join("\n");
}

export function credentialsFile(): string {
  const { accessKeyId, secretAccessKey } = ROOT_CREDENTIALS;
  return `# Keys of the local AWS emulator; no real account has them.\n[${PROFILES.root}]\naws_access_key_id = ${accessKeyId}\naws_secret_access_key = ${secretAccessKey}\n`;
}

/** Makes the roles and writes the profiles; doing it again changes nothing. */
export async function bootstrapAccount(scope: IdentityScope, endpoint: string, folder: string): Promise<ProfileFiles> {
  const iam = new IAMClient({ endpoint, region: scope.regions[0], credentials: ROOT_CREDENTIALS });
  const trust = JSON.stringify(trustPolicy(scope));
  try {
    for (const { name, policy } of roles(scope)) {
      try {
        await iam.send(new CreateRoleCommand({ RoleName: name, AssumeRolePolicyDocument: trust }));
      } catch (error) {
        if ((error as Error).name !== "EntityAlreadyExistsException") throw error;
        await iam.send(new UpdateAssumeRolePolicyCommand({ RoleName: name, PolicyDocument: trust }));
      }
      await iam.send(
        new PutRolePolicyCommand({ RoleName: name, PolicyName: name, PolicyDocument: JSON.stringify(policy) }),
      );
    }
  } finally {
    iam.destroy();
  }
  const files = profileFiles(privateFolder(folder));
  writeWhole(files.config, configFile(scope, endpoint));
  writeWhole(files.credentials, credentialsFile());
  return files;
}

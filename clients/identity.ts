import { AssumeRoleCommand, GetCallerIdentityCommand, STSClient } from "@aws-sdk/client-sts";
import { UscPisError } from "../backup/errors";

const REQUESTS = { maxAttempts: 2, requestHandler: { connectionTimeout: 5_000, socketTimeout: 15_000 } } as const;

/** Asks STS in one region after the other: the first may be the one that is lost. */
async function inAnyRegion<T>(
  what: string,
  regions: readonly string[],
  ask: (client: STSClient) => Promise<T>,
): Promise<T> {
  let first: unknown;
  for (const region of regions) {
    try {
      return await ask(new STSClient({ region, ...REQUESTS }));
    } catch (error) {
      first ??= error;
    }
  }
  const reason = first instanceof Error ? first.message : String(first);
  throw new UscPisError("aws_refused", `${what} failed: ${reason}`, {
    cause: first,
    hint: "check AWS_PROFILE or the AWS credentials of this shell: aws sts get-caller-identity",
  });
}

/** The account of the caller's credentials. @throws UscPisError `aws_refused` */
export function callerAccount(regions: readonly string[]): Promise<string> {
  return inAnyRegion("asking AWS for the account", regions, async (client) => {
    const { Account } = await client.send(new GetCallerIdentityCommand({}));
    if (!Account) throw new Error("the answer names no account");
    return Account;
  });
}

export interface RoleCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken: string;
  readonly expiration: Date;
}

/**
 * Credentials of a role, as the SDK's clients take them; they ask again shortly before the hour is over.
 * @throws UscPisError `aws_refused` when the role may not be assumed.
 */
export function assumeRole(
  roleArn: string,
  sessionName: string,
  regions: readonly string[],
): () => Promise<RoleCredentials> {
  return () =>
    inAnyRegion(`assuming ${roleArn}`, regions, async (client) => {
      const { Credentials } = await client.send(
        new AssumeRoleCommand({
          RoleArn: roleArn,
          // AWS takes 2 to 64 of these characters only.
          RoleSessionName: sessionName.replace(/[^\w+=,.@-]/g, "-").slice(0, 64),
          DurationSeconds: 3_600,
        }),
      );
      const { AccessKeyId, SecretAccessKey, SessionToken, Expiration } = Credentials ?? {};
      if (!AccessKeyId || !SecretAccessKey || !SessionToken) throw new Error("the answer holds no credentials");
      return {
        accessKeyId: AccessKeyId,
        secretAccessKey: SecretAccessKey,
        sessionToken: SessionToken,
        expiration: Expiration ?? new Date(Date.now() + 3_000_000),
      };
    });
}

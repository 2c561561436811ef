/** The sandbox's gateway and its local AWS as processes of the test's own, and AWS SDK clients that go through it. */
import { createHash } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CreateRoleCommand, IAMClient, PutRolePolicyCommand } from "@aws-sdk/client-iam";
import { CreateBucketCommand, S3Client } from "@aws-sdk/client-s3";
import { trustPolicy } from "../../sandbox/aws/identities";
import { ROOT_CREDENTIALS } from "../../sandbox/aws/server";
import { askLocal } from "../../sandbox/gateway/client";
import { sandboxPaths } from "../../sandbox/supervisor/paths";
import { SCOPE } from "../../sandbox/supervisor/services";
import { down, up } from "../../sandbox/supervisor/supervisor";
import { type ClientOptions, inRole } from "./account";

export const [PRIMARY, REPLICA] = SCOPE.regions;
export const MIB = 1024 ** 2;
/** As S3 writes a checksum. */
export const sha256 = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("base64");

export interface TestGateway {
  url: string;
  /** The local AWS itself. */
  aws: string;
  /** Process of the gateway. */
  pid: number;
  root(region?: string): ClientOptions;
  /** A session of a role: its signatures are verified, the root's are not. */
  role(name: string, region?: string): Promise<ClientOptions>;
  /** A request to `/_sandbox/…` with the control token. */
  control(method: string, path: string, body?: unknown): Promise<any>;
  stop(): Promise<void>;
}

export async function startTestGateway(): Promise<TestGateway> {
  const folder = mkdtempSync(join(tmpdir(), "usc-pis-test-gateway-"));
  const paths = sandboxPaths(join(folder, ".sandbox"));
  const { state } = await up(paths, { services: ["gateway", "aws"] });
  const { gateway, aws } = state.services;
  const endpoint = gateway?.url ?? "";
  const root = (region: string = PRIMARY) => ({ endpoint, region, credentials: ROOT_CREDENTIALS, maxAttempts: 1 });
  return {
    url: endpoint,
    aws: aws?.url ?? "",
    pid: gateway?.pid ?? 0,
    root,
    role: (name, region) => inRole(root(region), name),
    async control(method, path, body) {
      const { controlToken: token } = state.gateway;
      const answer = await askLocal(`${endpoint}/_sandbox/${path}`, { folder: paths.aws, method, token, body });
      if (answer.status >= 300) throw new Error(`${method} ${path}: ${answer.status} ${JSON.stringify(answer.body)}`);
      return answer.body;
    },
    async stop() {
      await down(paths);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/**
 * An S3 client in a session of a new role, and its bucket. A role's signature is verified by the local AWS: whatever
 * the gateway changed on the way would be refused.
 */
export async function signingS3(gateway: TestGateway, Bucket: string): Promise<S3Client> {
  const iam = new IAMClient(gateway.root());
  const policy = { Version: "2012-10-17", Statement: [{ Effect: "Allow", Action: "s3:*", Resource: "*" }] };
  const RoleName = "signs";
  await iam.send(new CreateRoleCommand({ RoleName, AssumeRolePolicyDocument: JSON.stringify(trustPolicy(SCOPE)) }));
  await iam.send(new PutRolePolicyCommand({ RoleName, PolicyName: "all", PolicyDocument: JSON.stringify(policy) }));
  iam.destroy();
  const s3 = new S3Client({ ...(await gateway.role(RoleName)), forcePathStyle: true });
  await s3.send(new CreateBucketCommand({ Bucket }));
  return s3;
}

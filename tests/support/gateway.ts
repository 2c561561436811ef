/** The sandbox's gateway and its local AWS as processes of the test's own, and AWS SDK clients that go through it. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { AssumeRoleCommand, STSClient } from "@aws-sdk/client-sts";
import { ROOT_CREDENTIALS } from "../../sandbox/aws/server";
import { askLocal } from "../../sandbox/gateway/client";
import { sandboxPaths } from "../../sandbox/supervisor/paths";
import { SCOPE } from "../../sandbox/supervisor/services";
import { down, up } from "../../sandbox/supervisor/supervisor";
import type { ClientOptions } from "./account";

export const [PRIMARY, REPLICA] = SCOPE.regions;

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
    async role(name, region = PRIMARY) {
      const sts = new STSClient(root(region));
      const RoleArn = `arn:aws:iam::${SCOPE.account}:role/${name}`;
      const { Credentials } = await sts.send(new AssumeRoleCommand({ RoleArn, RoleSessionName: "test" }));
      sts.destroy();
      const { AccessKeyId = "", SecretAccessKey = "", SessionToken = "" } = Credentials ?? {};
      const credentials = { accessKeyId: AccessKeyId, secretAccessKey: SecretAccessKey, sessionToken: SessionToken };
      return { ...root(region), credentials };
    },
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

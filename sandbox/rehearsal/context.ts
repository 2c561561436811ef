/** What the steps of a rehearsal share, and the tools by which they act: engine, command line, clients. */
import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { AssumeRoleCommand, STSClient } from "@aws-sdk/client-sts";
import type { Heroku } from "../../clients/heroku";
import { certificateFiles, trustCertificate } from "../aws/certificate";
import { PROFILES, roles } from "../aws/identities";
import { ROOT_CREDENTIALS } from "../aws/server";
import { awsEndpoint, childEnvironment, STACKS, type StackRole, serviceUrl } from "../environment";
import { herokuClient } from "../seed";
import { nodeFolder, type SandboxPaths } from "../supervisor/paths";
import { SCOPE } from "../supervisor/services";
import type { SandboxState } from "../supervisor/state";
import { type Operation, parseEvents } from "./events";
import { run } from "./run";

export interface AwsAccess {
  endpoint: string;
  region: string;
  credentials: { accessKeyId: string; secretAccessKey: string; sessionToken?: string };
}

export interface ActOptions {
  signal?: AbortSignal;
  /** Told the lines that a program prints. */
  onLine?: (line: string) => void;
}

/** A sandbox that is up, and how to act on it. Tests act by the same tools as the rehearsal. */
export class Workbench {
  readonly heroku: Heroku;

  constructor(
    readonly paths: SandboxPaths,
    readonly state: SandboxState,
  ) {
    this.heroku = herokuClient(state);
    trustCertificate(certificateFiles(paths.aws).cert);
  }

  /** Runs the engine on a stack, as its deployer. @returns standard output */
  async pulumi(role: StackRole, args: readonly string[], options: ActOptions = {}): Promise<string> {
    const [command = "pulumi"] = args;
    return run("pulumi", [...args, "--stack", STACKS[role], "--non-interactive", "--color", "never"], {
      what: `pulumi ${command} of ${STACKS[role]}`,
      env: { ...childEnvironment(this.paths, this.state, { stack: role }), PULUMI_DEBUG_COMMANDS: "true" },
      sandboxRoot: this.paths.root,
      log: join(this.paths.logs, `pulumi-${role}-${command}.log`),
      ...options,
    });
  }

  /** `pulumi up` without asking. @returns what it did, by the engine's own account */
  async deploy(role: StackRole, options: ActOptions & { args?: readonly string[] } = {}): Promise<Operation[]> {
    const { args = [], ...act } = options;
    const log = join(this.paths.logs, `events-${role}.jsonl`);
    rmSync(log, { force: true });
    await this.pulumi(role, ["up", "--yes", "--skip-preview", "--event-log", log, ...args], act);
    return parseEvents(readFileSync(log, "utf8"));
  }

  /** The stack's deployment as the engine exports it. */
  async exportStack(role: StackRole, options: ActOptions = {}): Promise<unknown> {
    return JSON.parse(await this.pulumi(role, ["stack", "export"], options));
  }

  /** Outputs of a stack, secrets included: they are this sandbox's own. */
  async outputs(role: StackRole, options: ActOptions = {}): Promise<Record<string, unknown>> {
    return JSON.parse(await this.pulumi(role, ["stack", "output", "--json", "--show-secrets"], options));
  }

  /** Runs our own command line as an administrator. @returns what it printed with `--json` */
  async cli<T>(args: readonly string[], options: ActOptions = {}): Promise<T> {
    const text = await run(join(nodeFolder(), "node"), ["cli/bin.js", ...args, "--json"], {
      what: `usc-pis ${args.slice(0, 2).join(" ")}`,
      env: childEnvironment(this.paths, this.state),
      sandboxRoot: this.paths.root,
      log: join(this.paths.logs, "cli.log"),
      ...options,
    });
    return JSON.parse(text) as T;
  }

  /** A session of one of the administrator-made roles, for clients in this process. */
  async access(profile: string, region: string = SCOPE.regions[0]): Promise<AwsAccess> {
    const endpoint = awsEndpoint(this.state);
    if (profile === PROFILES.root) return { endpoint, region, credentials: ROOT_CREDENTIALS };
    const role = roles(SCOPE).find((candidate) => candidate.profile === profile);
    if (role === undefined) throw new Error(`no role has the profile ${profile}`);
    return this.assume(role.name, region);
  }

  /** A session of any role, taken by the account's root. */
  async assume(roleName: string, region: string = SCOPE.regions[0]): Promise<AwsAccess> {
    const endpoint = awsEndpoint(this.state);
    const sts = new STSClient({ endpoint, region, credentials: ROOT_CREDENTIALS });
    try {
      const { Credentials } = await sts.send(
        new AssumeRoleCommand({
          RoleArn: `arn:aws:iam::${SCOPE.account}:role/${roleName}`,
          RoleSessionName: "sandbox",
        }),
      );
      const { AccessKeyId = "", SecretAccessKey = "", SessionToken } = Credentials ?? {};
      return {
        endpoint,
        region,
        credentials: {
          accessKeyId: AccessKeyId,
          secretAccessKey: SecretAccessKey,
          ...(SessionToken === undefined ? {} : { sessionToken: SessionToken }),
        },
      };
    } finally {
      sts.destroy();
    }
  }

  /** The database that an app uses now. */
  async databaseUrl(app: string, signal?: AbortSignal): Promise<string> {
    const { DATABASE_URL: url } = await this.heroku.configVars(app, signal);
    if (url === undefined) throw new Error(`app ${app} has no DATABASE_URL`);
    return url;
  }

  /** A request of Heroku's Platform API that no client of ours makes, such as deleting an app. */
  async platform(method: string, path: string, signal?: AbortSignal): Promise<unknown> {
    const answer = await fetch(`${serviceUrl(this.state, "heroku")}${path}`, {
      method,
      headers: {
        accept: "application/vnd.heroku+json; version=3",
        authorization: `Bearer ${this.state.heroku.apiKey}`,
      },
      ...(signal === undefined ? {} : { signal }),
    });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${method} ${path} was answered by ${answer.status}: ${text}`);
    return text === "" ? undefined : JSON.parse(text);
  }
}

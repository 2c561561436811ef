import * as heroku from "@pulumi/heroku";
import * as pulumi from "@pulumi/pulumi";
import { composeConfig, derivedFromAddress, derivedFromRedis } from "./config-vars";
import type { ProcessType } from "./process-types";

/** How many dynos of which size a process has. */
export interface ProcessFormation {
  /** Number of dynos; 0 stops the process. `beat` must not exceed 1, or every periodic task runs twice. */
  quantity: number;
  /** Size, such as `basic` or `standard-1x`. All processes of an app share eco and basic, or none. */
  size: string;
}

/** What stands before anything else may touch the database or the domain. */
export interface AppTarget {
  appName: pulumi.Output<string>;
  /** UUID of the app. */
  appId: pulumi.Output<string>;
  /** UUID of the Postgres add-on. */
  databaseId: pulumi.Output<string>;
  /** `https://NAME-<hex>.herokuapp.com/`. */
  webUrl: pulumi.Output<string>;
}

/** Arguments of {@link HerokuApp}. */
export interface HerokuAppArgs {
  /** Name, unique on all of Heroku. */
  appName: string;
  /** Heroku's region. Changing it replaces the app. */
  region: "us" | "eu";
  /** Heroku's stack, such as `heroku-24`. Version-like, so never defaulted. */
  stack: string;
  /** Buildpacks in order: the front end is built before Django collects it. */
  buildpacks: readonly string[];
  /** `heroku-postgresql:…`. Changed in place. */
  postgresPlan: string;
  /** `heroku-redis:…`: broker of the Celery processes. */
  redisPlan: string;
  /** Dynos of each process. */
  formation: Readonly<Record<ProcessType, ProcessFormation>>;
  /** The clinic's own host name. @default none: the app is reached by Heroku's name */
  domain?: string;
  /** The pinned release. Nothing but another version or tarball builds again. */
  release: {
    /** Name of the version, shown by Heroku. */
    version: string;
    /** Tarball relative to the project root: an absolute path would make a moved checkout a change. */
    path: string;
  };
  /** Plain config vars. Derived ones are added, add-ons' own are left alone. */
  config: Readonly<Record<string, string>>;
  /** Secret config vars, by name. */
  secretConfig: Readonly<Record<string, pulumi.Input<string>>>;
  /**
   * Brings data into the database before config vars and code. On Heroku every build and config change of an app with
   * code runs its release command, which migrates, so that on a recovery data come first.
   * @default nothing: the database starts empty
   */
  dataFirst?: (target: AppTarget) => pulumi.Resource;
  /**
   * Waits until the release that the build made is live, before processes are scaled.
   * @default nothing: right for an app without a release command
   */
  released?: (target: AppTarget, build: heroku.Build) => pulumi.Resource;
  /**
   * Looks at the running app before the domain moves to it. It is handed the processes, which its resource has to depend
   * on.
   * @default nothing
   */
  checksBeforeDomain?: (target: AppTarget, processes: pulumi.Resource[]) => pulumi.Resource;
  /** Refuses to delete app and database. @default true */
  protect?: boolean;
}

/**
 * The application on Heroku, in the order that a recovery needs: app, add-ons, data, config vars, build, processes,
 * checks, domain.
 *
 * @example new HerokuApp("app", { appName: "usc-pis", region: "us", stack: "heroku-24", ... });
 */
export class HerokuApp extends pulumi.ComponentResource {
  /** Name of the app, known to Heroku. */
  readonly appName: pulumi.Output<string>;
  /** Where people reach it. */
  readonly url: pulumi.Output<string>;
  /** UUID of the Postgres add-on. */
  readonly databaseId: pulumi.Output<string>;
  readonly nodes: {
    app: heroku.App;
    database: heroku.Addon;
    redis: heroku.Addon;
    config: heroku.AppConfigAssociation;
    build: heroku.Build;
    formation: Record<ProcessType, heroku.Formation>;
    domain?: heroku.Domain;
  };

  constructor(name: string, args: HerokuAppArgs, opts?: pulumi.ComponentResourceOptions) {
    super("usc-pis:app:HerokuApp", name, {}, opts);
    const protect = args.protect ?? true;
    const app = new heroku.App(
      `${name}-app`,
      {
        name: args.appName,
        region: args.region,
        stack: args.stack,
        buildpacks: [...args.buildpacks],
        acm: args.domain !== undefined,
      },
      { parent: this, protect },
    );
    const database = new heroku.Addon(
      `${name}-database`,
      { appId: app.id, plan: args.postgresPlan },
      { ...this.within(app), protect },
    );
    const redis = new heroku.Addon(`${name}-redis`, { appId: app.id, plan: args.redisPlan }, this.within(app));

    const target: AppTarget = { appName: app.name, appId: app.id, databaseId: database.id, webUrl: app.webUrl };
    const restored = args.dataFirst?.(target);
    const dataReady: pulumi.Resource[] = [database, redis, ...(restored ? [restored] : [])];

    const config = this.config(name, args, app, redis, dataReady);
    const build = new heroku.Build(
      `${name}-build`,
      { appId: app.id, source: { path: args.release.path, version: args.release.version } },
      this.within(app, [...dataReady, config]),
    );
    const released = args.released?.(target, build);
    const formation = this.formation(name, args, app, [build, ...(released ? [released] : [])]);
    const running = Object.values(formation);
    const checks = args.checksBeforeDomain?.(target, running);
    const domain = args.domain
      ? new heroku.Domain(
          `${name}-domain`,
          { appId: app.id, hostname: args.domain },
          this.within(app, [...running, ...(checks ? [checks] : [])]),
        )
      : undefined;

    this.nodes = { app, database, redis, config, build, formation, domain };
    this.appName = app.name;
    this.databaseId = database.id;
    this.url = args.domain ? pulumi.output(`https://${args.domain}/`) : app.webUrl;
    this.registerOutputs({ appName: this.appName, url: this.url, databaseId: this.databaseId });
  }

  /**
   * Options of what lives and dies with the app. Without `deletedWith` a destruction would take the config vars from code
   * that still runs: Heroku's release command then fails, and the destruction with it.
   */
  private within(app: heroku.App, dependsOn: pulumi.Resource[] = []): pulumi.CustomResourceOptions {
    return { parent: this, deletedWith: app, dependsOn };
  }

  private config(
    name: string,
    args: HerokuAppArgs,
    app: heroku.App,
    redis: heroku.Addon,
    dependsOn: pulumi.Resource[],
  ): heroku.AppConfigAssociation {
    const { vars, sensitiveVars } = composeConfig({ plain: args.config, secret: args.secretConfig });
    const fromRedis = pulumi.secret(redis.configVarValues.apply((values) => derivedFromRedis(values ?? {})));
    return new heroku.AppConfigAssociation(
      `${name}-config`,
      {
        appId: app.id,
        vars: app.herokuHostname.apply((herokuHostname) => ({
          ...vars,
          ...derivedFromAddress({ herokuHostname, domain: args.domain }),
        })),
        sensitiveVars: pulumi.secret(
          pulumi.all([pulumi.output(sensitiveVars), fromRedis]).apply(([carried, derived]) => ({
            ...carried,
            ...derived,
          })),
        ),
      },
      this.within(app, dependsOn),
    );
  }

  /** Processes exist once a build has read the Procfile. */
  private formation(
    name: string,
    args: HerokuAppArgs,
    app: heroku.App,
    dependsOn: pulumi.Resource[],
  ): Record<ProcessType, heroku.Formation> {
    const of = (type: ProcessType) =>
      new heroku.Formation(
        `${name}-${type}`,
        { appId: app.id, type, ...args.formation[type] },
        this.within(app, dependsOn),
      );
    return { web: of("web"), worker: of("worker"), beat: of("beat") };
  }
}

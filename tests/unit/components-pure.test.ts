import { existsSync, readFileSync } from "node:fs";
import { expect } from "chai";
import fc from "fast-check";
import { BACKUP_CLASSES, MINIMUM_RETENTION_DAYS } from "../../backup/classes";
import { alarmDescription } from "../../components/alarm-factory";
import { CAPTURE_INTERVALS, captureCron, LATEST_MINUTE } from "../../components/capture-schedule";
import { commandLine } from "../../components/command-line";
import { composeConfig, configProblems, derivedFromRedis } from "../../components/config-vars";
import { dashboardBody } from "../../components/dashboard-body";
import { mediaLifecycleRules, vaultLifecycleRules } from "../../components/lifecycle-rules";
import { MEDIA_RETRY_MINUTES, mediaSyncCron } from "../../components/media-schedule";

const REQUIRED = {
  plain: { CLOUDINARY_CLOUD_NAME: "c" },
  secret: { SECRET_KEY: "s", PGP_ENCRYPTION_KEY: "p", CLOUDINARY_API_KEY: "k", CLOUDINARY_API_SECRET: "x" },
};

describe("lifecycle rules", () => {
  const days = fc.record(
    Object.fromEntries(
      BACKUP_CLASSES.map((name) => [name, fc.integer({ min: MINIMUM_RETENTION_DAYS[name], max: 4000 })]),
    ) as Record<(typeof BACKUP_CLASSES)[number], fc.Arbitrary<number>>,
  );

  it("end every class's backups in whole days, never before its retention, and their bytes soon after", () => {
    fc.assert(
      fc.property(days, (retention) => {
        const rules = vaultLifecycleRules(retention);
        for (const name of BACKUP_CLASSES) {
          const matching = rules.filter(({ filter }) => filter.prefix === `${name}/`);
          expect(matching).to.have.length(1);
          const [rule] = matching;
          expect(rule?.expiration).to.deep.equal({ days: retention[name] });
          expect(rule?.noncurrentVersionExpiration?.noncurrentDays).to.be.within(1, 7);
        }
      }),
    );
  });

  it("end nothing by days that has no class: releases, pointer and markers stay while they are current", () => {
    const classes = new Set<string>(BACKUP_CLASSES.map((name) => `${name}/`));
    const ending = vaultLifecycleRules(MINIMUM_RETENTION_DAYS).filter(
      ({ expiration }) => expiration && "days" in expiration,
    );
    expect(ending.filter(({ filter }) => !classes.has(filter.prefix))).to.deep.equal([]);
    expect(ending).to.have.length(classes.size);
  });

  it("keep current media for ever and replaced ones for a year", () => {
    const rules = mediaLifecycleRules();
    expect(rules.filter(({ expiration }) => expiration && "days" in expiration)).to.deep.equal([]);
    expect(Math.min(...rules.flatMap((rule) => rule.noncurrentVersionExpiration?.noncurrentDays ?? []))).to.be.at.least(
      365,
    );
  });

  it("sweep markers and broken uploads, in a rule without days, under unique ids", () => {
    for (const rules of [vaultLifecycleRules(MINIMUM_RETENTION_DAYS), mediaLifecycleRules()]) {
      const sweep = rules.filter(({ abortIncompleteMultipartUpload }) => abortIncompleteMultipartUpload);
      expect(sweep).to.have.length(1);
      expect(sweep[0]).to.deep.include({
        filter: { prefix: "" },
        expiration: { expiredObjectDeleteMarker: true },
      });
      expect(new Set(rules.map(({ id }) => id)).size).to.equal(rules.length);
    }
  });

  it("refuse days that are not whole", () => {
    for (const hourly of [2.5, 0, Number.NaN]) {
      expect(() => vaultLifecycleRules({ ...MINIMUM_RETENTION_DAYS, hourly })).to.throw("whole number of days");
    }
  });
});

describe("the capture's schedule", () => {
  it("triggers thrice in each slot, within one hour", () => {
    expect(captureCron(17, 60)).to.equal("cron(17,32,47 * * * ? *)");
    expect(captureCron(0, 240)).to.equal("cron(0,15,30 0/4 * * ? *)");
    for (const interval of CAPTURE_INTERVALS) expect(1440 % interval).to.equal(0);
  });

  it("refuses minutes that leave the hour, and intervals that lose RPO", () => {
    expect(captureCron(LATEST_MINUTE, 60)).to.equal("cron(29,44,59 * * * ? *)");
    for (const minute of [-1, LATEST_MINUTE + 1, 1.5]) expect(() => captureCron(minute, 60)).to.throw("capture minute");
    for (const interval of [0, 90, 241, 300, 1440]) expect(() => captureCron(17, interval)).to.throw("interval");
  });
});

describe("the media sync's schedule", () => {
  it("triggers each morning, clear of Heroku's backup and the captures, and again an hour later", () => {
    expect(mediaSyncCron()).to.equal("cron(52 2,3,4,5,6,7 * * ? *)");
    const minutes = captureCron(17, 60).match(/\d+/g);
    expect(minutes).to.include("47").and.not.include("52");
    expect(MEDIA_RETRY_MINUTES).to.equal(60);
  });
});

describe("command lines", () => {
  it("are relative, and leave out what is not set", () => {
    expect(commandLine("vault claim", { app: "a", "take-over": false, before: undefined })).to.equal(
      "node cli/bin.js vault claim --app a",
    );
  });

  it("refuse whatever a shell could take for more than a word", () => {
    const word = /^[A-Za-z0-9][A-Za-z0-9_.:/@+-]*$/;
    fc.assert(
      fc.property(fc.string({ minLength: 1 }), (text) => {
        fc.pre(!word.test(text) && !/^\d{2}:\d{2} [A-Za-z_/]+$/.test(text));
        expect(() => commandLine("x", { app: text })).to.throw("--app is");
      }),
    );
    for (const text of ["a b", "$(id)", "a;b", "`id`", "a\nb", "'", '"', "-x", "a&b", ""]) {
      expect(() => commandLine("x", { app: text }), text).to.throw("--app is");
    }
  });
});

describe("config vars", () => {
  it("compose with defaults that keep the app safe", () => {
    expect(composeConfig(REQUIRED).vars).to.include({
      DEBUG: "False",
      USE_CLOUDINARY: "True",
      DATABASE_SSL_REQUIRE: "True",
    });
    const own = composeConfig({ ...REQUIRED, plain: { ...REQUIRED.plain, DATABASE_SSL_REQUIRE: "False" } });
    expect(own.vars.DATABASE_SSL_REQUIRE).to.equal("False");
  });

  it("empty in a drill what reaches somebody outside, and nothing else", () => {
    const secret = { ...REQUIRED.secret, GMAIL_REFRESH_TOKEN: "g" };
    const { sensitiveVars } = composeConfig({ ...REQUIRED, secret }, { drill: true });
    expect(sensitiveVars).to.deep.equal({
      SECRET_KEY: "s",
      PGP_ENCRYPTION_KEY: "p",
      CLOUDINARY_API_KEY: "",
      CLOUDINARY_API_SECRET: "",
      GMAIL_REFRESH_TOKEN: "",
    });
    expect(composeConfig({ ...REQUIRED, secret }).sensitiveVars.GMAIL_REFRESH_TOKEN).to.equal("g");
  });

  const problem = (change: { plain?: Record<string, string>; secret?: Record<string, string> }) =>
    configProblems({ plain: { ...REQUIRED.plain, ...change.plain }, secret: { ...REQUIRED.secret, ...change.secret } });

  it("refuse what is unknown, derived, an add-on's own, twice there or in plain text though secret", () => {
    expect(problem({})).to.deep.equal([]);
    expect(problem({ plain: { DEBGU: "x" } })[0]).to.contain("DEBGU is not known");
    expect(problem({ plain: { ALLOWED_HOSTS: "*" } })[0]).to.contain("is derived");
    expect(problem({ secret: { DATABASE_URL: "x" } })[0]).to.contain("set by its add-on");
    expect(problem({ secret: { CLOUDINARY_CLOUD_NAME: "x" } })[0]).to.contain("in config and in secretConfig");
    const plain = problem({ plain: { GMAIL_CLIENT_SECRET: "topsecret" } });
    expect(plain[0]).to.contain("expected it in secretConfig");
    expect(plain.join()).not.to.contain("topsecret");
    expect(problem({ plain: { toString: "x" } })[0]).to.contain("not known");
  });

  it("tell Celery how to check Heroku's Redis, once", () => {
    const broker = (url: string) => derivedFromRedis({ REDIS_URL: url }).CELERY_BROKER_URL;
    expect(broker("rediss://h:1")).to.equal("rediss://h:1?ssl_cert_reqs=CERT_NONE");
    expect(broker("rediss://h:1?a=b")).to.equal("rediss://h:1?a=b&ssl_cert_reqs=CERT_NONE");
    expect(broker("rediss://h:1?ssl_cert_reqs=none")).to.equal("rediss://h:1?ssl_cert_reqs=none");
    expect(broker("redis://h:1")).to.equal("redis://h:1");
    expect(derivedFromRedis({})).to.deep.equal({});
  });
});

describe("alarms and dashboard", () => {
  it("say everything in the description, which is all that a mail holds", () => {
    expect(alarmDescription({ severity: "critical", meaning: "M.", runbook: "docs/r.md", nextCommand: "c" })).to.equal(
      "CRITICAL: M.\nNext: c\nRunbook: docs/r.md",
    );
  });

  it("name a runbook that is there", () => {
    const sources = ["components/Alerting.ts", "components/media-alarms.ts"];
    const runbooks = sources.flatMap((file) => {
      const found = [...readFileSync(file, "utf8").matchAll(/"(docs\/runbooks\/[^"]+)"/g)];
      expect(found, file).not.to.be.empty;
      return found.map(([, path]) => path as string);
    });
    for (const path of runbooks) expect(existsSync(path), path).to.equal(true);
    expect(existsSync("docs/runbooks/no-such.md")).to.equal(false);
  });

  it("show alarms first, and each widget in its place", () => {
    const body = JSON.parse(
      dashboardBody({
        system: "s",
        appName: "a",
        region: "r1",
        switchRegion: "r2",
        functionNames: ["f", "g"],
        queueNames: ["q", "p"],
        alarmArns: ["arn:1"],
      }),
    );
    expect(body.widgets[1]).to.deep.include({ type: "alarm", y: 2 });
    const places = body.widgets.map(({ x, y }: { x: number; y: number }) => `${x},${y}`);
    expect(new Set(places).size).to.equal(places.length);
    expect(JSON.stringify(body)).to.contain('"r2"');
  });
});

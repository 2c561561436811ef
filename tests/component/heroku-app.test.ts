import { Command } from "@pulumi/command/local/command";
import * as pulumi from "@pulumi/pulumi";
import { expect } from "chai";
import { HerokuApp, type HerokuAppArgs } from "../../components/HerokuApp";
import { record, resolved, sentAsSecret } from "./recorder";

const one = { quantity: 1, size: "basic" };
const args: HerokuAppArgs = {
  appName: "usc-pis",
  region: "us",
  stack: "heroku-24",
  buildpacks: ["heroku/nodejs", "heroku/python"],
  postgresPlan: "heroku-postgresql:essential-0",
  redisPlan: "heroku-redis:mini",
  formation: { web: one, worker: one, beat: one },
  release: { version: "v1", path: ".releases/abc.tar.gz" },
  config: { SUPPORT_EMAIL: "s@clinic.example", CLOUDINARY_CLOUD_NAME: "clinic" },
  secretConfig: {
    SECRET_KEY: pulumi.secret("k"),
    PGP_ENCRYPTION_KEY: pulumi.secret("p"),
    CLOUDINARY_API_KEY: pulumi.secret("c"),
    CLOUDINARY_API_SECRET: pulumi.secret("d"),
  },
};

const make = (more: Partial<HerokuAppArgs> = {}) => record(() => new HerokuApp("app", { ...args, ...more }));

describe("HerokuApp", () => {
  it("consists of exactly these resources, each below it", async () => {
    const { recording } = await make();
    expect(recording.counts()).to.deep.equal({
      "usc-pis:app:HerokuApp": 1,
      "heroku:index/app:App": 1,
      "heroku:index/addon:Addon": 2,
      "heroku:index/appConfigAssociation:AppConfigAssociation": 1,
      "heroku:index/build:Build": 1,
      "heroku:index/formation:Formation": 3,
    });
    const component = recording.one("app");
    for (const resource of recording.resources) {
      if (resource !== component) expect(resource.parent, resource.name).to.equal(component.urn);
    }
    expect(Object.keys(recording.outputs.get(component.urn) ?? {})).to.have.members(["appName", "url", "databaseId"]);
  });

  it("protects app and database, unless told otherwise", async () => {
    const protectedNames = ({ resources }: { resources: { name: string; protect: boolean }[] }) =>
      resources.filter(({ protect }) => protect).map(({ name }) => name);
    expect(protectedNames((await make()).recording)).to.have.members(["app-app", "app-database"]);
    expect(protectedNames((await make({ protect: false })).recording)).to.deep.equal([]);
  });

  it("deletes everything with the app, so that its config vars are never taken from running code", async () => {
    const { recording } = await make({ domain: "clinic.example.org" });
    const app = recording.one("app-app");
    const others = recording.resources.filter(({ custom, name }) => custom && name !== app.name);
    expect(others.length).to.equal(8);
    for (const { deletedWith, name } of others) expect(deletedWith, name).to.equal(app.urn);
    expect(app.deletedWith).to.equal("");
  });

  it("derives what follows from the app's own host name and its Redis, and leaves the add-ons' variables alone", async () => {
    const { recording } = await make();
    const { vars, sensitiveVars } = recording.one("app-config").inputs;
    expect(vars).to.deep.equal({
      SUPPORT_EMAIL: "s@clinic.example",
      CLOUDINARY_CLOUD_NAME: "clinic",
      DEBUG: "False",
      USE_CLOUDINARY: "True",
      DATABASE_SSL_REQUIRE: "True",
      ALLOWED_HOSTS: "usc-pis-0123456789ab.herokuapp.com",
      SITE_URL: "https://usc-pis-0123456789ab.herokuapp.com",
      FRONTEND_URL: "https://usc-pis-0123456789ab.herokuapp.com",
    });
    expect(sensitiveVars).to.deep.equal({
      SECRET_KEY: "k",
      PGP_ENCRYPTION_KEY: "p",
      CLOUDINARY_API_KEY: "c",
      CLOUDINARY_API_SECRET: "d",
      CELERY_BROKER_URL: "rediss://:pw@redis.example:6379?ssl_cert_reqs=CERT_NONE",
      CELERY_RESULT_BACKEND: "rediss://:pw@redis.example:6379?ssl_cert_reqs=CERT_NONE",
    });
  });

  it("keeps secret variables secret, and only those", async () => {
    const { recording } = await make();
    const { sent } = recording.one("app-config");
    expect(sentAsSecret(sent.sensitiveVars)).to.equal(true);
    expect(sentAsSecret(sent.vars)).to.equal(false);
    expect(JSON.stringify(sent.vars)).not.to.contain("pw@redis");
  });

  it("stands behind the clinic's domain when it has one, with a certificate of Heroku's", async () => {
    const { recording, value } = await make({ domain: "clinic.example.org" });
    expect(recording.one("app-domain").inputs.hostname).to.equal("clinic.example.org");
    expect(recording.one("app-app").inputs.acm).to.equal(true);
    expect(recording.one("app-config").inputs.vars).to.include({
      ALLOWED_HOSTS: "clinic.example.org,usc-pis-0123456789ab.herokuapp.com",
      SITE_URL: "https://clinic.example.org",
    });
    expect(await resolved(value.url)).to.equal("https://clinic.example.org/");
    expect((await make()).recording.one("app-app").inputs.acm).to.equal(false);
  });

  it("brings data before config vars and code, and looks before the domain moves", async () => {
    const { recording } = await make({
      domain: "clinic.example.org",
      dataFirst: ({ appName, databaseId }) =>
        new Command("data", { create: pulumi.interpolate`restore database ${appName} ${databaseId}` }),
      checksBeforeDomain: ({ webUrl }, processes) =>
        new Command("look", { create: pulumi.interpolate`look ${webUrl}` }, { dependsOn: processes }),
    });
    const order = ["app-app", "app-database", "data", "app-config", "app-build", "app-web", "look", "app-domain"];
    for (let index = 1; index < order.length; index++) {
      const later = recording.one(order[index] as string);
      const earlier = recording.one(order[index - 1] as string);
      expect(recording.waitsFor(later, earlier), `${later.name} waits for ${earlier.name}`).to.equal(true);
      expect(recording.waitsFor(earlier, later), `${earlier.name} does not wait for ${later.name}`).to.equal(false);
    }
    for (const process of ["app-web", "app-worker", "app-beat"]) {
      expect(recording.waitsFor(recording.one("look"), recording.one(process)), process).to.equal(true);
    }
    expect(recording.one("data").inputs.create).to.equal("restore database usc-pis app-database-id");
  });

  it("builds from the pinned tarball by a relative path", async () => {
    const { recording } = await make();
    expect(recording.one("app-build").inputs.source).to.deep.equal({ path: ".releases/abc.tar.gz", version: "v1" });
  });

  it("refuses a missing key by which patients' data are encrypted, without saying any value", async () => {
    const { PGP_ENCRYPTION_KEY: _, ...rest } = args.secretConfig;
    let message = "";
    try {
      await make({ secretConfig: rest });
    } catch (error) {
      message = (error as Error).message;
    }
    expect(message).to.contain("PGP_ENCRYPTION_KEY is missing");
  });
});

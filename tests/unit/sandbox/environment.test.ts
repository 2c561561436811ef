import { execFileSync } from "node:child_process";
import { expect } from "chai";
import { childEnvironment, renderEnvironment, sandboxEnvironment } from "../../../sandbox/environment";
import { sandboxPaths } from "../../../sandbox/supervisor/paths";
import { MARKER } from "../../../sandbox/supervisor/stop";
import { sampleState } from "./sample-state";

const paths = sandboxPaths("/somewhere/.sandbox");
const state = sampleState();

/** What a person may have in the environment: keys of real accounts, and addresses of real services. */
const REAL = {
  AWS_ACCESS_KEY_ID: "AKIAREAL",
  AWS_SECRET_ACCESS_KEY: "real",
  AWS_SESSION_TOKEN: "real",
  AWS_PROFILE: "production",
  AWS_ENDPOINT_URL_S3: "https://s3.amazonaws.com",
  AWS_WEB_IDENTITY_TOKEN_FILE: "/var/run/token",
  AWS_CONTAINER_CREDENTIALS_FULL_URI: "http://169.254.170.2/",
  AWS_SOMETHING_NEW: "real",
  HEROKU_API_KEY: "HRKU-real",
  HEROKU_TEAM: "clinic",
  CLOUDINARY_URL: "cloudinary://1:real@clinic",
  CLOUDINARY_API_SECRET: "real",
  PULUMI_ACCESS_TOKEN: "pul-real",
  PULUMI_CONFIG_PASSPHRASE: "real",
  PULUMI_DEBUG_PROVIDERS: "aws:1",
  PGHOST: "real",
  PGPASSWORD: "real",
  DATABASE_URL: "postgres://real",
};

describe("the environment of the sandbox", () => {
  const base = { PATH: "/usr/bin:/bin", HOME: "/home/someone", LANG: "en_US.UTF-8", ...REAL };

  it("leaves nothing of a real account", () => {
    const child = childEnvironment(paths, state, { base });
    const text = JSON.stringify(child);
    for (const [name, value] of Object.entries(REAL)) {
      expect(child[name], name).not.to.equal(value);
    }
    expect(text).not.to.match(/AKIAREAL|"real"|production|amazonaws|HRKU-real|pul-real/);
    // The control: without it all of that would be there.
    expect(JSON.stringify(base)).to.match(/AKIAREAL/);
  });

  it("keeps what is no credential", () => {
    expect(childEnvironment(paths, state, { base })).to.include({ HOME: "/home/someone", LANG: "en_US.UTF-8" });
  });

  it("points every client at this machine", () => {
    const { set } = sandboxEnvironment(paths, state, { base });
    // Past the gateway no fault would reach it.
    expect(set.AWS_ENDPOINT_URL).to.equal("https://127.0.0.1:5005");
    for (const name of ["HEROKU_API_URL", "HEROKU_DATA_API_URL", "HEROKU_HOST", "HEROKU_PARTICLEBOARD_URL"])
      expect(set[name], name).to.match(/^http:\/\/127\.0\.0\.1:\d+$/);
    expect(set.HEROKU_DATA_HOST).to.equal("127.0.0.1");
    expect(set.CLOUDINARY_URL).to.match(/^cloudinary:\/\/\w+:\w+@[\w-]+\?upload_prefix=http:\/\/127\.0\.0\.1:\d+$/);
    expect(set.PULUMI_BACKEND_URL).to.equal("file:///somewhere/.sandbox/state");
    expect(set).to.include({
      AWS_EC2_METADATA_DISABLED: "true",
      PULUMI_SKIP_UPDATE_CHECK: "1",
      DISABLE_TELEMETRY: "true",
    });
  });

  it("takes a stack's own profile, and the administrators' without a stack", () => {
    const profile = (stack?: "vault" | "primary" | "recovery") =>
      sandboxEnvironment(paths, state, { base, stack }).set.AWS_PROFILE;
    expect([profile(), profile("vault"), profile("primary"), profile("recovery")]).to.deep.equal([
      "administrator",
      "vault-deployer",
      "deployer",
      "deployer",
    ]);
  });

  it("puts the project's programs first on PATH, once", () => {
    const once = childEnvironment(paths, state, { base });
    const twice = childEnvironment(paths, state, { base: once });
    expect(once.PATH).to.match(/^\/.*node_modules\/\.bin:\/usr\/bin:\/bin$/);
    expect(twice.PATH).to.equal(once.PATH);
  });

  it("never exports the mark by which processes of the sandbox are found and ended", () => {
    expect(sandboxEnvironment(paths, state, { base }).set).not.to.have.property(MARKER);
  });

  it("survives a shell, odd characters included", () => {
    const environment = { set: { ODD: `it's "$HOME" \`x\` \\ \n.` }, unset: ["AWS_ACCESS_KEY_ID"] };
    const script = `${renderEnvironment(environment, "sh")}\nprintf %s "$ODD"; printf %s "\${AWS_ACCESS_KEY_ID-gone}"`;
    const said = execFileSync("sh", ["-c", script], { encoding: "utf8", env: { AWS_ACCESS_KEY_ID: "real" } });
    expect(said).to.equal(`${environment.set.ODD}gone`);
  });

  it("speaks fish", () => {
    const text = renderEnvironment({ set: { PATH: "/a:/b", ODD: "it's \\" }, unset: ["AWS_PROFILE"] }, "fish");
    expect(text.split("\n")).to.deep.equal([
      "set -e AWS_PROFILE",
      "set -gx PATH '/a' '/b'",
      "set -gx ODD 'it\\'s \\\\'",
    ]);
  });
});

import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { expect } from "chai";
import { installPlugins } from "../../../sandbox/plugins/install";

describe("stand-in plugins: installation", function () {
  this.timeout(60_000);
  const sourceRoot = resolve(__dirname, "../../..");
  let root: string;
  before(() => {
    root = mkdtempSync(join(tmpdir(), "usc-pis-install-"));
  });
  after(() => rmSync(root, { recursive: true }));

  it("puts each plugin where the engine looks for the version that its package asks for, once", async () => {
    const folders = { root, pulumiHome: join(root, "pulumi"), sourceRoot };
    const installed = await installPlugins(folders);
    const version = (name: string) => {
      const file = join(sourceRoot, "node_modules", name, "package.json");
      return JSON.parse(readFileSync(file, "utf8")).version.replace(/^v/, "");
    };
    expect(readdirSync(join(root, "pulumi", "plugins"))).to.have.members([
      `resource-aws-v${version("@pulumi/aws")}`,
      "resource-terraform-provider-v1.1.3",
      `resource-command-v${version("@pulumi/command")}`,
      `resource-random-v${version("@pulumi/random")}`,
    ]);
    for (const { name, folder } of installed) {
      const file = join(folder, `pulumi-resource-${name}`);
      expect(statSync(file).mode & 0o111, name).to.equal(0o111);
      expect(readFileSync(file, "utf8")).to.contain(join(root, "plugins", `${name}.js`));
    }
    const times = () => readdirSync(join(root, "plugins")).map((name) => statSync(join(root, "plugins", name)).mtimeMs);
    const before = times();
    expect(await installPlugins(folders)).to.deep.equal(installed);
    expect(times()).to.deep.equal(before);
    rmSync(join(root, "plugins", "aws.js"));
    await installPlugins(folders);
    expect(statSync(join(root, "plugins", "aws.js")).size).to.be.above(100_000);
  });
});

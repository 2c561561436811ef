import * as heroku from "@pulumi/heroku";
import * as pulumi from "@pulumi/pulumi";
import { expect } from "chai";
import { herokuProvider } from "../../../sandbox/plugins/heroku/provider";

const known = <T>(output: pulumi.Output<T>) =>
  new Promise<T>((resolve) => output.apply((value) => void resolve(value)));

describe("@pulumi/heroku", () => {
  const made: pulumi.runtime.MockResourceArgs[] = [];

  before(() =>
    pulumi.runtime.setMocks({
      newResource: (args) => {
        made.push(args);
        return { id: args.id ?? `${args.name}-id`, state: { ...args.inputs, allConfigVars: { A: "b" } } };
      },
      call: () => ({}),
    }),
  );
  beforeEach(() => void made.splice(0));

  it("has the type token that the plugin serves for each of its classes", () => {
    const served = herokuProvider.resources.map(({ token }) => token).sort();
    const classes = Object.values(heroku) as { __pulumiType?: string }[];
    const tokens = classes.flatMap(({ __pulumiType }) => (__pulumiType?.includes(":") ? [__pulumiType] : []));
    expect(tokens.sort()).to.deep.equal(served);
  });

  it("wraps sensitive inputs and marks secret outputs", async () => {
    const app = new heroku.App("app", { region: "us", configVars: { A: "1" }, sensitiveConfigVars: { B: "2" } });
    await known(app.urn);
    expect(await pulumi.isSecret(app.sensitiveConfigVars)).to.equal(true);
    expect(await pulumi.isSecret(app.configVars)).to.equal(false);
    expect(JSON.stringify(made[0]?.inputs.sensitiveConfigVars)).to.contain("1b47061264138c4ac30d75fd1eb44270");
  });

  it("refuses missing arguments by name", () => {
    expect(() => new heroku.App("app", {} as heroku.AppArgs)).to.throw("Missing required property 'region'");
    const incomplete = { appId: "x", type: "web", quantity: 1 } as heroku.FormationArgs;
    expect(() => new heroku.Formation("web", incomplete)).to.throw("'size'");
  });

  it("looks up what exists", async () => {
    const found = heroku.App.get("found", "usc-pis");
    expect(await known(found.id)).to.equal("usc-pis");
    expect(heroku.App.isInstance(found)).to.equal(true);
    expect(heroku.Build.isInstance(found)).to.equal(false);
  });

  it("hands a provider's objects over as text", async () => {
    const provider = new heroku.Provider("p", { url: "http://x", delays: { postAppCreateDelay: 0 } });
    await known(provider.urn);
    expect(made[0]?.inputs.delays).to.equal('{"postAppCreateDelay":0}');
  });
});

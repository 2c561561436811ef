import { expect } from "chai";

describe("the environment of Go", () => {
  const load = () => import("../../../scripts/lib/engine-install.mjs" as string);

  it("keeps Go's counters out of the person's home, and the person's settings of Go in force", async function () {
    if (process.platform !== "linux") return this.skip();
    const { goEnvironment } = await load();
    const env = goEnvironment({ HOME: "/home/someone", PATH: "/bin" });
    expect(env).to.include({ HOME: "/home/someone", PATH: "/bin", GOENV: "/home/someone/.config/go/env" });
    expect(env.XDG_CONFIG_HOME).not.to.match(/^\/home\/someone/);
    expect(goEnvironment({ HOME: "/h", XDG_CONFIG_HOME: "/c" }).GOENV).to.equal("/c/go/env");
    expect(goEnvironment({ HOME: "/h", GOENV: "off" }).GOENV).to.equal("off");
  });
});

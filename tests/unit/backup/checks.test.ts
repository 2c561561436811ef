import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { expect } from "chai";
import { checkApp } from "../../../backup/checks/app";

type Page = { status: number; type?: string; body?: string; location?: string };

describe("checkApp", () => {
  let server: Server;
  let url: string;
  let pages: Record<string, Page>;
  const good = (): Record<string, Page> => ({
    "/": { status: 200, type: "text/html", body: "<html>clinic</html>" },
    "/api/health/": { status: 200, type: "application/json", body: '{"status":"healthy"}' },
    "/admin/": { status: 302, location: "/admin/login/?next=/admin/" },
  });

  before(async () => {
    server = createServer((request, response) => {
      const page = pages[request.url ?? ""] ?? { status: 404 };
      response.writeHead(page.status, {
        ...(page.type ? { "content-type": page.type } : {}),
        ...(page.location ? { location: page.location } : {}),
      });
      response.end(page.body ?? "");
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  after(() => void server.close());
  const statuses = async () => (await checkApp(url, { attempts: 1 })).checks.map((check) => check.status);

  it("passes an app that works", async () => {
    pages = good();
    expect(await checkApp(url)).to.deep.include({ url, passed: true });
  });

  it("fails each thing that does not", async () => {
    for (const [path, page, expected] of [
      ["/", { status: 500 }, ["fail", "pass", "pass"]],
      ["/", { status: 200, type: "text/html", body: " " }, ["fail", "pass", "pass"]],
      [
        "/api/health/",
        { status: 200, type: "application/json", body: '{"status":"degraded"}' },
        ["pass", "fail", "pass"],
      ],
      ["/api/health/", { status: 200, type: "text/html", body: "<html>" }, ["pass", "fail", "pass"]],
      ["/admin/", { status: 302, location: "/" }, ["pass", "pass", "fail"]],
    ] as const) {
      pages = { ...good(), [path]: page };
      expect(await statuses(), `${path} ${JSON.stringify(page)}`).to.deep.equal(expected);
    }
  });

  it("waits for a dyno that is still starting", async () => {
    pages = { ...good(), "/": { status: 503 } };
    const recover = async () => {
      pages = good();
    };
    const pace = { now: () => new Date(), random: () => 0, sleep: recover };
    expect((await checkApp(url, { pace })).passed).to.equal(true);
  });

  it("skips the rest of an app that gives no answer, and a skip is no pass", async () => {
    const report = await checkApp("http://127.0.0.1:1", { attempts: 1 });
    expect(report.checks.map((check) => check.status)).to.deep.equal(["fail", "skip", "skip"]);
    expect(report.passed).to.equal(false);
  });
});

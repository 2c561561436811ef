import type { SandboxState } from "../../../sandbox/supervisor/state";

/** State of a sandbox that is up; nothing of it runs. */
export function sampleState(): SandboxState {
  const service = (port: number) => ({
    pid: 999_999_999,
    startTime: "boot/1",
    startedAt: "2026-05-23T14:00:00.000Z",
    log: "/somewhere/.sandbox/logs/x.log",
    url: `http://127.0.0.1:${port}`,
  });
  return {
    format: 1,
    id: "0123456789ab",
    createdAt: "2026-05-23T14:00:00.000Z",
    ready: true,
    services: {
      postgres: service(5001),
      gateway: { ...service(5005), url: "https://127.0.0.1:5005" },
      aws: { ...service(5002), url: "https://127.0.0.1:5002" },
      cloudinary: service(5003),
      heroku: service(5004),
    },
    postgres: {
      source: "installed",
      version: "15.18",
      bin: "/usr/lib/postgresql/15/bin",
      serverBin: "/usr/lib/postgresql/15/bin",
      dataDir: "/somewhere/.sandbox/postgres/data",
      user: "sandbox",
      password: "secret",
      port: 5001,
    },
    gateway: { controlToken: "gateway-token" },
    heroku: { apiKey: "HRKU-fake", controlToken: "token" },
    cloudinary: {
      cloudName: "usc-pis-sandbox",
      apiKey: "123456789012345",
      apiSecret: "fake_secret",
    },
    ports: {},
  };
}

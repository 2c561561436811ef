/** The program: it reads the stack's settings and composes what its role says. */
import { getCallerIdentity } from "@pulumi/aws/getCallerIdentity";
import { readSettings } from "./read-settings";

export = async () => {
  const settings = readSettings();
  const { accountId } = await getCallerIdentity({});
  // Loaded by role: the vault needs neither Heroku nor Cloudinary, and a preview is as slow as what it loads. (`require`,
  // since ts-node does not carry `import()` of TypeScript from CommonJS.)
  if (settings.role === "vault") {
    const { composeVault } = require("./vault") as typeof import("./vault", { with: { "resolution-mode": "require" } });
    return composeVault(settings, accountId);
  }
  const { composeService } = require("./service") as typeof import("./service", {
    with: { "resolution-mode": "require" },
  });
  return composeService(settings, accountId);
};

/** The program: it reads the stack's settings and composes what its role says. */
import { getCallerIdentity } from "@pulumi/aws/getCallerIdentity";
import { readSettings } from "./read-settings";
import { report } from "./report";
import type * as service from "./service";
import type * as vault from "./vault";

async function program() {
  const settings = readSettings();
  const { accountId } = await getCallerIdentity({});
  // Loaded by role: the vault needs neither Heroku nor Cloudinary, and a preview is as slow as what it loads. (`require`,
  // since ts-node does not carry `import()` of TypeScript from CommonJS.)
  if (settings.role === "vault") return (require("./vault") as typeof vault).composeVault(settings, accountId);
  const { composeService, prepareService } = require("./service") as typeof service;
  return composeService(settings, await prepareService(settings, accountId));
}

export = () => program().catch(report);

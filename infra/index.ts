/** The program: it reads the stack's settings and composes what its role says. */
import { getCallerIdentity } from "@pulumi/aws/getCallerIdentity";
import { readSettings } from "./read-settings";

export = async () => {
  const settings = readSettings();
  const { accountId } = await getCallerIdentity({});
  // Loaded by role: the vault needs neither Heroku nor Cloudinary, and a preview is as slow as what it loads.
  if (settings.role === "vault") return (await import("./vault")).composeVault(settings, accountId);
  return (await import("./service")).composeService(settings, accountId);
};

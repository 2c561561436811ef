import { expect } from "chai";
import { parseSettings } from "../../../infra/settings";
import { STACKS, type StackRole } from "../../../sandbox/environment";
import { PassphraseEncrypter } from "../../../sandbox/passphrase";
import { type CarriedSecrets, renderStackFile, stackSettings } from "../../../sandbox/stacks";
import { sampleState } from "./sample-state";

const carried: CarriedSecrets = {
  PGP_ENCRYPTION_KEY: "carried-pgp",
  GMAIL_CLIENT_ID: "carried-id",
  GMAIL_CLIENT_SECRET: "carried-secret",
  GMAIL_REFRESH_TOKEN: "carried-token",
  EMAIL_HOST_PASSWORD: "carried-password",
};
const inputs = {
  state: sampleState(),
  carried,
  secretKey: "django-secret",
  release: { version: "1.0.0", sha256: "0".repeat(64) },
};

/** The settings as the engine hands them to the program: text, JSON for all that is none. */
function asConfig(role: StackRole): { raw: Record<string, string>; encrypted: Set<string> } {
  const settings = stackSettings(role, inputs);
  const text = (value: unknown) => (typeof value === "string" ? value : JSON.stringify(value));
  return {
    raw: Object.fromEntries(
      Object.entries(settings).map(([key, setting]) => [
        key,
        text("value" in setting ? setting.value : setting.secret),
      ]),
    ),
    encrypted: new Set(Object.keys(settings).filter((key) => "secret" in (settings[key] ?? {}))),
  };
}

describe("the sandbox's stacks", () => {
  for (const role of Object.keys(STACKS) as StackRole[]) {
    it(`${role}: its settings are those that the program accepts`, () => {
      const { raw, encrypted } = asConfig(role);
      const settings = parseSettings(raw, STACKS[role], encrypted);
      expect(settings.role).to.equal(role);
      expect(settings.protect).to.equal(false);
    });
  }

  it("carry the same secrets to the recovery, except the one that it makes anew", () => {
    const secretOf = (role: StackRole) => stackSettings(role, inputs)["usc-pis:secretConfig"] as { secret: object };
    expect(secretOf("recovery").secret).to.deep.equal(carried);
    expect(secretOf("primary").secret).to.deep.equal({ ...carried, SECRET_KEY: "django-secret" });
  });

  it("write no secret in the clear", async () => {
    const encrypter = await PassphraseEncrypter.create("a passphrase");
    for (const role of ["primary", "recovery"] as const) {
      const text = renderStackFile(stackSettings(role, inputs), encrypter);
      for (const secret of [...Object.values(carried), "django-secret", inputs.state.heroku.apiKey, "fake_secret"]) {
        expect(text, `${role} holds ${secret}`).not.to.contain(secret);
      }
      // The control: what is no secret is there.
      expect(text).to.contain("heroku-postgresql:essential-0");
    }
  });
});

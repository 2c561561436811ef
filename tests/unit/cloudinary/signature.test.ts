import { createHash } from "node:crypto";
import { expect } from "chai";
import fc from "fast-check";
import type { CloudinaryError } from "../../../sandbox/cloudinary/errors";
import {
  deliverySignature,
  MAX_SIGNATURE_AGE_SECONDS,
  type Params,
  sign,
  stringToSign,
  verifySignedParams,
  webhookSignature,
} from "../../../sandbox/cloudinary/signature";

const ACCOUNT = { apiKey: "key", apiSecret: "secret" };
const NOW = 1_800_000_000;

function signed(params: Params, version: 1 | 2 = 2, algorithm: "sha1" | "sha256" = "sha1"): Params {
  const all = { timestamp: String(NOW), ...params };
  return { ...all, api_key: ACCOUNT.apiKey, signature: sign(stringToSign(all, version), ACCOUNT.apiSecret, algorithm) };
}

function refusal(params: Params, now = NOW): string | undefined {
  try {
    verifySignedParams(params, ACCOUNT, now);
    return undefined;
  } catch (error) {
    return `${(error as CloudinaryError).status} ${(error as Error).message}`;
  }
}

describe("signatures of Cloudinary", () => {
  it("sign sorted parameters without those that are no part of the text", () => {
    const params = { tags: ["a", "b"], public_id: "x", file: "f", cloud_name: "c", resource_type: "raw", api_key: "k" };
    expect(stringToSign({ ...params, folder: "" }, 2)).to.equal("public_id=x&tags=a,b");
    // The example of the documentation of signatures.
    const documented = {
      eager: "w_400,h_300,c_pad|w_260,h_200,c_crop",
      public_id: "sample_image",
      timestamp: "1315060510",
    };
    expect(sign(stringToSign(documented, 1), "abcd")).to.equal("bfd09f95f331f558cbd1320e67aa8d488770583e");
  });

  it("are accepted in both versions and with both digests", () => {
    for (const version of [1, 2] as const) {
      for (const algorithm of ["sha1", "sha256"] as const) {
        expect(refusal(signed({ context: "a=b&c" }, version, algorithm))).to.equal(undefined);
      }
    }
  });

  it("end after an hour, unless the request names its own end", () => {
    expect(refusal(signed({}), NOW + MAX_SIGNATURE_AGE_SECONDS)).to.equal(undefined);
    expect(refusal(signed({}), NOW + MAX_SIGNATURE_AGE_SECONDS + 1)).to.match(/^400 Stale request/);
    expect(refusal(signed({ expires_at: String(NOW + 1e6) }), NOW + 1e5)).to.equal(undefined);
  });

  it("are refused without key, signature or time", () => {
    const { api_key, ...keyless } = signed({});
    expect(refusal(keyless)).to.match(/^401 Must supply api_key/);
    expect(refusal({ ...signed({}), api_key: "other" })).to.match(/^401 Invalid api_key/);
    expect(refusal({ ...signed({}), signature: "" })).to.match(/^400 Missing required parameter - signature/);
    expect(refusal(signed({ timestamp: "soon" }))).to.match(/^400 Invalid timestamp/);
  });

  it("do not survive any change of what they cover", () => {
    const word = fc.stringMatching(/^[a-z0-9/,&=]{1,12}$/);
    fc.assert(
      fc.property(word, word, (before, after) => {
        fc.pre(before !== after);
        const request = signed({ public_id: before });
        expect(refusal(request)).to.equal(undefined);
        expect(refusal({ ...request, public_id: after })).to.match(/^401 Invalid Signature/);
        expect(refusal({ ...request, overwrite: "true" })).to.match(/^401 Invalid Signature/);
      }),
    );
  });

  it("of version 2 let no value pretend to be a further parameter", () => {
    const honest = { a: "1", b: "2" };
    const smuggling = { a: "1&b=2" };
    expect(stringToSign(smuggling, 1)).to.equal(stringToSign(honest, 1));
    expect(stringToSign(smuggling, 2)).to.not.equal(stringToSign(honest, 2));
  });

  it("of webhooks and delivery follow the documented forms", () => {
    const digest = (algorithm: string) => createHash(algorithm).update('{"a":1}1700000000secret').digest("hex");
    expect(webhookSignature('{"a":1}', 1_700_000_000, "secret")).to.equal(digest("sha1"));
    expect(webhookSignature('{"a":1}', 1_700_000_000, "secret", "sha256")).to.equal(digest("sha256"));
    expect(deliverySignature("", "sample.jpg", "secret")).to.match(/^[\w-]{8}$/);
    expect(deliverySignature("", "sample.jpg", "secret", true)).to.match(/^[\w-]{32}$/);
  });
});

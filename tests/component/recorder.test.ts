import { Bucket } from "@pulumi/aws/s3/bucket";
import { BucketMetric } from "@pulumi/aws/s3/bucketMetric";
import * as pulumi from "@pulumi/pulumi";
import { expect } from "chai";
import { record, sentAsSecret } from "./recorder";

async function refused(work: Promise<unknown>): Promise<string> {
  try {
    await work;
  } catch (error) {
    return (error as Error).message;
  }
  throw new Error("expected a refusal");
}

describe("the recorder of component tests", () => {
  it("throws for a type that it does not know", async () => {
    const work = record(() => {
      new BucketMetric("unknown", { bucket: "b" });
    });
    expect(await refused(work)).to.match(/unmocked resource type .*bucketMetric/);
  });

  it("throws for a call that it does not know", async () => {
    expect(await refused(record(() => pulumi.runtime.invoke("aws:index/getRegion:getRegion", {})))).to.match(
      /getRegion/,
    );
  });

  it("sees parent, protection, dependencies and secrets", async () => {
    const { recording } = await record(() => {
      const parent = new pulumi.ComponentResource("usc-pis:test:Parent", "parent");
      const first = new Bucket("first", { bucket: "b" }, { parent, protect: true });
      new Bucket("second", { bucket: pulumi.secret("s") }, { dependsOn: first });
    });
    const first = recording.one("first");
    const second = recording.one("second");
    expect(first.parent).to.equal(recording.one("parent").urn);
    expect(second.parent).not.to.equal(first.parent);
    expect([first.protect, second.protect]).to.deep.equal([true, false]);
    expect(recording.waitsFor(second, first)).to.equal(true);
    expect(recording.waitsFor(first, second)).to.equal(false);
    expect(sentAsSecret(second.sent.bucket)).to.equal(true);
    expect(sentAsSecret(first.sent.bucket)).to.equal(false);
    expect(second.inputs.bucket).to.equal("s");
  });
});

import { expect } from "chai";
import fc from "fast-check";
import { type Contents, compareTables } from "../../../sandbox/rehearsal/compare";

const clinic: Contents = {
  patients_patient: { rows: 5, digest: "a" },
  authentication_user: { rows: 7, digest: "b" },
  django_session: { rows: 0, digest: "empty" },
};

describe("comparing a recovered database with its source", () => {
  it("passes every table of an equal one", () => {
    const checks = compareTables(clinic, { ...clinic });
    expect(checks.map(({ table, status }) => [table, status])).to.deep.equal([
      ["authentication_user", "pass"],
      ["django_session", "pass"],
      ["patients_patient", "pass"],
    ]);
  });

  it("fails the table that lost one row, and no other", () => {
    const recovered = { ...clinic, patients_patient: { rows: 4, digest: "c" } };
    const failed = compareTables(clinic, recovered).filter(({ status }) => status === "fail");
    expect(failed).to.deep.equal([
      { table: "patients_patient", source: 5, recovered: 4, status: "fail", reason: "1 row missing" },
    ]);
  });

  it("fails a table with a row too many", () => {
    const recovered = { ...clinic, django_session: { rows: 2, digest: "c" } };
    const [failed] = compareTables(clinic, recovered).filter(({ status }) => status === "fail");
    expect(failed?.reason).to.equal("2 rows too many");
  });

  it("fails a table that is missing", () => {
    const { patients_patient: _lost, ...recovered } = clinic;
    const [failed] = compareTables(clinic, recovered).filter(({ status }) => status === "fail");
    expect(failed).to.include({ table: "patients_patient", source: 5, status: "fail" });
    expect(failed?.reason).to.match(/missing after/);
  });

  it("fails an empty table that is missing: its rows are equal, its absence is not", () => {
    const { django_session: _lost, ...recovered } = clinic;
    expect(compareTables(clinic, recovered).filter(({ status }) => status === "fail")).to.have.length(1);
  });

  it("fails a table that the source did not have", () => {
    const recovered = { ...clinic, stray: { rows: 0, digest: "empty" } };
    const [failed] = compareTables(clinic, recovered).filter(({ status }) => status === "fail");
    expect(failed).to.include({ table: "stray", recovered: 0 });
  });

  it("fails as many rows of another content", () => {
    const recovered = { ...clinic, patients_patient: { rows: 5, digest: "other" } };
    const [failed] = compareTables(clinic, recovered).filter(({ status }) => status === "fail");
    expect(failed?.reason).to.match(/not the same/);
  });

  it("fails when there is nothing to compare", () => {
    expect(compareTables({}, {}).map(({ status }) => status)).to.deep.equal(["fail"]);
  });

  it("finds any one change in any database", () => {
    const table = fc.record({ rows: fc.nat(1000), digest: fc.string() });
    fc.assert(
      fc.property(fc.dictionary(fc.stringMatching(/^[a-z_]{1,12}$/), table, { minKeys: 1 }), fc.nat(), (source, at) => {
        const names = Object.keys(source);
        const name = names[at % names.length] as string;
        const changed = { ...source, [name]: { ...source[name], rows: (source[name]?.rows ?? 0) + 1, digest: "x" } };
        const failed = compareTables(source, changed).filter(({ status }) => status === "fail");
        expect(failed.map((check) => check.table)).to.deep.equal([name]);
        expect(compareTables(source, source).every(({ status }) => status === "pass")).to.equal(true);
      }),
    );
  });
});

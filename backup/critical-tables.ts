import type { DatabaseFacts } from "../clients/database";

/** Tables whose rows are the clinic's work (facts: app). A database with rows in one of them is never overwritten unasked. */
export const CRITICAL_TABLES: readonly string[] = [
  "authentication_user",
  "patients_patient",
  "patients_medicalrecord",
  "patients_dentalrecord",
  "patients_consultation",
  "medical_certificates_medicalcertificate",
  "health_info_healthcampaign",
  "feedback_feedback",
];

/** Critical tables that have rows, with their counts. */
export function criticalRows(tables: DatabaseFacts["tables"]): Record<string, number> {
  const found: Record<string, number> = {};
  for (const name of CRITICAL_TABLES) {
    const rows = tables[name] ?? 0;
    if (rows > 0) found[name] = rows;
  }
  return found;
}

/** Rows of the synthetic clinic. Nobody in it exists: names are numbers, addresses end in `.invalid`. */
import { createHash } from "node:crypto";
import { hashPassword } from "../source/passwords";
import { mediaAsset, mediaReference } from "./media";
import type { Dice } from "./random";

/** Password of each synthetic user. It opens nothing but a sandbox. */
export const SYNTHETIC_PASSWORD = "sandbox-only-password";

/** Name for logging in of the synthetic user `number`, counted from 1; the first one is the administrator. */
export function syntheticEmail(number: number): string {
  return `user${String(number).padStart(4, "0")}@clinic.invalid`;
}

export type Row = Record<string, unknown>;

/** Id of the `index`-th seeded row of a table, also when there are fewer rows: it wraps around. */
export type Id = (table: string, index: number) => number;

export interface TableSeed {
  table: string;
  /** Rows at factor 1. */
  rows: number;
  /** Columns that are encrypted with PGP_ENCRYPTION_KEY on the way in. */
  encrypted?: readonly string[];
  /** Tables whose key is not `id`. */
  keyless?: boolean;
  make(index: number, dice: Dice, id: Id): Row;
}

const FIRST_DAY = Date.UTC(2025, 0, 6);
const DAY = 86_400_000;

function day(offset: number): string {
  return new Date(FIRST_DAY + offset * DAY).toISOString().slice(0, 10);
}

function moment(offset: number, dice: Dice): string {
  return new Date(FIRST_DAY + offset * DAY + dice.below(DAY)).toISOString();
}

function number(index: number): string {
  return String(index + 1).padStart(4, "0");
}

const ROLES = ["ADMIN", "DOCTOR", "DENTIST", "NURSE", "STAFF", "STUDENT", "FACULTY"] as const;

// One hash for all: hashing is slow on purpose, and these passwords protect nothing.
let passwordHash: string | undefined;
function password(): string {
  passwordHash ??= hashPassword(SYNTHETIC_PASSWORD, "sandboxsalt", 1000);
  return passwordHash;
}

/** In an order in which each table comes after those that it refers to. */
export const TABLES: readonly TableSeed[] = [
  { table: "django_content_type", rows: 6, make: (i) => ({ app_label: "sample", model: `model${number(i)}` }) },
  { table: "auth_group", rows: 3, make: (i) => ({ name: `Group ${number(i)}` }) },
  {
    table: "auth_permission",
    rows: 12,
    make: (i, _dice, id) => ({
      name: `Can do ${number(i)}`,
      content_type_id: id("django_content_type", i),
      codename: `do_${number(i)}`,
    }),
  },
  {
    table: "auth_group_permissions",
    rows: 6,
    make: (i, _dice, id) => ({ group_id: id("auth_group", i), permission_id: id("auth_permission", i) }),
  },
  {
    table: "authentication_user",
    rows: 7,
    make: (i, dice) => ({
      password: password(),
      last_login: moment(200, dice),
      is_superuser: i === 0,
      username: `user${number(i)}`,
      email: syntheticEmail(i + 1),
      first_name: "User",
      last_name: number(i),
      role: ROLES[i % ROLES.length],
      is_staff: i % ROLES.length < 5,
      is_active: true,
      date_joined: moment(i % 100, dice),
      profile_picture: i % 7 < 3 ? mediaReference("profiles", Math.floor(i / 7) * 3 + (i % 7)).publicId : null,
    }),
  },
  {
    table: "authentication_user_groups",
    rows: 7,
    make: (i, _dice, id) => ({ user_id: id("authentication_user", i), group_id: id("auth_group", i) }),
  },
  {
    table: "authentication_user_user_permissions",
    rows: 2,
    make: (i, _dice, id) => ({ user_id: id("authentication_user", i), permission_id: id("auth_permission", i) }),
  },
  {
    table: "authentication_verificationcode",
    rows: 2,
    make: (i, dice, id) => ({
      user_id: id("authentication_user", i),
      code: String(100000 + dice.below(900000)),
      is_used: i % 2 === 0,
      expires_at: moment(201, dice),
    }),
  },
  {
    table: "authtoken_token",
    rows: 2,
    keyless: true,
    make: (i, dice, id) => ({ key: dice.hex(40), created: moment(100, dice), user_id: id("authentication_user", i) }),
  },
  {
    table: "django_session",
    rows: 3,
    keyless: true,
    make: (_i, dice) => ({ session_key: dice.hex(32), session_data: dice.hex(120), expire_date: moment(220, dice) }),
  },
  {
    table: "django_admin_log",
    rows: 5,
    make: (i, dice, id) => ({
      action_time: moment(i % 200, dice),
      object_repr: `object ${number(i)}`,
      action_flag: 1 + dice.below(3),
      content_type_id: id("django_content_type", i),
      user_id: id("authentication_user", 0),
    }),
  },
  {
    table: "patients_patient",
    rows: 5,
    encrypted: ["address_encrypted", "phone_encrypted"],
    make: (i, dice, id) => ({
      user_id: i % 2 === 0 ? id("authentication_user", i) : null,
      first_name: "Patient",
      last_name: number(i),
      date_of_birth: day(-7000 - dice.below(3000)),
      gender: dice.pick(["F", "M"]),
      email: `patient${number(i)}@clinic.invalid`,
      address_encrypted: `${dice.below(900)} Nowhere Street, Sandbox – ${number(i)}`,
      phone_encrypted: `000-${String(dice.below(10000)).padStart(4, "0")}`,
      created_at: moment(i % 150, dice),
    }),
  },
  {
    table: "patients_medicalrecord",
    rows: 12,
    encrypted: ["diagnosis_encrypted"],
    make: (i, dice, id) => ({
      patient_id: id("patients_patient", i),
      created_by_id: id("authentication_user", 1 + (i % 3)),
      visit_date: day(dice.below(200)),
      diagnosis_encrypted: `Synthetic diagnosis ${dice.hex(8)}`,
      treatment: `Synthetic treatment ${dice.hex(24)}`,
      vital_signs: { pulse: 60 + dice.below(40), temperature: 36 + dice.below(20) / 10 },
      created_at: moment(dice.below(200), dice),
    }),
  },
  {
    table: "patients_dentalrecord",
    rows: 6,
    encrypted: ["notes_encrypted"],
    make: (i, dice, id) => ({
      patient_id: id("patients_patient", i),
      created_by_id: id("authentication_user", 2),
      visit_date: day(dice.below(200)),
      procedure: dice.pick(["CLEANING", "FILLING", "EXTRACTION"]),
      tooth_numbers: [11 + dice.below(8), 21 + dice.below(8)],
      notes_encrypted: `Synthetic note ${dice.hex(16)}`,
      created_at: moment(dice.below(200), dice),
    }),
  },
  {
    table: "patients_consultation",
    rows: 10,
    make: (i, dice, id) => ({
      patient_id: id("patients_patient", i),
      doctor_id: id("authentication_user", 1),
      scheduled_at: moment(dice.below(220), dice),
      status: dice.pick(["SCHEDULED", "DONE", "MISSED"]),
      reason: `Synthetic reason ${dice.hex(12)}`,
      fee: (dice.below(50000) / 100).toFixed(2),
    }),
  },
  {
    table: "medical_certificates_certificatetemplate",
    rows: 3,
    make: (i) => ({ name: `Certificate ${number(i)}`, content: "This certifies that {{ patient }} ..." }),
  },
  {
    table: "medical_certificates_medicalcertificate",
    rows: 4,
    encrypted: ["diagnosis_encrypted"],
    make: (i, dice, id) => ({
      patient_id: id("patients_patient", i),
      template_id: id("medical_certificates_certificatetemplate", i),
      issued_by_id: id("authentication_user", 1),
      diagnosis_encrypted: `Synthetic finding ${dice.hex(8)}`,
      valid_from: day(dice.below(150)),
      valid_until: day(200 + dice.below(50)),
      approval_status: dice.pick(["draft", "pending", "approved"]),
      file: null,
      created_at: moment(dice.below(200), dice),
    }),
  },
  {
    table: "health_info_healthcampaign",
    rows: 3,
    make: (i, dice, id) => ({
      title: `Campaign ${number(i)}`,
      description: `Synthetic campaign ${dice.hex(40)}`,
      status: dice.pick(["ACTIVE", "COMPLETED", "DRAFT"]),
      start_date: day(dice.below(100)),
      end_date: day(100 + dice.below(100)),
      banner_image: mediaReference("campaign_banners", i).publicId,
      created_by_id: id("authentication_user", 0),
      created_at: moment(dice.below(100), dice),
    }),
  },
  {
    table: "health_info_healthinformation",
    rows: 4,
    make: (i, dice, id) => ({
      title: `Information ${number(i)}`,
      content: `Synthetic text ${dice.hex(200)}`,
      category: dice.pick(["GENERAL", "DENTAL"]),
      author_id: id("authentication_user", i),
      created_at: moment(dice.below(200), dice),
    }),
  },
  {
    table: "health_info_healthinformationimage",
    rows: 4,
    make: (i, _dice, id) => ({
      health_info_id: id("health_info_healthinformation", i),
      image: mediaReference("health_info", i).publicId,
      order: i % 4,
    }),
  },
  {
    table: "health_info_healthcampaignimage",
    rows: 6,
    make: (i, _dice, id) => ({
      campaign_id: id("health_info_healthcampaign", i),
      image: mediaReference("campaign_images", i).publicId,
      order: i % 6,
    }),
  },
  {
    table: "health_info_campaignresource",
    rows: 2,
    make: (i, _dice, id) => ({
      campaign_id: id("health_info_healthcampaign", i),
      title: `Resource ${number(i)}`,
      file: mediaReference("campaign_resources", i).publicId,
    }),
  },
  {
    table: "health_info_campaignfeedback",
    rows: 8,
    make: (i, dice, id) => ({
      campaign_id: id("health_info_healthcampaign", i),
      user_id: id("authentication_user", i),
      rating: 1 + dice.below(5),
      comments: `Synthetic comment ${dice.hex(12)}`,
    }),
  },
  {
    table: "feedback_feedback",
    rows: 6,
    make: (i, dice, id) => ({
      patient_id: id("patients_patient", i),
      rating: 1 + dice.below(5),
      comments: `Synthetic feedback ${dice.hex(12)}`,
      created_at: moment(dice.below(200), dice),
    }),
  },
  {
    table: "file_uploads_uploadedfile",
    rows: 7,
    make: (i, dice, id) => {
      const { bytes, contentType, fileName, publicId } = mediaAsset("uploads", i);
      const checksum = createHash("sha256").update(bytes).digest("hex");
      return {
        uploaded_by_id: id("authentication_user", i),
        original_filename: fileName,
        file: publicId,
        content_type: contentType,
        size: bytes.length,
        checksum,
        created_at: moment(dice.below(200), dice),
      };
    },
  },
  {
    table: "file_uploads_patientdocument",
    rows: 5,
    make: (i, dice, id) => ({
      patient_id: id("patients_patient", i),
      file_id: id("file_uploads_uploadedfile", i),
      document_type: dice.pick(["LAB", "XRAY", "OTHER"]),
    }),
  },
  {
    table: "notifications_notificationtemplate",
    rows: 3,
    make: (i) => ({ name: `Notice ${number(i)}`, body: "Dear {{ name }} ..." }),
  },
  {
    table: "notifications_notification",
    rows: 14,
    make: (i, dice, id) => ({
      recipient_id: id("authentication_user", i),
      title: `Notice ${number(i)}`,
      message: `Synthetic message ${dice.hex(20)}`,
      is_read: dice.below(2) === 0,
      created_at: moment(dice.below(200), dice),
    }),
  },
  {
    table: "notifications_notificationlog",
    rows: 14,
    make: (i, dice, id) => ({
      notification_id: id("notifications_notification", i),
      action: dice.pick(["SENT", "READ"]),
      details: { channel: "mail" },
      created_at: moment(dice.below(200), dice),
    }),
  },
  {
    table: "reports_reporttemplate",
    rows: 2,
    make: (i) => ({ name: `Report ${number(i)}`, report_type: "CUSTOM", is_default: false }),
  },
  {
    table: "reports_generatedreport",
    rows: 4,
    make: (i, dice, id) => ({
      template_id: id("reports_reporttemplate", i),
      generated_by_id: id("authentication_user", 0),
      status: "COMPLETED",
      file: null,
      parameters: { month: 1 + dice.below(12) },
      created_at: moment(dice.below(200), dice),
    }),
  },
  {
    table: "reports_reportbookmark",
    rows: 2,
    make: (i, _dice, id) => ({ user_id: id("authentication_user", i), report_id: id("reports_generatedreport", i) }),
  },
  {
    table: "utils_backupstatus",
    rows: 3,
    make: (i, dice) => ({
      backup_type: dice.pick(["database", "media"]),
      status: "success",
      started_at: moment(i % 200, dice),
      completed_at: moment(1 + (i % 200), dice),
      file_size: dice.below(1_000_000),
      checksum: dice.hex(64),
    }),
  },
  {
    table: "utils_backupschedule",
    rows: 2,
    make: (i) => ({
      backup_type: i % 2 === 0 ? "database" : "media",
      schedule_type: "daily",
      is_active: true,
      retention_days: 7,
    }),
  },
];

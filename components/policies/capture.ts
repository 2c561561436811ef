import { BACKUP_CLASSES } from "../../backup/classes";
import { bucketArn, type PolicyDocument, policyDocument } from "./document";
import { ADD_OBJECTS, type JobPolicyArgs, jobStatements } from "./job";

export type CapturePolicyArgs = JobPolicyArgs;

/**
 * Rights of the capture function, and no more: it can add backups of its own system, but neither delete nor unlock
 * anything, nor touch another system's backups.
 */
export function capturePolicy(args: CapturePolicyArgs): PolicyDocument {
  const home = bucketArn(args.homeBucket);
  return policyDocument(
    ...jobStatements(args),
    { Sid: "SeeUploads", Effect: "Allow", Action: "s3:ListBucketMultipartUploads", Resource: home },
    {
      Sid: "AddBackups",
      Effect: "Allow",
      Action: ADD_OBJECTS,
      Resource: BACKUP_CLASSES.map((backupClass) => `${home}/${backupClass}/${args.system}/*`),
    },
  );
}

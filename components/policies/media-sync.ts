import { mediaPrefix, mediaProgressKey } from "../../backup/layout";
import { bucketArn, type PolicyDocument, policyDocument } from "./document";
import { ADD_OBJECTS, type JobPolicyArgs, jobStatements } from "./job";

/** What the media sync touches beside what every job does. */
export interface MediaSyncPolicyArgs extends JobPolicyArgs {
  /** The media bucket of the home side. */
  mediaBucket: string;
}

/**
 * Rights of the media sync: it adds to the mirror of its own system and hides what is deleted on Cloudinary, by markers;
 * it can end no version, unlock none, and hide no manifest.
 */
export function mediaSyncPolicy(args: MediaSyncPolicyArgs): PolicyDocument {
  const media = bucketArn(args.mediaBucket);
  const { system } = args;
  const within = (part: "asset" | "facts" | "manifest") => `${media}/${mediaPrefix(system, part)}*`;
  const progress = `${media}/${mediaProgressKey(system)}`;
  return policyDocument(
    ...jobStatements(args),
    {
      // Versions too: they tell what lies there without reading it.
      Sid: "ListMedia",
      Effect: "Allow",
      Action: ["s3:ListBucket", "s3:ListBucketVersions"],
      Resource: media,
    },
    {
      Sid: "MirrorMedia",
      Effect: "Allow",
      Action: ADD_OBJECTS,
      Resource: [within("asset"), within("facts"), within("manifest"), progress],
    },
    {
      // Without a version this only puts a marker; the version's own deletion is another right.
      Sid: "HideDeleted",
      Effect: "Allow",
      Action: "s3:DeleteObject",
      Resource: [within("asset"), within("facts"), progress],
    },
  );
}

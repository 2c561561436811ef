/** Type tokens of the resources that rules look at. */
export const BUCKET = "aws:s3/bucket:Bucket";
export const BUCKET_ENCRYPTION =
  "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration";
export const BUCKET_LIFECYCLE = "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration";
export const BUCKET_LOCK = "aws:s3/bucketObjectLockConfiguration:BucketObjectLockConfiguration";
export const BUCKET_POLICY = "aws:s3/bucketPolicy:BucketPolicy";
export const BUCKET_PUBLIC_ACCESS = "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock";
export const BUCKET_REPLICATION = "aws:s3/bucketReplicationConfig:BucketReplicationConfig";
export const BUCKET_VERSIONING = "aws:s3/bucketVersioning:BucketVersioning";
export const KEY = "aws:kms/key:Key";
export const TABLE = "aws:dynamodb/table:Table";
export const FUNCTION = "aws:lambda/function:Function";
export const SCHEDULE = "aws:scheduler/schedule:Schedule";
export const ALARM = "aws:cloudwatch/metricAlarm:MetricAlarm";
export const APP = "heroku:index/app:App";
export const ADDON = "heroku:index/addon:Addon";
export const CONFIG = "heroku:index/appConfigAssociation:AppConfigAssociation";
export const FORMATION = "heroku:index/formation:Formation";
export const COMMAND = "command:local:Command";
export const UPLOAD_PRESET = "pulumi-nodejs:dynamic/cloudinary:UploadPreset";

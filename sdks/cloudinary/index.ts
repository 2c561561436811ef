/**
 * `@pulumi/cloudinary`: what this project declares of a Cloudinary product environment, as a Pulumi dynamic provider on the
 * official SDK and, for triggers, the REST API.
 */
import * as pulumi from "@pulumi/pulumi";
import { triggerProvider, uploadPresetProvider } from "./provider";

// One object each: Pulumi serializes a provider once an object, not once a resource.
const presets = uploadPresetProvider();
const triggers = triggerProvider();

export interface UploadPresetArgs {
  /** Name by which uploads refer to the preset; unique in the product environment. Changing it replaces the preset. */
  name: pulumi.Input<string>;
  /**
   * Cloud name of the product environment. Credentials of another one are refused, and a change replaces the preset there.
   * @default that of the credentials
   */
  cloudName?: pulumi.Input<string>;
  /** Whether uploads may name it without a signature, that is anyone who knows its name. @default false */
  unsigned?: pulumi.Input<boolean>;
  /** Folder that public ids get as a prefix. @default none */
  folder?: pulumi.Input<string>;
  /** Formats that are accepted, as Cloudinary names them (`jpg`, `png`, `pdf`). @default all */
  allowedFormats?: pulumi.Input<pulumi.Input<string>[]>;
  /** Tags that each asset gets. @default none */
  tags?: pulumi.Input<pulumi.Input<string>[]>;
  /** Whether Cloudinary keeps replaced and deleted bytes. @default the product environment's own setting */
  backup?: pulumi.Input<boolean>;
  /** Whether an upload may replace an asset of the same public id. @default Cloudinary's: signed yes, unsigned no */
  overwrite?: pulumi.Input<boolean>;
  /** Whether file names used as public ids get a random ending. @default Cloudinary's: yes */
  uniqueFilename?: pulumi.Input<boolean>;
  /** Whether the file's name becomes the public id. @default Cloudinary's: no */
  useFilename?: pulumi.Input<boolean>;
  /** Whether a request may not choose its public id. @default Cloudinary's: it may */
  disallowPublicId?: pulumi.Input<boolean>;
  /**
   * Whether an existing preset of this name is taken over, with its settings brought to these, instead of refused. It
   * then outlives this stack, since it may be another one's too. The option `import` does not work for dynamic resources. @default false
   */
  adopt?: pulumi.Input<boolean>;
}

/** A named set of upload options. Its id is its name. */
export class UploadPreset extends pulumi.dynamic.Resource {
  declare readonly name: pulumi.Output<string>;
  declare readonly cloudName: pulumi.Output<string>;
  declare readonly unsigned: pulumi.Output<boolean>;
  declare readonly folder: pulumi.Output<string | undefined>;
  declare readonly allowedFormats: pulumi.Output<string[] | undefined>;
  declare readonly tags: pulumi.Output<string[] | undefined>;

  constructor(name: string, args: UploadPresetArgs, opts?: pulumi.CustomResourceOptions) {
    super(presets, name, { cloudName: undefined, ...args }, opts, "cloudinary", "UploadPreset");
  }
}

/** Kinds of events that a trigger can be for; one trigger is for one. */
export type EventType =
  | "upload"
  | "delete"
  | "rename"
  | "restore_asset_version"
  | "resource_tags_changed"
  | "resource_context_changed";

export interface TriggerArgs {
  /** Address that Cloudinary posts to, signed with the API secret (`X-Cld-Signature`). */
  uri: pulumi.Input<string>;
  /** The kind of event. Changing it replaces the trigger. */
  eventType: pulumi.Input<EventType>;
  /** Cloud name of the product environment, as for presets. @default that of the credentials */
  cloudName?: pulumi.Input<string>;
  /** Whether an existing trigger of the same address and event is taken over; it then outlives this stack. @default false */
  adopt?: pulumi.Input<boolean>;
}

/** A webhook of the product environment. */
export class Trigger extends pulumi.dynamic.Resource {
  declare readonly uri: pulumi.Output<string>;
  declare readonly eventType: pulumi.Output<string>;
  declare readonly cloudName: pulumi.Output<string>;

  constructor(name: string, args: TriggerArgs, opts?: pulumi.CustomResourceOptions) {
    super(triggers, name, { cloudName: undefined, ...args }, opts, "cloudinary", "Trigger");
  }
}

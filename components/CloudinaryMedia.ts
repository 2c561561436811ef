import { type EventType, Trigger, UploadPreset } from "@pulumi/cloudinary";
import * as pulumi from "@pulumi/pulumi";
import { InputError } from "../backup/errors";

/** One upload preset. There is no switch for unsigned uploads: whoever knew its name could fill the clinic's account. */
export interface MediaPreset {
  /** What it is for; with the system before it, its name on Cloudinary. */
  role: string;
  /** Folder that everything uploaded with it lies in. */
  folder: string;
  /** Formats that it accepts, as Cloudinary names them: `jpg` covers `jpeg`. Never empty, since that means all. */
  allowedFormats: readonly string[];
  /** Tags that each asset gets. @default none */
  tags?: readonly string[];
}

/** What a clinic uploads: pictures of patients and campaigns, and certificates and records as PDF. */
export const DEFAULT_PRESETS: readonly MediaPreset[] = [
  { role: "images", folder: "media/images", allowedFormats: ["jpg", "png", "webp", "gif"] },
  { role: "documents", folder: "media/documents", allowedFormats: ["pdf", "jpg", "png"] },
];

/** Events that the mirror has to hear of (M1, M2). */
export const WEBHOOK_EVENTS: readonly EventType[] = ["upload", "delete", "rename"];

/** The variables by which the application reaches Cloudinary (facts of the application, May 2026). */
export type CloudinaryVar = "USE_CLOUDINARY" | "CLOUDINARY_CLOUD_NAME" | "CLOUDINARY_API_KEY" | "CLOUDINARY_API_SECRET";

/** Arguments of {@link CloudinaryMedia}. */
export interface CloudinaryMediaArgs {
  /** The system; names of presets begin with it. */
  system: string;
  /** Name of the product environment (cloud) that holds the media. Credentials of another one are refused. */
  cloudName: string;
  /** Key of the API. */
  apiKey: pulumi.Input<string>;
  /** Secret of the API. Marked secret here, whatever it came as. */
  apiSecret: pulumi.Input<string>;
  /** Upload presets, all signed. The app itself names none (django-cloudinary-storage): they are for other ways in. @default DEFAULT_PRESETS */
  presets?: readonly MediaPreset[];
  /** Address that hears of uploads, deletions and renamings. @default none: then a daily sync alone keeps the mirror */
  webhookUrl?: pulumi.Input<string>;
  /**
   * What happens when a preset or trigger is there already. `adopt` takes it over, and leaves what it found when this
   * stack is destroyed, since another one may use it: for a recovery into the environment that the lost stack used, and for the first step of an adoption.
   * @default "refuse"
   */
  existing?: "refuse" | "adopt";
}

/**
 * Media on Cloudinary (M1): signed upload presets, the webhook, and the app's credentials as secret config vars.
 *
 * @example
 * const media = new CloudinaryMedia("media", { system: "usc-pis", cloudName: "clinic", apiKey, apiSecret });
 * new HerokuApp("app", { ..., secretConfig: { ...secrets, ...media.secretConfig } });
 */
export class CloudinaryMedia extends pulumi.ComponentResource {
  /** Config vars for the app, each a secret. The names are known before the values are. */
  readonly secretConfig: Readonly<Record<CloudinaryVar, pulumi.Output<string>>>;
  /** Names of the presets on Cloudinary. */
  readonly presetNames: pulumi.Output<string[]>;
  readonly nodes: { presets: UploadPreset[]; triggers: Trigger[] };

  constructor(name: string, args: CloudinaryMediaArgs, opts?: pulumi.ComponentResourceOptions) {
    super("usc-pis:media:CloudinaryMedia", name, {}, opts);
    const presets = args.presets ?? DEFAULT_PRESETS;
    requireUsablePresets(presets);

    const adopt = args.existing === "adopt";
    const options = { parent: this };
    const nodes = {
      presets: presets.map((preset) => this.preset(name, args, preset, adopt, options)),
      triggers:
        args.webhookUrl === undefined ? [] : this.triggers(name, args.cloudName, args.webhookUrl, adopt, options),
    };

    this.nodes = nodes;
    this.presetNames = pulumi.all(nodes.presets.map((preset) => preset.name));
    this.secretConfig = {
      // Otherwise the app puts its files on the dyno's own disk, and they vanish with it.
      USE_CLOUDINARY: pulumi.secret("True"),
      CLOUDINARY_CLOUD_NAME: pulumi.secret(args.cloudName),
      CLOUDINARY_API_KEY: pulumi.secret(args.apiKey),
      CLOUDINARY_API_SECRET: pulumi.secret(args.apiSecret),
    };
    this.registerOutputs({ secretConfig: this.secretConfig, presetNames: this.presetNames });
  }

  private preset(
    name: string,
    { system, cloudName }: CloudinaryMediaArgs,
    { role, folder, allowedFormats, tags }: MediaPreset,
    adopt: boolean,
    options: pulumi.CustomResourceOptions,
  ): UploadPreset {
    return new UploadPreset(
      `${name}-preset-${role}`,
      {
        name: `${system}-${role}`,
        cloudName,
        unsigned: false,
        folder,
        allowedFormats: [...allowedFormats],
        // Cloudinary's own backup is a second net under the mirror, where the plan has it.
        backup: true,
        // An upload must not replace another patient's file by chance of its name.
        overwrite: false,
        uniqueFilename: true,
        adopt,
        ...(tags === undefined ? {} : { tags: [...tags] }),
      },
      options,
    );
  }

  private triggers(
    name: string,
    cloudName: string,
    uri: pulumi.Input<string>,
    adopt: boolean,
    options: pulumi.CustomResourceOptions,
  ): Trigger[] {
    return WEBHOOK_EVENTS.map(
      (eventType) => new Trigger(`${name}-trigger-${eventType}`, { uri, eventType, cloudName, adopt }, options),
    );
  }
}

/** @throws InputError for presets that would collide or accept everything. */
export function requireUsablePresets(presets: readonly MediaPreset[]): void {
  const roles = new Set<string>();
  for (const { role, folder, allowedFormats } of presets) {
    if (!/^[a-z][a-z0-9-]*$/.test(role)) {
      throw new InputError(
        `role of a preset is ${JSON.stringify(role)}, expected lower-case letters, digits and dashes`,
      );
    }
    if (roles.has(role)) throw new InputError(`preset ${role} is there twice, expected each role once`);
    if (allowedFormats.length === 0) {
      throw new InputError(`preset ${role} has no allowed formats, expected at least one: none would mean all`);
    }
    if (!/^[A-Za-z0-9_-]+(\/[A-Za-z0-9_-]+)*$/.test(folder)) {
      throw new InputError(
        `folder of preset ${role} is ${JSON.stringify(folder)}, expected a path such as media/images`,
      );
    }
    roles.add(role);
  }
}

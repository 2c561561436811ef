/** An answer that Cloudinary gives as `{"error":{"message":…}}` with this HTTP status. */
export class CloudinaryError extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.name = "CloudinaryError";
    this.status = status;
  }
}

/** Refuses what the emulator does not carry out: an ignored parameter would look like a working one. */
export function notCarriedOut(what: string): CloudinaryError {
  return new CloudinaryError(400, `${what} is not carried out by the sandbox's Cloudinary`);
}

/** The budget of calls that an account has with the Platform API: a bucket of tokens that fills up over an hour. */
import { ApiError } from "./http";

const HOUR_MS = 3_600_000;

export class RateLimit {
  private tokens: number;
  private filledAt: number;

  /** @param perHour size of the bucket, and how many tokens an hour brings */
  constructor(
    readonly perHour: number,
    private readonly clock: () => number = Date.now,
  ) {
    if (!Number.isInteger(perHour) || perHour < 1)
      throw new Error(`the calls allowed in an hour must be a whole number of at least 1, not ${perHour}`);
    this.tokens = perHour;
    this.filledAt = clock();
  }

  /** Whole calls that are left; asking costs none. */
  get remaining(): number {
    this.fill();
    return Math.floor(this.tokens);
  }

  /** Takes one call and tells how many are left. Throws the 429 of the Platform API when there is none. */
  take(): number {
    this.fill();
    if (this.tokens < 1)
      throw new ApiError(429, "rate_limit", "Your account reached the API rate limit.", {
        url: "https://devcenter.heroku.com/articles/platform-api-reference#rate-limits",
      });
    this.tokens -= 1;
    return Math.floor(this.tokens);
  }

  /** A clock that was set back brings nothing, and takes nothing away. */
  private fill(): void {
    const at = this.clock();
    const passed = Math.max(0, at - this.filledAt);
    this.tokens = Math.min(this.perHour, this.tokens + (passed / HOUR_MS) * this.perHour);
    this.filledAt = at;
  }
}

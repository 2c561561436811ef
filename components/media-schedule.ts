/** When the media sync is triggered, in UTC: clear of Heroku's own backup at 02:00 and of the captures at 17, 32 and 47 past. */

/** Minutes between triggers. Cloudinary's calls are counted by the hour: one that they stopped goes on an hour later. */
export const MEDIA_RETRY_MINUTES = 60;
const MINUTE = 52;
/** The first, and more while the day has no good sync; later ones find it and do nothing. */
const HOURS = [2, 3, 4, 5, 6, 7];

/** EventBridge Scheduler's expression of the triggers. */
export function mediaSyncCron(): string {
  return `cron(${MINUTE} ${HOURS.join(",")} * * ? *)`;
}

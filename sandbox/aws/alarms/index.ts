export { AlarmWatch, type Transition, type WatchOptions } from "./watch";

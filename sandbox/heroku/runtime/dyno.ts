/** A dyno as the API shows it. Dynos are not kept over a restart: they are processes. */
import { now, uuid } from "../ids";

export interface Dyno {
  id: string;
  appId: string;
  name: string;
  type: string;
  command: string;
  size: string;
  state: "starting" | "up" | "crashed";
  releaseVersion: number;
  /** Where a web dyno listens; null for others. */
  port: number | null;
  createdAt: string;
  updatedAt: string;
}

export function newDyno(of: Pick<Dyno, "appId" | "name" | "type" | "command" | "size" | "releaseVersion">): Dyno {
  const at = now();
  return { id: uuid(), ...of, state: "starting", port: null, createdAt: at, updatedAt: at };
}

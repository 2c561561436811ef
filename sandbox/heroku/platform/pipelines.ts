/** Pipelines and the apps coupled to them. */
import type { Cloud } from "../cloud";
import { invalid, notFound, ok, reference, text } from "../http";
import { now, uuid } from "../ids";
import type { Coupling, Pipeline } from "../model";
import { type Route, route } from "../router";
import { list } from "./lists";
import type { Present } from "./present";

const STAGES = ["review", "development", "staging", "production"];

function checkName(cloud: Cloud, name: string): string {
  if (!/^[a-z][a-z0-9-]{2,29}$/.test(name))
    throw invalid("Name must be 3 to 30 lowercase letters, digits and dashes, beginning with a letter.");
  if (Object.values(cloud.state.pipelines).some((one) => one.name === name))
    throw invalid(`Name ${name} is already taken`);
  return name;
}

function findPipeline(cloud: Cloud, key: string | undefined): Pipeline {
  const { pipelines } = cloud.state;
  const pipeline = pipelines[key ?? ""] ?? Object.values(pipelines).find((one) => one.name === key);
  if (!pipeline) throw notFound("pipeline");
  return pipeline;
}

function findCoupling(cloud: Cloud, id: string | undefined): Coupling {
  const coupling = cloud.state.couplings[id ?? ""];
  if (!coupling) throw notFound("pipeline coupling");
  return coupling;
}

export function pipelineRoutes(cloud: Cloud, present: Present): Route[] {
  const { state } = cloud;
  return [
    route("GET", "/pipelines", (x) =>
      list(
        x,
        Object.values(state.pipelines).map((one) => present.pipeline(one)),
        "id",
        "name",
      ),
    ),
    route("POST", "/pipelines", async (x) => {
      const body = await x.json();
      const owner = (body.owner ?? { id: state.account.id, type: "user" }) as { id: string; type: string };
      const at = now();
      const name = checkName(cloud, text(body, "name") ?? "");
      const pipeline: Pipeline = {
        id: uuid(),
        name,
        owner: { id: owner.id, type: owner.type },
        createdAt: at,
        updatedAt: at,
      };
      state.pipelines[pipeline.id] = pipeline;
      cloud.store.save();
      return ok(present.pipeline(pipeline), 201);
    }),
    route("GET", "/pipelines/:pipeline", (x) => ok(present.pipeline(findPipeline(cloud, x.params.pipeline)))),
    route("PATCH", "/pipelines/:pipeline", async (x) => {
      const pipeline = findPipeline(cloud, x.params.pipeline);
      const name = text(await x.json(), "name");
      if (name !== undefined && name !== pipeline.name) pipeline.name = checkName(cloud, name);
      cloud.touch(pipeline);
      return ok(present.pipeline(pipeline));
    }),
    route("DELETE", "/pipelines/:pipeline", (x) => {
      const pipeline = findPipeline(cloud, x.params.pipeline);
      delete state.pipelines[pipeline.id];
      for (const coupling of Object.values(state.couplings))
        if (coupling.pipelineId === pipeline.id) delete state.couplings[coupling.id];
      cloud.store.save();
      return ok(present.pipeline(pipeline));
    }),
    route("GET", "/apps/:app/pipeline-couplings", (x) => {
      const { id } = cloud.app(x.params.app);
      const coupling = Object.values(state.couplings).find((one) => one.appId === id);
      if (!coupling) throw notFound("pipeline coupling");
      return ok(present.coupling(coupling));
    }),
    route("POST", "/pipeline-couplings", async (x) => {
      const body = await x.json();
      const app = cloud.app(reference(body, "app"));
      const pipeline = findPipeline(cloud, reference(body, "pipeline"));
      const stage = text(body, "stage") ?? "";
      if (!STAGES.includes(stage)) throw invalid(`Stage ${stage} is not valid, expected one of: ${STAGES.join(", ")}`);
      if (Object.values(state.couplings).some((one) => one.appId === app.id))
        throw invalid("App is already part of a pipeline.");
      const at = now();
      const coupling: Coupling = {
        id: uuid(),
        appId: app.id,
        pipelineId: pipeline.id,
        stage,
        createdAt: at,
        updatedAt: at,
      };
      state.couplings[coupling.id] = coupling;
      cloud.store.save();
      return ok(present.coupling(coupling), 201);
    }),
    route("GET", "/pipeline-couplings/:id", (x) => ok(present.coupling(findCoupling(cloud, x.params.id)))),
    route("DELETE", "/pipeline-couplings/:id", (x) => {
      const coupling = findCoupling(cloud, x.params.id);
      delete state.couplings[coupling.id];
      cloud.store.save();
      return ok(present.coupling(coupling));
    }),
  ];
}

/** Certificates (SNI endpoints): checked and kept; nothing here serves with them. */
import { createPrivateKey, type KeyObject, X509Certificate } from "node:crypto";
import type { Cloud } from "../cloud";
import { invalid, notFound, ok, text } from "../http";
import { now, randomCertificateName, uuid } from "../ids";
import type { App, Certificate } from "../model";
import { type Route, route } from "../router";
import { list } from "./lists";

function leaf(chain: string): X509Certificate {
  try {
    return new X509Certificate(chain);
  } catch {
    throw invalid("certificate_chain must be a chain of certificates as PEM, that of the domain first.");
  }
}

function key(pem: string): KeyObject {
  try {
    return createPrivateKey(pem);
  } catch {
    throw invalid("private_key must be a private key as PEM, without a passphrase.");
  }
}

/** The chain of a request whose key fits it. The key itself is not kept: nobody could ask for it. */
function checkedChain(body: Record<string, unknown>): string {
  const chain = text(body, "certificate_chain") ?? "";
  if (!leaf(chain).checkPrivateKey(key(text(body, "private_key") ?? "")))
    throw invalid("The private key does not fit the certificate.");
  return chain;
}

function show(app: App, certificate: Certificate) {
  const { subject, issuer, subjectAltName, validFrom, validTo } = leaf(certificate.chain);
  const names = (subjectAltName ?? "").split(", ").filter((one) => one.startsWith("DNS:"));
  return {
    id: certificate.id,
    app: { id: app.id, name: app.name },
    certificate_chain: certificate.chain,
    created_at: certificate.createdAt,
    display_name: null,
    name: certificate.name,
    ssl_cert: {
      "ca_signed?": subject !== issuer,
      "self_signed?": subject === issuer,
      cert_domains: names.map((one) => one.slice("DNS:".length)),
      expires_at: new Date(validTo).toISOString(),
      issuer,
      starts_at: new Date(validFrom).toISOString(),
      subject,
    },
    updated_at: certificate.updatedAt,
  };
}

/** An app's certificate by id or name; 404 when there is none. */
export function findCertificate(cloud: Cloud, app: App, reference: string | undefined): Certificate {
  const found = Object.values(cloud.state.certificates).find(
    (one) => one.appId === app.id && (one.id === reference || one.name === reference),
  );
  if (!found) throw notFound("SNI endpoint");
  return found;
}

export function certificateRoutes(cloud: Cloud): Route[] {
  const { state } = cloud;
  return [
    route("GET", "/apps/:app/sni-endpoints", (x) => {
      const app = cloud.app(x.params.app);
      const own = Object.values(state.certificates).filter((one) => one.appId === app.id);
      return list(
        x,
        own.map((one) => show(app, one)),
        "name",
        "id",
      );
    }),
    route("POST", "/apps/:app/sni-endpoints", async (x) => {
      const app = cloud.app(x.params.app);
      const chain = checkedChain(await x.json());
      const at = now();
      const name = randomCertificateName();
      const certificate: Certificate = { id: uuid(), appId: app.id, name, chain, createdAt: at, updatedAt: at };
      state.certificates[certificate.id] = certificate;
      cloud.store.save();
      return ok(show(app, certificate), 201);
    }),
    route("GET", "/apps/:app/sni-endpoints/:certificate", (x) => {
      const app = cloud.app(x.params.app);
      return ok(show(app, findCertificate(cloud, app, x.params.certificate)));
    }),
    route("PATCH", "/apps/:app/sni-endpoints/:certificate", async (x) => {
      const app = cloud.app(x.params.app);
      const certificate = findCertificate(cloud, app, x.params.certificate);
      certificate.chain = checkedChain(await x.json());
      cloud.touch(certificate);
      return ok(show(app, certificate));
    }),
    route("DELETE", "/apps/:app/sni-endpoints/:certificate", (x) => {
      const app = cloud.app(x.params.app);
      const certificate = findCertificate(cloud, app, x.params.certificate);
      for (const domain of Object.values(state.domains))
        if (domain.sniEndpointId === certificate.id) domain.sniEndpointId = null;
      delete state.certificates[certificate.id];
      cloud.store.save();
      return ok(show(app, certificate));
    }),
  ];
}

import { createHash } from 'node:crypto';
import { Annotations, Duration, Validations } from 'aws-cdk-lib';
import { Certificate } from 'aws-cdk-lib/aws-certificatemanager';
import {
  AllowedMethods,
  type BehaviorOptions,
  Distribution,
  type Function as EdgeFunction,
  FunctionEventType,
  GeoRestriction,
  HttpVersion,
  type IOrigin,
  KeyGroup,
  OriginProtocolPolicy,
  OriginSslPolicy,
  PublicKey,
  S3OriginAccessControl,
  SecurityPolicyProtocol,
  Signing,
  ViewerProtocolPolicy,
} from 'aws-cdk-lib/aws-cloudfront';
import { HttpOrigin, S3BucketOrigin } from 'aws-cdk-lib/aws-cloudfront-origins';
import { Bucket } from 'aws-cdk-lib/aws-s3';
import type { Construct } from 'constructs';
import { PREFIXES, PUBLIC_PREFIXES, SIGNED_PREFIX } from '../../../src/domain/keys.ts';
import { namesOf } from '../names.ts';
import type { Settings } from '../settings.ts';
import { type EdgeFunctions, edgeFunctions } from './functions.ts';
import { cachePolicies, responseHeaders } from './policies.ts';

export interface Delivery {
  readonly distribution: Distribution;
  /** Checks signatures; the service signs with its private half. */
  readonly signer: PublicKey;
}

/**
 * CloudFront before the bucket. Only what a behaviour names is asked for at all: public prefixes of the bucket, and
 * reviewers' views for requests that carry our signature; of the service the few paths that no object has. Everything else
 * is refused at the edge.
 *
 * @param webAclArn of WAF in us-east-1, null without
 */
export function distribute(scope: Construct, settings: Settings, webAclArn: string | null): Delivery {
  const { name, domain } = settings;
  const keys = settings.publicKeys.map((pem) => publicKeyOf(scope, name, pem));
  const keyGroup = new KeyGroup(scope, 'Signers', { keyGroupName: `${name}-signers`, items: keys });
  const distribution = new Distribution(scope, 'Distribution', {
    comment: `Pictures of ${name}`,
    ...behaviours(scope, name, {
      bucket: bucketOrigin(scope, settings),
      service: serviceOrigin(settings),
      keyGroup,
      functions: edgeFunctions(scope, namesOf(settings)),
    }),
    httpVersion: HttpVersion.HTTP2_AND_3,
    // CloudFront's own certificate, without a domain, fixes its own list of protocols.
    ...(domain && {
      minimumProtocolVersion: SecurityPolicyProtocol.TLS_V1_2_2021,
      domainNames: [domain.name],
      certificate: Certificate.fromCertificateArn(scope, 'Certificate', domain.certificateArn),
    }),
    ...(webAclArn !== null && { webAclId: webAclArn }),
    ...(settings.countries && { geoRestriction: geoRestriction(settings.countries) }),
    // A photo that is not there yet, or was taken down, is asked for again soon; by default it would be for 10 s, too.
    errorResponses: ERRORS.map((httpStatus) => ({ httpStatus, ttl: ERRORS_ARE_KEPT })),
  });
  acknowledge(distribution, settings);
  const signer = keys[0];
  if (signer === undefined) throw new Error('Expected a public key');
  return { distribution, signer };
}

/** What cdk-nag finds and stands; what the operator can switch on is found only while it is off. */
function acknowledge(distribution: Distribution, { countries, firewall, domain }: Settings): void {
  const findings = [
    {
      rule: 'CFR3',
      reason: 'Logged by standard logging v2 (access-logs.ts), which is no property of the distribution.',
    },
    countries === undefined && {
      rule: 'CFR1',
      reason: 'Served everywhere, until `countries` says otherwise.',
    },
    !firewall && {
      rule: 'CFR2',
      reason: 'Static pictures by GET only; `firewall` puts AWS WAF before them.',
    },
    domain === undefined && {
      rule: 'CFR4',
      reason: 'Without a domain CloudFront brings its own certificate, whose list of protocols is fixed.',
    },
  ];
  for (const finding of findings)
    if (finding !== false)
      Validations.of(distribution).acknowledge({
        id: `AwsSolutions::AwsSolutions-${finding.rule}`,
        reason: finding.reason,
      });
}

const ERRORS = [403, 404, 500, 502, 503, 504];
const ERRORS_ARE_KEPT = Duration.seconds(10);

/** In the order in which CloudFront tries them: the first pattern that matches decides. */
function behaviours(scope: Construct, name: string, { bucket, service, keyGroup, functions }: Parts) {
  const cache = cachePolicies(scope, name);
  const shared = {
    origin: bucket,
    allowedMethods: AllowedMethods.ALLOW_GET_HEAD,
    viewerProtocolPolicy: ViewerProtocolPolicy.REDIRECT_TO_HTTPS,
    responseHeadersPolicy: responseHeaders(scope, name),
    compress: true,
  };
  const before = (edgeFunction: EdgeFunction) => [
    { function: edgeFunction, eventType: FunctionEventType.VIEWER_REQUEST },
  ];
  const picture: BehaviorOptions = {
    ...shared,
    cachePolicy: cache.immutable,
    functionAssociations: before(functions.accept),
  };
  const lookUp: BehaviorOptions = { ...picture, origin: service, cachePolicy: cache.lookedUp };
  return {
    additionalBehaviors: {
      // The bucket has no such keys: the service knows which object is meant.
      [`${PREFIXES.profiles}thumbnail/*/current`]: lookUp,
      ...Object.fromEntries(PUBLIC_PREFIXES.map((prefix) => [`${prefix}original/*.auto`, lookUp])),
      [`${SIGNED_PREFIX}*`]: {
        ...shared,
        viewerProtocolPolicy: ViewerProtocolPolicy.HTTPS_ONLY,
        cachePolicy: cache.none,
        trustedKeyGroups: [keyGroup],
      },
      ...Object.fromEntries(PUBLIC_PREFIXES.map((prefix) => [`${prefix}*`, picture])),
    },
    defaultBehavior: {
      ...shared,
      cachePolicy: cache.none,
      functionAssociations: before(functions.refuse),
    },
  };
}

interface Parts {
  readonly bucket: IOrigin;
  readonly service: IOrigin;
  readonly keyGroup: KeyGroup;
  readonly functions: EdgeFunctions;
}

/** A key of CloudFront cannot be changed, only replaced: another key is another resource, made before the old one goes. */
function publicKeyOf(scope: Construct, name: string, encodedKey: string): PublicKey {
  const fingerprint = createHash('sha256').update(encodedKey).digest('hex').slice(0, 8);
  return new PublicKey(scope, `PublicKey${fingerprint}`, {
    publicKeyName: `${name}-${fingerprint}`,
    encodedKey,
  });
}

/** By its name, so that CDK leaves the policy of the bucket to us: it would open all of it. */
function bucketOrigin(scope: Construct, settings: Settings): IOrigin {
  const bucket = Bucket.fromBucketAttributes(scope, 'Pictures', {
    bucketArn: `arn:aws:s3:::${namesOf(settings).bucket}`,
    region: settings.region,
  });
  Annotations.of(scope).acknowledgeWarning(
    '@aws-cdk/aws-cloudfront-origins:updateImportedBucketPolicyOac',
    'protect() writes the policy, for what is served only.',
  );
  return S3BucketOrigin.withOriginAccessControl(bucket, {
    originAccessControl: new S3OriginAccessControl(scope, 'OriginAccess', {
      originAccessControlName: settings.name,
      signing: Signing.SIGV4_ALWAYS,
    }),
  });
}

/** The service's own edge, which answers these paths below `/cdn/`. */
function serviceOrigin({ serviceUrl }: Settings): IOrigin {
  const { hostname, port } = new URL(serviceUrl);
  return new HttpOrigin(hostname, {
    originPath: '/cdn',
    protocolPolicy: OriginProtocolPolicy.HTTPS_ONLY,
    originSslProtocols: [OriginSslPolicy.TLS_V1_2],
    ...(port !== '' && { httpsPort: Number(port) }),
  });
}

function geoRestriction(countries: NonNullable<Settings['countries']>): GeoRestriction {
  return 'allow' in countries
    ? GeoRestriction.allowlist(...countries.allow)
    : GeoRestriction.denylist(...countries.deny);
}

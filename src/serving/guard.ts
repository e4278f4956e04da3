/**
 * Who may ask. A server on one's own machine is reached by every page that its user opens: a page can post to loopback, and by
 * DNS rebinding (its own name suddenly an address of this machine) even read the answers. So the Host is checked against a
 * list, a foreign Origin is refused, and only JSON is read, which a page cannot send without being asked for permission first.
 */
import { forbidden, unauthorized, wrongContentType } from './servingErrors.js';

export interface Guard {
  /** Names that clients may call the server by, beside localhost and addresses in digits. */
  readonly allowedHosts: readonly string[];
  readonly corsOrigins: readonly string[];
  /** Whether these two are fixed, so that nobody is told how to name more. Default false. */
  readonly isFixed?: boolean;
  /** Whether a key is one of the server's; undefined where it asks for none. */
  readonly isKey?: (key: string) => boolean;
}

/** Another name that leads here is what rebinding needs; an address in digits is none. */
const NEVER_REBOUND = /^(localhost|\d{1,3}(\.\d{1,3}){3}|\[[\da-f:.]+\])$/i;

/** @throws RequestError 403 for a Host that is none of the server's */
export function checkHost(host: string | undefined, { allowedHosts, isFixed = false }: Guard): void {
  const name = (host ?? '').replace(/:\d+$/, '').toLowerCase();
  if (NEVER_REBOUND.test(name) || allowedHosts.some((allowed) => allowed.toLowerCase() === name)) return;
  throw forbidden(`the Host of the request is none of this server${isFixed ? '' : '; it is named by --allowed-hosts'}`);
}

/**
 * @param host  of the request, whose own page may ask
 * @throws RequestError 403 for a page of another origin
 */
export function checkOrigin(
  origin: string | undefined,
  host: string | undefined,
  { corsOrigins, isFixed = false }: Guard,
): void {
  if (origin === undefined || corsOrigins.includes(origin)) return;
  if (host !== undefined && (origin === `http://${host}` || origin === `https://${host}`)) return;
  throw forbidden(`pages of this Origin may not ask${isFixed ? '' : '; it is named by --cors-origins'}`);
}

/** @throws RequestError 415 for anything but JSON */
export function checkContentType(type: string | undefined): void {
  if (/^application\/json\s*(;|$)/i.test(type ?? '')) return;
  throw wrongContentType('the content type is not application/json');
}

/** @throws RequestError 401 without a key of the server's */
export function checkKey(authorization: string | undefined, { isKey }: Guard): void {
  if (!isKey) return;
  const [, key] = /^Bearer (.+)$/i.exec(authorization ?? '') ?? [];
  if (key !== undefined && isKey(key)) return;
  throw unauthorized(key === undefined ? 'a key is missing: Authorization: Bearer KEY' : 'the key is wrong');
}

/** Headers that let a page of a named origin read the answer. */
export function corsHeaders(origin: string | undefined, { corsOrigins }: Guard): Record<string, string> {
  if (origin === undefined || !corsOrigins.includes(origin)) return {};
  return {
    'access-control-allow-origin': origin,
    'access-control-allow-headers': 'authorization, content-type, x-request-id',
    'access-control-allow-methods': 'GET, POST',
    'access-control-expose-headers': 'x-request-id, retry-after',
    vary: 'Origin',
  };
}

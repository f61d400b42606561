/** Talks to the server's API: JSON, the session's cookie, the CSRF token on every unsafe method, errors as `ApiError`. */

export interface FieldError {
  field: string;
  message: string;
}

/** What the server says when it refuses, in words for a reader. */
export class ApiError extends Error {
  readonly status: number;
  readonly code: string;
  readonly hint: string;
  readonly fields: FieldError[];

  constructor(status: number, code: string, message: string, hint = "", fields: FieldError[] = []) {
    super(message);
    this.status = status;
    this.code = code;
    this.hint = hint;
    this.fields = fields;
  }
}

export type Params = Record<string, string | number | boolean | null | undefined | readonly string[]>;

const PREFIX = "/api/v1";
let csrf = "";

/** Remember the token of the session for unsafe methods. */
export function setCsrf(token: string): void {
  csrf = token;
}

/** An address of the API with its query; empty values are left out, lists repeat the name. */
export function address(path: string, params: Params = {}): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(params)) {
    if (value === null || value === undefined || value === "" || value === false) continue;
    if (typeof value === "object") value.forEach((each) => query.append(name, each));
    else query.set(name, String(value));
  }
  const text = query.toString();
  return `${PREFIX}${path}${text ? `?${text}` : ""}`;
}

async function failure(response: Response): Promise<ApiError> {
  const body: unknown = await response.json().catch(() => null);
  const error = (body as { error?: Partial<ApiError> } | null)?.error;
  const message = error?.message ?? `the server answered ${response.status}`;
  return new ApiError(response.status, error?.code ?? "error", message, error?.hint ?? "", error?.fields ?? []);
}

async function send<T>(method: string, path: string, params?: Params, body?: unknown, signal?: AbortSignal): Promise<T> {
  const headers: Record<string, string> = { Accept: "application/json" };
  if (method !== "GET") headers["X-CSRF-Token"] = csrf;
  const raw = body instanceof Blob;
  if (body !== undefined) headers["Content-Type"] = raw ? "application/octet-stream" : "application/json";
  const init: RequestInit = { method, headers, credentials: "same-origin" };
  if (body !== undefined) init.body = raw ? body : JSON.stringify(body);
  if (signal) init.signal = signal;
  const response = await fetch(address(path, params), init).catch((error: unknown) => {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw new ApiError(0, "offline", "the server does not answer", "Is `evalwright serve` still running?");
  });
  if (!response.ok) throw await failure(response);
  if (response.status === 204) return undefined as T;
  return (await response.json()) as T;
}

export const api = {
  get: <T>(path: string, params?: Params, signal?: AbortSignal) => send<T>("GET", path, params, undefined, signal),
  post: <T>(path: string, body: unknown = {}, params?: Params) => send<T>("POST", path, params, body),
  upload: <T>(path: string, data: Blob, params?: Params) => send<T>("POST", path, params, data),
  put: <T>(path: string, body: unknown = {}) => send<T>("PUT", path, undefined, body),
  patch: <T>(path: string, body: unknown = {}) => send<T>("PATCH", path, undefined, body),
  delete: <T>(path: string, body?: unknown) => send<T>("DELETE", path, undefined, body),
};

/** A path segment: ids may hold slashes and anything else. */
export const seg = (id: string): string => encodeURIComponent(id);

/** The address of a project's part of the API. */
export const inProject = (project: string, path: string): string => `/projects/${seg(project)}${path}`;

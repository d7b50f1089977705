/** The part of `sip` 0.0.6 that is used. */
declare module 'sip' {
  export interface Via {
    version?: string;
    protocol: string;
    host: string;
    port?: number | undefined;
    params: Record<string, string | null>;
  }
  export interface Request {
    method: string;
    uri: string;
    version?: string;
    headers: Record<string, unknown>;
    content?: string;
  }
  export interface Response {
    status: number;
    reason: string;
    version?: string;
    headers: Record<string, unknown>;
    content?: string;
  }
  export function stringify(message: Request | Response): string;
  export function parse(text: string): Request | Response | undefined;
}

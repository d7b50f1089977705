/** The part of `sip` 0.0.6 that the exporter does not use: its stack. */
declare module 'sip' {
  export interface StackOptions {
    readonly address: string;
    readonly port: number;
    readonly tcp: boolean;
  }
  export interface Stack {
    send(request: Request, onResponse: (response: Response) => void): void;
    destroy(): void;
  }
  export function create(options: StackOptions, onRequest: () => void): Stack;
}

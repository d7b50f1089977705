/** The JSON of the messages of a ping. The rules of views.ts apply. */

export interface ExchangeView {
  readonly started_at: string | null;
  readonly steps: readonly {
    /** Seconds since the first request. */
    readonly offset: number;
    readonly direction: 'sent' | 'received';
    /** `OPTIONS (retransmission 1)`, `200 OK`. */
    readonly summary: string;
    /** With secrets masked; null when it is not kept: all but the last of each direction. */
    readonly message: string | null;
  }[];
}

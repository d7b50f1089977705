{
  _config+:: {
    // Selects among exporters, for every metric of theirs in an expression: 'cluster="ams"'.
    selector: '',
    // The URL of the runbook; `#` and the name of the alert follow it.
    runbookBase: 'https://github.com/OWNER/sip-keepalive-exporter/blob/main/docs/runbook.md',
    // The URL of the exporter, or a template of Prometheus for it.
    exporterUrl: 'http://{{ $labels.instance }}',
    // Whether there are alerts for exporters at several sites.
    sites: true,
    // What differs, by the name of the alert; null removes it:
    //   SipKeepaliveFlapping: { 'for': '10m', labels+: { severity: 'info' } },
    //   SipKeepaliveNoDestinations: null,
    alerts: {},
  },
}

/**
 * The events of the log. Their names are stable, so that lines can be searched for and alerted on;
 * docs/operations.md says what each of them means.
 */
export const LOG_EVENTS = [
  // The process and its configuration.
  'server_listening',
  'process_stopping',
  'config_applied',
  'config_reloaded',
  'config_invalid',
  'config_apply_failed',
  'setting_needs_restart',
  'histograms_restarted',
  'destinations_missing',
  'dscp_unsupported',
  'file_changed',
  'file_invalid',
  'state_dir_missing',
  'web_config_ignored',
  'http_server_error',
  'http_request_failed',
  'internal_error',
  'listener_failed',
  // Destinations.
  'destination_up',
  'destination_down',
  'destination_unknown',
  'target_limit_reached',
  'dns_lookup_failed',
  'dns_lookup_incomplete',
  // Discovery and destinations added at run time.
  'discovery_failed',
  'discovery_recovered',
  'entry_skipped',
  'entry_adjusted',
  'entry_duplicate',
  'source_empty',
  'label_renamed',
  'destination_renamed',
  'renames_truncated',
  'remarks_truncated',
  'runtime_destination_skipped',
  'state_dir_exposed',
  'state_file_copied',
  'state_file_corrupt',
  'state_file_unwritable',
  'state_records_unknown',
  // Running Kamailios.
  'kamailio_state_set',
  'kamailio_set_state_failed',
  // The pinger thread.
  'pinger_exited',
  'pinger_hung',
  'pinger_stalled',
  'destinations_quarantined',
  // Sockets.
  'udp_io',
  'udp_io_unavailable',
  'udp_option_refused',
  'udp_buffer_limited',
  'udp_error_storm',
  'udp_dscp_unsupported',
  'interface_unsupported',
  'udp_port_changed',
  'udp_socket_unavailable',
  'idle_connection_closed',
  'tls_files_invalid',
  // Debug lines of the pinger thread.
  'sip_sent',
  'sip_received',
  'dns_query',
  'dns_answer',
  'connection_opened',
  'connection_closed',
  'connection_failed',
  'debug_lines_dropped',
  // Webhooks.
  'webhook_queue_full',
  'webhook_delivery_failed',
] as const;

export type LogEvent = (typeof LOG_EVENTS)[number];

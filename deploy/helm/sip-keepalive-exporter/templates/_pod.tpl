{{/* The names of the Secrets to log in with, as JSON. */}}
{{- define "sip-keepalive-exporter.clientSecrets" -}}
{{- list .Values.client.basicAuthSecret .Values.client.certificateSecret | uniq | compact | toJson -}}
{{- end }}

{{/* The names of all Secrets, as JSON. */}}
{{- define "sip-keepalive-exporter.secrets" -}}
{{- $client := include "sip-keepalive-exporter.clientSecrets" . | fromJsonArray -}}
{{- concat .Values.secrets (list .Values.web.configSecret) $client | uniq | compact | toJson -}}
{{- end }}

{{- define "sip-keepalive-exporter.secretMounts" -}}
{{- range $i, $name := . -}}
- name: secret-{{ $i }}
  mountPath: /etc/secrets/{{ $name }}
  readOnly: true
{{ end }}
{{- end }}

{{- define "sip-keepalive-exporter.secretVolumes" -}}
{{- range $i, $name := . -}}
- name: secret-{{ $i }}
  secret:
    secretName: {{ $name }}
{{ end }}
{{- end }}

{{- define "sip-keepalive-exporter.args" -}}
{{- /* The exporter creates the folder in the volume for itself alone; all may write to the volume. */ -}}
- --config.file=/etc/sip-keepalive-exporter/config.yml
- --config.auto-reload-interval={{ .Values.configReloadInterval }}
- --state_dir=/var/lib/sip-keepalive-exporter/state
{{- with .Values.web }}
- --web.listen-address=:{{ int .port }}
- --web.telemetry-path={{ include "sip-keepalive-exporter.telemetryPath" $ }}
{{- if or .externalUrl .routePrefix }}
- --web.route-prefix={{ default "/" (include "sip-keepalive-exporter.prefix" $) }}
{{- end }}
{{- with .externalUrl }}
- --web.external-url={{ . }}
{{- end }}
{{- if .enableLifecycle }}
- --web.enable-lifecycle
{{- end }}
{{- if .enableAdminApi }}
- --web.enable-admin-api
{{- end }}
{{- with .configSecret }}
- --web.config.file=/etc/secrets/{{ . }}/{{ $.Values.web.configSecretKey }}
{{- end }}
{{- end }}
{{- with .Values.extraArgs }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- define "sip-keepalive-exporter.container" -}}
name: exporter
image: {{ include "sip-keepalive-exporter.image" . }}
imagePullPolicy: {{ .Values.image.pullPolicy }}
args:
  {{- include "sip-keepalive-exporter.args" . | nindent 2 }}
{{- $shards := int .Values.shards }}
{{- if or (gt $shards 1) .Values.env }}
env:
  {{- if gt $shards 1 }}
  - name: SIP_KEEPALIVE_SHARD
    valueFrom:
      fieldRef:
        fieldPath: metadata.labels['apps.kubernetes.io/pod-index']
  - name: SIP_KEEPALIVE_TOTAL_SHARDS
    value: {{ $shards | quote }}
  {{- end }}
  {{- with .Values.env }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- end }}
{{- with .Values.envFrom }}
envFrom:
  {{- toYaml . | nindent 2 }}
{{- end }}
ports:
  - name: http
    containerPort: {{ int .Values.web.port }}
{{- with .Values.healthProbes }}
startupProbe:
  {{- include "sip-keepalive-exporter.healthProbe" (dict "root" $ "path" "/-/healthy" "timing" .startup) | nindent 2 }}
readinessProbe:
  {{- include "sip-keepalive-exporter.healthProbe" (dict "root" $ "path" "/-/ready" "timing" .readiness) | nindent 2 }}
livenessProbe:
  {{- include "sip-keepalive-exporter.healthProbe" (dict "root" $ "path" "/-/healthy" "timing" .liveness) | nindent 2 }}
{{- end }}
resources:
  {{- toYaml .Values.resources | nindent 2 }}
securityContext:
  {{- toYaml .Values.securityContext | nindent 2 }}
volumeMounts:
  # The directory, not the file: a mounted file (subPath) is never updated.
  - name: config
    mountPath: /etc/sip-keepalive-exporter
    readOnly: true
  - name: state
    mountPath: /var/lib/sip-keepalive-exporter
  {{- with include "sip-keepalive-exporter.secrets" . | fromJsonArray }}
  {{- include "sip-keepalive-exporter.secretMounts" . | trim | nindent 2 }}
  {{- end }}
  {{- with .Values.extraVolumeMounts }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- end }}

{{- define "sip-keepalive-exporter.volumes" -}}
- name: config
  configMap:
    name: {{ default (include "sip-keepalive-exporter.fullname" .) .Values.existingConfigMap }}
{{- if not .Values.persistence.enabled }}
- name: state
  emptyDir: {}
{{- else if le (int .Values.shards) 1 }}
- name: state
  persistentVolumeClaim:
    claimName: {{ default (include "sip-keepalive-exporter.fullname" .) .Values.persistence.existingClaim }}
{{- end }}
{{- with include "sip-keepalive-exporter.secrets" . | fromJsonArray }}
{{ include "sip-keepalive-exporter.secretVolumes" . | trim }}
{{- end }}
{{- with .Values.extraVolumes }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- define "sip-keepalive-exporter.pod" -}}
metadata:
  labels:
    {{- include "sip-keepalive-exporter.selectorLabels" . | nindent 4 }}
    {{- range list .Values.commonLabels .Values.podLabels }}
    {{- with . }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
    {{- end }}
  {{- with .Values.podAnnotations }}
  annotations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
spec:
  serviceAccountName: {{ include "sip-keepalive-exporter.serviceAccountName" . }}
  automountServiceAccountToken: false
  # The variables of a Service could be taken for settings.
  enableServiceLinks: false
  terminationGracePeriodSeconds: 10
  {{- with .Values.imagePullSecrets }}
  imagePullSecrets:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- if .Values.hostNetwork }}
  hostNetwork: true
  {{- end }}
  dnsPolicy: {{ default (ternary "ClusterFirstWithHostNet" "ClusterFirst" .Values.hostNetwork) .Values.dnsPolicy }}
  {{- with .Values.dnsConfig }}
  dnsConfig:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  securityContext:
    {{- toYaml .Values.podSecurityContext | nindent 4 }}
  containers:
    - {{ include "sip-keepalive-exporter.container" . | nindent 6 | trim }}
    {{- with .Values.extraContainers }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  volumes:
    {{- include "sip-keepalive-exporter.volumes" . | nindent 4 }}
  {{- range $key := list "nodeSelector" "tolerations" "affinity" "topologySpreadConstraints" }}
  {{- with get $.Values $key }}
  {{ $key }}:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- end }}
  {{- with .Values.priorityClassName }}
  priorityClassName: {{ . }}
  {{- end }}
{{- end }}

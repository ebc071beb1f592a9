{{- define "janitor.name" -}}
{{- if contains .Chart.Name .Release.Name }}{{ .Release.Name | trunc 52 | trimSuffix "-" }}{{ else }}{{ printf "%s-%s" .Release.Name .Chart.Name | trunc 52 | trimSuffix "-" }}{{ end }}
{{- end }}

{{- define "janitor.selector" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/component: {{ .Values.mode }}
{{- end }}

{{- define "janitor.labels" -}}
{{ include "janitor.selector" . }}
app.kubernetes.io/part-of: {{ .Chart.Name }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
app.kubernetes.io/version: {{ .Values.image.tag | default .Chart.AppVersion | quote }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end }}

{{- define "janitor.serviceAccount" -}}
{{ .Values.serviceAccount.name | default (include "janitor.name" .) }}
{{- end }}

{{- define "janitor.image" -}}
{{- if .Values.image.digest }}{{ .Values.image.repository }}@{{ .Values.image.digest }}{{ else }}{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}{{ end }}
{{- end }}

{{- /* janitor.yaml: the configuration with what other values add to it. */ -}}
{{- define "janitor.config" -}}
{{- $config := deepCopy .Values.config }}
{{- if and .Values.postgres.enabled (not $config.ledger) }}
{{- $_ := set $config "ledger" (ternary (dict "dsn_env" "LEDGER_DSN") (dict "dsn" .Values.postgres.dsn) (ne .Values.postgres.dsnKey "")) }}
{{- else if not $config.ledger }}
{{- $_ := set $config "ledger" (dict "dsn" "/var/lib/registry-janitor/ledger.db") }}
{{- end }}
{{- if .Values.inUse.enabled }}
{{- $cluster := dict "in_cluster" true }}
{{- with .Values.inUse.name }}{{ $_ := set $cluster "name" . }}{{ end }}
{{- $protect := $config.protect | default dict }}
{{- $_ := set $protect "kubernetes" (append ($protect.kubernetes | default list) $cluster) }}
{{- $_ := set $config "protect" $protect }}
{{- end }}
{{- if .Values.policies }}
{{- $_ := set $config "policies" (append ($config.policies | default list) "policies/") }}
{{- end }}
{{- toYaml $config }}
{{- end }}

{{- define "janitor.pod" -}}
serviceAccountName: {{ include "janitor.serviceAccount" . }}
automountServiceAccountToken: {{ .Values.inUse.enabled }}
enableServiceLinks: false
terminationGracePeriodSeconds: 120 # the current run stops between two steps
securityContext:
  runAsNonRoot: true
  runAsUser: 65532
  runAsGroup: 65532
  fsGroup: 65532
  fsGroupChangePolicy: OnRootMismatch
  seccompProfile: {type: RuntimeDefault}
{{- with .Values.imagePullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.affinity }}
affinity:
  {{- toYaml . | nindent 2 }}
{{- end }}
volumes:
  - name: config
    projected:
      sources:
        - configMap:
            name: {{ include "janitor.name" . }}
        {{- if .Values.policies }}
        - configMap:
            name: {{ include "janitor.name" . }}-policies
            items:
              {{- range $file, $_ := .Values.policies }}
              - {key: {{ $file | quote }}, path: {{ printf "policies/%s" $file | quote }}}
              {{- end }}
        {{- end }}
  {{- if not .Values.postgres.enabled }}
  - name: ledger
    persistentVolumeClaim: {claimName: {{ .Values.persistence.existingClaim | default (include "janitor.name" .) }}}
  {{- else if .Values.postgres.caKey }}
  - name: postgres
    secret:
      secretName: {{ .Values.postgres.existingSecret }}
      items: [{key: {{ .Values.postgres.caKey }}, path: ca.crt}]
  {{- end }}
  - name: tmp
    emptyDir: {sizeLimit: 256Mi}
{{- end }}

{{- /* What the containers of both modes have in common, below image and args. */ -}}
{{- define "janitor.container" -}}
image: {{ include "janitor.image" . }}
imagePullPolicy: {{ .Values.image.pullPolicy }}
env:
  {{- range list "SCW_ACCESS_KEY" "SCW_SECRET_KEY" }}
  - name: {{ . }}
    valueFrom:
      secretKeyRef: {name: {{ $.Values.existingSecret }}, key: {{ . }}}
  {{- end }}
  {{- range list "AWS_ACCESS_KEY_ID" "AWS_SECRET_ACCESS_KEY" }}
  - name: {{ . }}
    valueFrom:
      secretKeyRef: {name: {{ $.Values.existingSecret }}, key: {{ . }}, optional: true}
  {{- end }}
  {{- if and .Values.postgres.enabled .Values.postgres.dsnKey }}
  - name: LEDGER_DSN
    valueFrom:
      secretKeyRef: {name: {{ .Values.postgres.existingSecret }}, key: {{ .Values.postgres.dsnKey }}}
  {{- else if .Values.postgres.enabled }}
  # The variables of every PostgreSQL client, so that janitor.yaml has no password.
  - name: PGPASSWORD
    valueFrom:
      secretKeyRef: {name: {{ .Values.postgres.existingSecret }}, key: PGPASSWORD}
  {{- range list "PGHOST" "PGPORT" "PGDATABASE" "PGUSER" }}
  - name: {{ . }}
    valueFrom:
      secretKeyRef: {name: {{ $.Values.postgres.existingSecret }}, key: {{ . }}, optional: true}
  {{- end }}
  {{- end }}
  {{- if .Values.postgres.enabled }}
  - name: PGSSLMODE
    value: {{ .Values.postgres.sslMode }}
  {{- if .Values.postgres.caKey }}
  - name: PGSSLROOTCERT
    value: /etc/registry-janitor-postgres/ca.crt
  {{- end }}
  {{- end }}
  - name: GOMEMLIMIT
    value: {{ .Values.goMemLimit }}
  {{- with .Values.env }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities: {drop: [ALL]}
resources:
  {{- toYaml .Values.resources | nindent 2 }}
volumeMounts:
  # Mount the folder, never a single file: the kubelet does not update single files.
  - {name: config, mountPath: /etc/registry-janitor, readOnly: true}
  {{- if not .Values.postgres.enabled }}
  - {name: ledger, mountPath: /var/lib/registry-janitor}
  {{- else if .Values.postgres.caKey }}
  - {name: postgres, mountPath: /etc/registry-janitor-postgres, readOnly: true}
  {{- end }}
  - {name: tmp, mountPath: /tmp}
{{- end }}

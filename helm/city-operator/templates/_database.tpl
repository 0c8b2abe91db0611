{{/*
How a process gets at MySQL: each sees the URL of its own account alone, as a file, so that a change of the Secret reaches it
without a restart. (dict "root" $ "account" "worker")
*/}}

{{- define "city-operator.databaseEnv" -}}
- name: {{ default "DATABASE_URL_FILE" .variable }}
  value: /etc/city-operator/database/{{ .account }}
{{- with .root.Values.database.tls.mode }}
- name: DATABASE_SSL_MODE
  value: {{ . }}
{{- end }}
{{- if .root.Values.database.tls.caSecretName }}
- name: DATABASE_SSL_CA
  value: /etc/city-operator/database-ca/ca.crt
{{- end }}
{{- end }}

{{- define "city-operator.databaseMounts" -}}
- name: database
  mountPath: /etc/city-operator/database
  readOnly: true
{{- if .Values.database.tls.caSecretName }}
- name: database-ca
  mountPath: /etc/city-operator/database-ca
  readOnly: true
{{- end }}
{{- end }}

{{- /* (dict "root" $ "accounts" (list "worker") "optional" (list "feed")) */}}
{{- define "city-operator.databaseVolumes" -}}
{{- $database := .root.Values.database -}}
- name: database
  projected:
    defaultMode: 0440
    sources:
      - secret:
          name: {{ $database.secretName }}
          items:
            {{- range .accounts }}
            - { key: {{ get $database.keys . | quote }}, path: {{ . }} }
            {{- end }}
      {{- range .optional }}
      - secret:
          name: {{ $database.secretName }}
          optional: true
          items:
            - { key: {{ get $database.keys . | quote }}, path: {{ . }} }
      {{- end }}
{{- if $database.tls.caSecretName }}
- name: database-ca
  secret:
    secretName: {{ $database.tls.caSecretName }}
    defaultMode: 0440
    items:
      - { key: {{ $database.tls.caKey | quote }}, path: ca.crt }
{{- end }}
{{- end }}

{{- /* CEL for what whoever else writes a City Lease is told. Two policies may refuse one request, and the API server tells of
either: both say this. */}}
{{- define "city-operator.cityLeaseRefusal" -}}
'only the City operator writes City Leases, and ' + request.userInfo.username +
' is somebody else: to move or stop a City, change its spec'
{{- end }}

{{- /* CEL for whether one of `variables.leases` is a City Lease. */}}
{{- define "city-operator.isCityLease" -}}
variables.leases.exists(lease, has(lease.metadata.labels) &&
'dispatch.city/component' in lease.metadata.labels && lease.metadata.labels['dispatch.city/component'] == 'city')
{{- end }}

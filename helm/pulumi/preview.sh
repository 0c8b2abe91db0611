#!/usr/bin/env bash
# Previews the example against the current cluster, with a state that is thrown away. IMAGE and TAG name the image.
set -euo pipefail
cd "$(dirname "$0")"
state=$(mktemp -d)
trap 'rm -rf "$state"' EXIT
export PULUMI_BACKEND_URL="file://$state" PULUMI_CONFIG_PASSPHRASE=preview PULUMI_SKIP_UPDATE_CHECK=true
export PATH="$PWD/../../node_modules/.bin:$PATH"
pulumi stack init preview --non-interactive
pulumi config set image "${IMAGE:-city-operator}"
pulumi config set tag "${TAG:-}"
for account in operator worker admin; do
  pulumi config set --secret "${account}Url" "mysql://dispatch_$account:preview@mysql:3306/dispatch"
done
trap 'rm -rf "$state" Pulumi.preview.yaml' EXIT
pulumi preview --non-interactive --diff

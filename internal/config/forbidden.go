package config

const (
	credentialsHint = "credentials are not part of the configuration: set SCW_ACCESS_KEY and SCW_SECRET_KEY, or name a profile with scaleway.profile"
	dryRunHint      = "remove it: plan never changes anything, and apply asks first. To show what one rule would delete without ever applying it, give that rule enforce: false"
	bucketHint      = "it is a parameter of the bucket: write it into to, such as s3://bucket/prefix?endpoint=https://s3.fr-par.scw.cloud&storage_class=GLACIER"
	bucketKeyHint   = "credentials are not part of the configuration: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY for a bucket, or run docker login for a registry"
	enabledHint     = "nothing has a switch: what is in the file is on. Remove the key, or comment out what you do not want"
	protectHint     = "protect names tags, digests and what uses them. To keep whole namespaces or images, add a retention rule such as {match: {namespaces: [prod]}, keep: {all: true}}, or leave them out with scope: {exclude: [\"prod/**\"]}"
)

// forbidden are the keys that an operator may try but must not use, with the remedy:
// by their path, or by their name wherever it is.
var forbidden = map[string]string{
	"notifications.url":          urlHint,
	"protect.namespaces":         protectHint,
	"protect.images":             protectHint,
	"retention.enabled":          "write enforce: false to show what the rule would delete without ever applying it, or remove the rule",
	"retention.dry_run":          "write enforce: false to show what the rule would delete without ever applying it",
	"protect.serverless.enabled": "write serverless: true",
	"archive.access_key":         bucketKeyHint,
	"archive.secret_key":         bucketKeyHint,
	"archive.endpoint":           bucketHint,
	"archive.region":             bucketHint,
	"archive.storage_class":      bucketHint,
	"*.access_key":               credentialsHint,
	"*.secret_key":               credentialsHint,
	"*.dry_run":                  dryRunHint,
	"*.dryRun":                   dryRunHint,
	"*.dry-run":                  dryRunHint,
	"*.enabled":                  enabledHint,
	"*.disabled":                 enabledHint,
}
